"""``python -m bench [NAME …]``: all, or those named; the names are the keys of ``_ALL``."""

import sys

from bench import api, coverage, imports, network, page, pages, people, placements, renewal, report

_ALL = {
    "imports": imports.run,
    "people": people.run,
    "network": network.run,
    "renewal": renewal.run,
    "api": api.run,
    "page": page.run,
    "pages": pages.run,
    "coverage": coverage.run,
    "placements": placements.run,
    "report": report.run,
}

for name in sys.argv[1:] or _ALL:
    _ALL[name]()
