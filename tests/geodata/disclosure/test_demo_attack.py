"""What a provider can work out of the demo city's placements, with every answer of the API to a quarter in hand.

The attacker's equations come from the borders and parents that the API itself publishes, put together here: nothing is
taken from the module that chose what to suppress.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import geopandas
import numpy as np
import pytest
from disclosure_attack import Attack, Name
from service_help import client_of, rows_of
from sqlalchemy import text
from starlette.testclient import TestClient

from geodata.database import Access, reading
from geodata.figure_tables import PROVIDER_STATES
from geodata.viewer import Role, Viewer

if TYPE_CHECKING:
    from conftest import Database

ORIGIN = ("Hamburg", "außerhalb", "ohne Angabe")
AWAY = tuple(state for state in PROVIDER_STATES if state not in {"Hamburg", "ohne Angabe"})
SHEETS = (("zustaendig", "land", PROVIDER_STATES), ("zustaendig", "bezirk", PROVIDER_STATES),
          ("herkunft", "stadtteil", ORIGIN), ("herkunft", "sozialraum", ORIGIN))  # fmt: skip
SLIVER = 0.01


@pytest.fixture(scope="module")
def client(demo_database: "Database") -> Iterator[TestClient]:
    with client_of(demo_database.serving, Viewer(Role.PROVIDER, provider_key="t1")) as made:
        yield made


def newest(demo_database: "Database") -> list[tuple[str, str]]:
    with reading(demo_database.serving) as session:
        found = session.execute(
            text("SELECT DISTINCT period, counting FROM placement_sheet_visible WHERE published ORDER BY 1 DESC, 2")
        )
        return [(row.period, row.counting) for row in found]


def answers(client: TestClient, period: str, counting: str) -> dict[Name, float]:
    """Return what the answers print, NaN for what they suppress, as (role, level, area, category)."""
    held: dict[Name, float] = {}
    for role, level, categories in SHEETS:
        asked = {"level": level, "period": period, "counting": counting, "area_role": role, "limit": "100000"}
        for row in rows_of(client, "/placements", **asked):
            where = (role, level, row["area_key"])
            printed: dict[str, Any] = {"gesamt": row["cases"], "außerhalb": row["outside_cases"],
                                       "ohne Angabe": row["unknown_cases"]}  # fmt: skip
            if role == "zustaendig":
                printed |= {state: row["by_state"].get(state, 0) for state in categories}
            else:
                # Hamburg is not printed by origin; whoever has the share and the number outside has it too.
                known, share = row["outside_cases"], row["outside_share"]
                whole = None if row["cases"] is None or row["unknown_cases"] is None else row["cases"]
                printed["Hamburg"] = None
                if known is not None and share:
                    printed["Hamburg"] = known / share - known
                elif known is not None and whole is not None:
                    printed["Hamburg"] = whole - known - row["unknown_cases"]
            held |= {(*where, name): np.nan if value is None else float(value) for name, value in printed.items()}
    return held


def truth(demo_database: "Database", period: str, counting: str, names: dict[Name, float]) -> dict[Name, float]:
    with reading(demo_database.serving, Access(Viewer(Role.ADMIN))) as session:
        found = session.execute(
            text("""
                SELECT area_role, level, area_key, category, value FROM placement_visible
                WHERE period = :period AND counting = :counting
            """),
            {"period": period, "counting": counting},
        )
        counts = {tuple(row)[:4]: float(row.value) for row in found}
    return {name: counts.get(name, 0.0) for name in names}


def borders(client: TestClient, level: str) -> geopandas.GeoDataFrame:
    answer = client.get("/api/v1/areas", params={"level": level, "format": "geojson", "limit": "100000"})
    return geopandas.GeoDataFrame.from_features(answer.json()["features"], crs=4326).to_crs(25832)


def equations(client: TestClient, held: dict[Name, float]) -> tuple[list[tuple[list[Name], list[Name]]], set[Name]]:
    """Return everything that the layout of the tables says: categories, groups, levels, and shared ground."""
    made: list[tuple[list[Name], list[Name]]] = []
    areas = {
        (role, level): sorted({name[2] for name in held if name[:2] == (role, level)}) for role, level, _c in SHEETS
    }
    for role, level, categories in SHEETS:
        for area in areas[role, level]:
            made.append(([(role, level, area, one) for one in categories], [(role, level, area, "gesamt")]))
            if role == "zustaendig":
                made.append(([(role, level, area, one) for one in AWAY], [(role, level, area, "außerhalb")]))
    for category in (*PROVIDER_STATES, "außerhalb", "gesamt"):
        parts: list[Name] = [("zustaendig", "bezirk", one, category) for one in areas["zustaendig", "bezirk"]]
        made += [(parts, [("zustaendig", "land", one, category)]) for one in areas["zustaendig", "land"]]
    ones, others = borders(client, "sozialraum"), borders(client, "stadtteil")
    shared = geopandas.overlay(ones[["area_key", "geometry"]], others[["area_key", "geometry"]], keep_geom_type=True)
    sizes = (ones.set_index("area_key").area, others.set_index("area_key").area)
    pairs = [
        (one, other) for one, other, size in zip(shared.area_key_1, shared.area_key_2, shared.area, strict=True)
        if size >= SLIVER * min(sizes[0][one], sizes[1][other])
    ]  # fmt: skip
    pieces: set[Name] = set()
    for category in ORIGIN:
        for level, side in (("sozialraum", 0), ("stadtteil", 1)):
            for area in areas["herkunft", level]:
                inside: list[Name] = [("piece", *pair, category) for pair in pairs if pair[side] == area]
                # What lies in no area may lie anywhere: nothing is known of its pieces.
                if inside:
                    pieces |= set(inside)
                    made.append((inside, [("herkunft", level, area, category)]))
        # All young people have a Stadtteil and a Sozialraum, or none of either.
        of_level: dict[str, list[Name]] = {
            level: [("herkunft", level, one, category) for one in areas["herkunft", level]]
            for level in ("stadtteil", "sozialraum")
        }
        made.append((of_level["stadtteil"], of_level["sozialraum"]))
    return made, pieces


def test_a_provider_bounds_no_suppressed_count_of_the_demo_city(client: TestClient, demo_database: "Database") -> None:
    attacked = 0
    for period, counting in newest(demo_database)[:2]:
        held = answers(client, period, counting)
        true = truth(demo_database, period, counting, held)
        small = [name for name, value in true.items() if 0 < value < 3]
        assert small
        assert all(np.isnan(held[name]) for name in small)
        assert all(np.isnan(value) or value == pytest.approx(true[name]) for name, value in held.items())
        known, pieces = equations(client, held)
        attack = Attack({**held, **dict.fromkeys(pieces, np.nan)}, known)
        assert attack.too_tight([([name], 1.0, 3.0) for name in small]) == []
        attacked += len(small)
    assert attacked > 100
