"""Published tables of youth offices as example datasets: canonical CSV, each with a mapping that names its source.

The figures are facts, retyped from public reports; title, source, Stand, counting, unit and the sources' own caveats
stand in the mapping beside each table. Different offices and different ways of counting are datasets of their own, so
that nothing is mixed. Amounts printed in thousands of euros are written in euros.

``gebiete-<level>`` are areas without geometry, ``katalog-<office>`` what an office's Hilfearten and indicators mean,
``hamburg-mitte-34`` is placements, all others are statistics. Each list is in the order in which they are loaded.
"""

from pathlib import Path

FOLDER = Path(__file__).parent

LEVELS = ("land", "stadt", "bezirk", "sozialzentrum", "stadtteil", "stadtteilbuero")
OFFICES = ("bremen", "bremerhaven", "hamburg-mitte", "norderstedt")
STATISTICS = (
    "bremen-jew",
    "bremen-hilfen",
    "bremen-ausgaben",
    "bremen-beratungen",
    "bremen-effekte",
    "bremen-espq-massnahmen",
    "bremen-espq-ausgaben",
    "bremerhaven-hilfen",
    "bremerhaven-stunden",
    "hamburg-mitte-budget",
    "norderstedt-hilfen",
)
PLACEMENTS = ("hamburg-mitte-34",)
