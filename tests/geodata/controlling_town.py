"""A city of two Bezirke with two Stadtteile each, and figures of helps by hand, for the tests of controlling."""

from collections.abc import Iterator
from contextlib import contextmanager

from hand_rows import Rows, rows_in
from sqlalchemy import Engine, text

from geodata.periods import parse_period
from geodata.viewer import Role, Viewer

ADMIN = Viewer(Role.ADMIN)
PLANNER = Viewer(Role.PLANNER, office_areas=(("bezirk", "1"),))
HELPS = "statistics.hilfen"


class Town:
    """Writes figures; every dataset says how it counts."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.versions: dict[str, int] = {}

    def areas(self) -> None:
        """Make the land L, Bezirke 1 and 2, and Stadtteile 11, 12, 21, 22."""
        inside = {"land": [("L", None)], "bezirk": [("1", "L"), ("2", "L")],
                  "stadtteil": [("11", "1"), ("12", "1"), ("21", "2"), ("22", "2")]}  # fmt: skip
        above = {"land": None, "bezirk": "land", "stadtteil": "bezirk"}
        for level, areas in inside.items():
            parent_level = above[level]
            self.rows.level(level, parent_level)
            version = self.rows.version(f"areas.{level}", "areas")
            for key, parent in areas:
                self.rows.area(version, level, key, None, (parent_level, parent) if parent_level and parent else None)

    def dataset(self, name: str, counting: str | None = "stichtag", unit: str | None = "hilfen") -> None:
        self.versions[name] = self.rows.version(name, "statistics")
        self.rows.session.execute(
            text("UPDATE import_run SET counting = :counting, unit = :unit WHERE id = :id"),
            {"counting": counting, "unit": unit, "id": self.versions[name]},
        )

    def figure(
        self, dataset: str, area: str, indicator: str, position: str, period: str, value: float | None,
        flag: str | None = None, scenario: str = "ist",
    ) -> None:  # fmt: skip
        """Write an observation; the area's level is told by its key."""
        level = {"L": "land"}.get(area, "bezirk" if len(area) == 1 else "stadtteil")
        when = parse_period(period)
        self.rows.insert(
            "observation", import_id=self.versions[dataset], level=level, area_key=area, indicator=indicator,
            position=position, period=period, scenario=scenario, value=value,
            flag=flag or ("missing" if value is None else "ok"), starts=when.starts, ends=when.ends,
        )  # fmt: skip

    def without_area(self, dataset: str, indicator: str, position: str, period: str, value: float) -> None:
        """Write what belongs to no Bezirk."""
        when = parse_period(period)
        self.rows.insert(
            "observation", import_id=self.versions[dataset], level="bezirk", area_key="ohne", indicator=indicator,
            position=position, period=period, value=value, flag="ok", starts=when.starts, ends=when.ends,
        )  # fmt: skip

    def catalogue(self, name: str, groups: dict[str, list[str]]) -> None:
        """Write a catalogue: Hilfearten with the groups each belongs to."""
        version = self.rows.version(name, "catalogue")
        for code, of in groups.items():
            self.rows.insert("help_type", import_id=version, code=code, title=f"Hilfe {code}", groups=of)
        for group in sorted({group for of in groups.values() for group in of}):
            self.rows.insert("help_group", import_id=version, code=group, title=f"Gruppe {group}")


@contextmanager
def town(engine: Engine) -> Iterator[Town]:
    """One writing transaction in an empty database, the areas already made."""
    with rows_in(engine) as rows:
        made = Town(rows)
        made.areas()
        yield made
