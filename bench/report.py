"""How long the controlling report takes as a whole process: six areas, seven years, sixteen Hilfearten."""

import csv
import random
from collections.abc import Iterator
from pathlib import Path

from bench.ground import CLI, Bench, fresh, line, median, timed

AREAS, YEARS, HELP_TYPES = 6, range(2014, 2021), 16
_AMBULANT = 10  # so many of the Hilfearten; the others are outside the family
_WITH_HOURS = 4  # so many report their hours
_FOOTNOTES = ["--licence", "CC0-1.0", "--attribution", "Messung", "--as-of", "2021-06-01"]
_GROUPS = ("ambulant", "ausserhalb_familie")


def run() -> None:
    """Measure and print."""
    with fresh() as bench:
        load(bench)
        for ending, target in (("xlsx", "Ziel 2 s"), ("pdf", "Ziel 6 s")):
            file = bench.folder / f"bericht.{ending}"
            command = [CLI, "export", "controlling", *wanted(), "--version", "intern", "--out", str(file)]
            ours = median(5, lambda command=command: timed(command, env=bench.environment()))  # type: ignore[misc]
            size = f"{file.stat().st_size / 1024:.0f} KiB"
            line(f"Bericht {ending}, 6 Gebiete × 7 Jahre × 16 Hilfearten ({size})",
                 f"{ours.wall_s:.2f} s {ours.peak_mib:.0f} MiB", target)  # fmt: skip


def wanted() -> list[str]:
    """Return the options that name the six areas."""
    return [part for number in range(1, AREAS + 1) for part in ("--area", f"sozialzentrum:SZ{number}")]


def load(bench: Bench) -> None:
    """Load a city with its six areas, their residents, helps, spending, hours and counselling."""
    environment, folder = bench.environment(), bench.folder
    for level, rows in _areas().items():
        source = folder / f"{level}.csv"
        _write(source, ["key", "name", "parent_key"], rows)
        parent = ["--parent-level", "stadt"] if level == "sozialzentrum" else []
        timed([CLI, "import", "areas", str(source), "--level", level, *parent, *_FOOTNOTES], env=environment)
    catalogue = folder / "katalog.toml"
    catalogue.write_text(_catalogue(), encoding="utf-8")
    timed([CLI, "import", "catalogue", str(catalogue)], env=environment)
    columns = ["area_level", "area_key", "indicator", "position", "period", "value"]
    for dataset, (counting, unit, rows) in _figures().items():
        source = folder / f"{dataset}.csv"
        _write(source, columns, rows)
        said = ["--counting", counting, "--unit", unit, "--dataset", f"statistics.{dataset}", "--decimal", "."]
        timed([CLI, "import", "statistics", str(source), *said, *_FOOTNOTES], env=environment)


def _areas() -> dict[str, list[tuple[str, ...]]]:
    return {
        "stadt": [("HB", "Beispielstadt", "")],
        "sozialzentrum": [(f"SZ{number}", f"Sozialzentrum {number}", "HB") for number in range(1, AREAS + 1)],
    }


def _catalogue() -> str:
    parts = [
        f'[[help_type]]\ncode = "art-{number:02d}"\ntitle = "Hilfeart {number:02d}"\nparagraphs = ["27"]\n'
        f'groups = ["{_GROUPS[number > _AMBULANT]}", "alle_hilfen"]\nunit = "hilfen"\n'
        for number in range(1, HELP_TYPES + 1)
    ]
    return "\n".join(parts)


Figures = dict[str, tuple[str, str, list[tuple[str, ...]]]]


def _figures() -> Figures:
    rng = random.Random(5)  # noqa: S311 - figures for a measurement
    made: Figures = {
        "hilfen": ("mittel_12_stichtage", "hilfen", []),
        "ausgaben": ("kumuliert", "eur", []),
        "stunden": ("kumuliert", "hilfen", []),
        "beratungen": ("kumuliert", "hilfen", []),
        "einwohner": ("stichtag", "personen", []),
    }
    for year in YEARS:
        whole: dict[tuple[str, str, str], float] = {}
        for number in range(1, AREAS + 1):
            for (dataset, indicator, position), value in _of_area(rng):
                key = (dataset, indicator, position)
                whole[key] = whole.get(key, 0) + value
                made[dataset][2].append(("sozialzentrum", f"SZ{number}", indicator, position, str(year), str(value)))
        for (dataset, indicator, position), value in whole.items():
            made[dataset][2].append(("stadt", "HB", indicator, position, str(year), str(value)))
    return made


def _of_area(rng: random.Random) -> Iterator[tuple[tuple[str, str, str], float]]:
    totals: dict[tuple[str, str, str], int] = {}
    for number in range(1, HELP_TYPES + 1):
        cases = rng.randint(20, 200)
        for dataset, indicator, value in (
            ("hilfen", "cases", cases), ("ausgaben", "spending_eur", cases * rng.randint(8_000, 60_000)),
            ("stunden", "hours", cases * rng.randint(80, 300)),
        ):  # fmt: skip
            if indicator == "hours" and number > _WITH_HOURS:
                continue
            for position in (f"art-{number:02d}", _GROUPS[number > _AMBULANT], "alle_hilfen"):
                key = (dataset, indicator, position)
                totals[key] = totals.get(key, 0) + value
    yield from totals.items()
    yield ("stunden", "hours", "gruppenangebot"), totals["stunden", "hours", "alle_hilfen"] * rng.uniform(0.05, 0.25)
    new = rng.randint(100, 400)
    yield ("beratungen", "counselling_new", "total"), new
    yield ("beratungen", "counselling_followed", "total"), rng.randint(20, new)
    yield ("einwohner", "population", "0-21"), rng.randint(9_000, 25_000)


def _write(path: Path, header: list[str], rows: list[tuple[str, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, delimiter=";")
        writer.writerow(header)
        writer.writerows(rows)
