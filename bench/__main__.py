"""``python -m bench [imports|people|network|renewal|api|page|coverage|placements|report]``: all, or those named."""

import sys

from bench import api, coverage, imports, network, page, people, placements, renewal, report

_ALL = {
    "imports": imports.run,
    "people": people.run,
    "network": network.run,
    "renewal": renewal.run,
    "api": api.run,
    "page": page.run,
    "coverage": coverage.run,
    "placements": placements.run,
    "report": report.run,
}

for name in sys.argv[1:] or _ALL:
    _ALL[name]()
