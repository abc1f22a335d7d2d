"""``python -m bench [imports|api|page]``: all benchmarks, or those named."""

import sys

from bench import api, imports, page

_ALL = {"imports": imports.run, "api": api.run, "page": page.run}

for name in sys.argv[1:] or _ALL:
    _ALL[name]()
