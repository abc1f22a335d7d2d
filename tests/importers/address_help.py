"""What the tests of addresses share: hand-made lists in the tiny city, and a short way to load them."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from importer_help import EAST, NORTH, Database, Json, load_facilities, query, rules, write_csv
from sqlalchemy import Engine

from importers.kinds.addresses import AddressesImport, import_addresses
from importers.report import Report
from importers.sources import open_source


def address(
    street: str, number: str, x: float, y: float, postcode: str | None = "20001", city: str | None = "Hamburg"
) -> Json:
    """Return one canonical row; x and y in metres from the corner of the tiny city."""
    return {
        "street": street, "house_number": number, "postcode": postcode, "city": city, "x": EAST + x, "y": NORTH + y,
    }  # fmt: skip


def load_addresses(engine: Engine, path: Path, **options: Any) -> Report:
    options.setdefault("crs", "EPSG:25832")
    return import_addresses(engine, open_source(path), AddressesImport(**options))


def load_list(engine: Engine, folder: Path, rows: Iterable[Json], **options: Any) -> Report:
    """Write the rows as a CSV and load it."""
    return load_addresses(engine, write_csv(folder / "adressen.csv", list(rows)), **options)


class Placed(NamedTuple):
    """A place: how well it matched, and metres from the corner of the city."""

    quality: Any
    x: float
    y: float


Load = Callable[..., tuple[Report, dict[str, Placed]]]
LENIENT = rules("100%", "100%")


def placed(database: Database, dataset: str) -> dict[str, Placed]:
    found = query(
        database.writing,
        "SELECT p.facility_id, p.location_quality, ST_X(p.geom), ST_Y(p.geom) FROM place p "
        "JOIN dataset d ON d.current_import_id = p.import_id WHERE d.name = :dataset",
        dataset=dataset,
    )
    return {key: Placed(quality, round(x - EAST, 1), round(y - NORTH, 1)) for key, quality, x, y in found}


def loader(database: Database, folder: Path) -> Load:
    numbers = iter(range(100))

    def loaded(rows: list[Json] | Path, **options: Any) -> tuple[Report, dict[str, Placed]]:
        path = rows if isinstance(rows, Path) else write_csv(folder / "f.csv", rows)
        dataset = f"facilities.t{abs(hash(folder))}_{next(numbers)}"
        options.setdefault("rules", LENIENT)
        return load_facilities(database.writing, path, dataset=dataset, **options), placed(database, dataset)

    return loaded


def at(number: int, street: str | None, house_number: str | None = None, **columns: Any) -> Json:
    """Return a facility row without coordinates."""
    made = {"id": f"a{number}", "name": f"Treff {number}", "street": street, "house_number": house_number}
    return made | {"lon": None, "lat": None} | columns


def trigrams(word: str) -> set[str]:
    padded = f"  {word} "
    return {padded[i : i + 3] for i in range(len(padded) - 2)}


def likeness(one: str, other: str) -> float:
    """Return the trigram similarity as its definition says: shared trigrams over all."""
    return len(trigrams(one) & trigrams(other)) / len(trigrams(one) | trigrams(other))
