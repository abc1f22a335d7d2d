"""``python -m bench [imports|people|network|renewal|api|page|coverage]``: all benchmarks, or those named."""

import sys

from bench import api, coverage, imports, network, page, people, renewal

_ALL = {
    "imports": imports.run,
    "people": people.run,
    "network": network.run,
    "renewal": renewal.run,
    "api": api.run,
    "page": page.run,
    "coverage": coverage.run,
}

for name in sys.argv[1:] or _ALL:
    _ALL[name]()
