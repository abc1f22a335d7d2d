"""Rows made by hand: a little city on a grid, and places in it, written as the importers' group would."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from geodata.database import writing
from geodata.derive import link_facilities

TODAY = dt.date(2026, 6, 1)
DAY = dt.timedelta(days=1)
X0, Y0 = 565_000, 5_935_000  # the city's south-west corner (EPSG:25832), in Hamburg
FACILITIES = "facilities.hand"
LEVELS = (("bezirk", None), ("stadtteil", "bezirk"), ("statgebiet", "stadtteil"), ("sozialraum", None))


def square(west: float, south: float, east: float, north: float) -> str:
    """A rectangle as EWKT, in metres from the city's corner."""
    w, s, e, n = X0 + west, Y0 + south, X0 + east, Y0 + north
    return f"SRID=25832;MULTIPOLYGON((({w} {s},{e} {s},{e} {n},{w} {n},{w} {s})))"


def point(x: float, y: float) -> str:
    return f"SRID=25832;POINT({X0 + x} {Y0 + y})"


class Rows:
    """Writes rows in one session; unnamed columns take plain values."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def insert(self, table: str, **values: Any) -> None:
        columns = ", ".join(f'"{name}"' for name in values)
        given = ", ".join(f":{name}" for name in values)
        self.session.execute(text(f"INSERT INTO {table} ({columns}) VALUES ({given})"), values)

    def version(self, dataset: str, kind: str, *, publish: bool = True) -> int:
        """A new version of a dataset, the visible one unless it is only prepared."""
        self.session.execute(
            text("INSERT INTO dataset (name, kind) VALUES (:name, :kind) ON CONFLICT DO NOTHING"),
            {"name": dataset, "kind": kind},
        )
        import_id: int = self.session.execute(
            text("""
                INSERT INTO import_run (dataset_id, source, checksum, title, rows_read, rows_loaded,
                                        rows_rejected, report)
                SELECT id, 'by hand', '', name, 0, 0, 0, '{}' FROM dataset WHERE name = :name RETURNING id
            """),
            {"name": dataset},
        ).scalar_one()
        if publish:
            self.publish(dataset, import_id)
        return import_id

    def publish(self, dataset: str, import_id: int) -> None:
        self.session.execute(
            text(
                "UPDATE dataset SET previous_import_id = current_import_id, current_import_id = :id WHERE name = :name"
            ),
            {"id": import_id, "name": dataset},
        )

    def dataset_id(self, dataset: str) -> int:
        found: int = self.session.execute(
            text("SELECT id FROM dataset WHERE name = :name"), {"name": dataset}
        ).scalar_one()
        return found

    def level(self, level: str, parent: str | None = None) -> None:
        self.insert("level", level=level, title=level.title(), parent_level=parent)

    def area(
        self, import_id: int, level: str, key: str, geom: str | None, parent: tuple[str, str] | None = None
    ) -> None:
        self.session.execute(
            text("""
                INSERT INTO area_registry (level, key, dataset_id)
                SELECT :level, :key, dataset_id FROM import_run WHERE id = :id ON CONFLICT DO NOTHING
            """),
            {"level": level, "key": key, "id": import_id},
        )
        parent_level, parent_key = parent or (None, None)
        self.insert(
            "area",
            import_id=import_id,
            level=level,
            key=key,
            name=f"{level} {key}",
            parent_level=parent_level,
            parent_key=parent_key,
            geom=geom,
        )

    def place(self, import_id: int, facility_id: str, at: tuple[float, float] | None, **values: Any) -> None:
        given: dict[str, Any] = {
            "name": f"Haus {facility_id}",
            "provider": "Träger eins",
            "provider_key": "t1",
            "street": "Geheimweg",
            "house_number": "7",
            "postcode": "20095",
            "city": "Hamburg",
            "phone": "040 1",
            "email": "a@example.org",
            "website": "https://example.org/",
        }
        given |= values
        self.insert("place", import_id=import_id, facility_id=facility_id, geom=at and point(*at), **given)

    def offer(self, import_id: int, facility_id: str, offer_id: str, release: str = "public", **values: Any) -> None:
        given: dict[str, Any] = {"name": f"Angebot {offer_id}", "category": "okja"} | values
        self.insert("offer", import_id=import_id, facility_id=facility_id, offer_id=offer_id, release=release, **given)

    def house(
        self, import_id: int, facility_id: str, at: tuple[float, float] | None, release: str = "public", **offer: Any
    ) -> None:
        """A place with one offer of the same id."""
        self.place(import_id, facility_id, at)
        self.offer(import_id, facility_id, facility_id, release, **offer)

    def city(self) -> None:
        """Make two Bezirke of two Stadtteile of two Statistische Gebiete, and two crossing Sozialräume.

        Bezirk 1 is x 0-2000, Bezirk 2 is 2000-4000, y is 0-2000; a Stadtteil is 1000 wide, its Gebiete lie south
        and north. Sozialraum S1 is x 500-1500, S2 is 2500-3500: the rest of the city is in none.
        """
        for level, parent in LEVELS:
            self.level(level, parent)
        ids = {level: self.version(f"areas.{level}", "areas") for level, _ in LEVELS}
        for b in (1, 2):
            west = 2000 * (b - 1)
            self.area(ids["bezirk"], "bezirk", f"{b}", square(west, 0, west + 2000, 2000))
            for s in (1, 2):
                left, key = west + 1000 * (s - 1), f"{b}{s}"
                self.area(ids["stadtteil"], "stadtteil", key, square(left, 0, left + 1000, 2000), ("bezirk", f"{b}"))
                for g in (1, 2):
                    low = 1000 * (g - 1)
                    self.area(
                        ids["statgebiet"],
                        "statgebiet",
                        f"{key}{g}",
                        square(left, low, left + 1000, low + 1000),
                        ("stadtteil", key),
                    )
        self.area(ids["sozialraum"], "sozialraum", "S1", square(500, 0, 1500, 2000))
        self.area(ids["sozialraum"], "sozialraum", "S2", square(2500, 0, 3500, 2000))
        for key in ("t1", "t2"):
            self.insert("provider", key=key, name=f"Träger {key}")

    def link(self) -> int:
        return link_facilities(self.session)


@contextmanager
def rows_in(engine: Engine) -> Iterator[Rows]:
    """One writing transaction of the importers' group."""
    with writing(engine) as session:
        yield Rows(session)
