"""The search: streets and addresses in any spelling, areas, places; and what the viewer may not know stays unknown."""

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np
import pytest
from address_help import address, load_list
from hand_rows import FACILITIES, TODAY, X0, Y0, rows_in
from importer_help import EAST, NORTH

from geodata.database import Access, reading
from geodata.errors import ParameterError
from geodata.facilities import FacilitiesRequest, facilities
from geodata.geometry import lonlat
from geodata.search import SearchRequest, SearchRow, search
from geodata.viewer import PUBLIC, Role, Viewer

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Database

HOSTILE = "%_'; DROP TABLE address;--"


@pytest.fixture(scope="module")
def town(new_database: "Callable[[], Database]", tmp_path_factory: pytest.TempPathFactory) -> "Database":
    made = new_database()
    with rows_in(made.writing) as rows:
        rows.city()
        version = rows.version(FACILITIES, "facilities")
        for key, x, release in (
            ("am Deich", 600, "public"), ("Deichkinder", 700, "public"), ("in Ruhe", 800, "area_only"),
            ("zum Schutz", 900, "protected"),
        ):  # fmt: skip
            rows.house(version, key, (x, 300), release)
        rows.place(version, "spelt", (650, 350), name="Kita St. Pauli", street="Hauptstr.", house_number="5")
        rows.offer(version, "spelt", "krabbel", name="Krabbelgruppe", type="Eltern-Kind-Gruppe")
        rows.offer(version, "spelt", "ended", name="Nachtcafé", valid_to=TODAY - dt.timedelta(days=1))
        rows.link()
    load_list(
        made.writing,
        tmp_path_factory.mktemp("adressen"),
        [
            address("Große Bergstraße", "12", 100, 100),
            address("Große Bergstraße", "12a", 120, 100),
            address("Große Bergstraße", "112", 900, 100),
            address("Große Bergstraße", "3", 140, 140, postcode="21073", city="Nachbarstadt"),
            address("Bergstieg", "12", 300, 300),
            address("St.-Georgs-Kirchhof", "1", 400, 400),
            address("Straße des 17. Juni", "135", 500, 500),
            address("Straße des Friedens", "17", 520, 500),
            address("Langer Weg", "12-14", 600, 600),
            address("Langer Weg", "120", 640, 600),
            address("Langer Weg", "8 Haus 3", 660, 600),
        ],
    )
    return made


def found(database: "Database", q: str, viewer: Viewer = PUBLIC, limit: int = 10) -> list[SearchRow]:
    with reading(database.serving, Access(viewer)) as session:
        return search(session, SearchRequest(q, TODAY, limit)).rows


def titles(rows: list[SearchRow], kind: str) -> list[str]:
    return [row.title for row in rows if row.kind == kind]


@pytest.mark.parametrize(
    "q", ["Große Bergstraße", "grosse bergstr.", "GR. BERGSTR", "Grosse Berg-Strasse", "große berg"]
)
def test_a_street_is_found_as_it_is_meant(town: "Database", q: str) -> None:
    rows = [row for row in found(town, q) if row.kind == "street"]
    assert [(row.title, row.detail) for row in rows] == [
        ("Große Bergstraße", "Hamburg"), ("Große Bergstraße", "Nachbarstadt"),
    ]  # fmt: skip
    # Where to look is the middle of its addresses.
    expected = lonlat(np.array([[EAST + (100 + 120 + 900) / 3, NORTH + 100]]))[0]
    assert (rows[0].lon, rows[0].lat) == pytest.approx(tuple(expected), abs=2e-6)


@pytest.mark.parametrize("q", ["Große Bergstr. 12", "Gr. Bergstraße 12", "Grosse Bergstraße, 12"])
def test_a_number_asks_for_the_address(town: "Database", q: str) -> None:
    rows = found(town, q)
    assert titles(rows, "address") == ["Große Bergstraße 12", "Große Bergstraße 12a"]
    assert titles(rows, "street") == []
    assert rows[0].detail == "20001 Hamburg"
    expected = lonlat(np.array([[EAST + 100.0, NORTH + 100]]))[0]
    assert (rows[0].lon, rows[0].lat) == pytest.approx(tuple(expected), abs=2e-6)


@pytest.mark.parametrize(("q", "said"), [
    ("Große Bergstraße 12, 22767 Hamburg", ["Große Bergstraße 12", "Große Bergstraße 12a"]),
    ("Große Bergstr. 12 Hamburg", ["Große Bergstraße 12", "Große Bergstraße 12a"]),
    ("22767 Große Bergstr. 12", ["Große Bergstraße 12", "Große Bergstraße 12a"]),
    ("22767 Gr. Bergstr. 12a, Hamburg", ["Große Bergstraße 12a"]),
    ("Große Bergstraße 12 Altona", ["Große Bergstraße 12", "Große Bergstraße 12a"]),
    ("Große Bergstraße 3, 21073 Nachbarstadt", ["Große Bergstraße 3"]),
    ("Straße des 17. Juni 135", ["Straße des 17. Juni 135"]),
    ("Straße des 17. Juni 135, 10623 Berlin", ["Straße des 17. Juni 135"]),
    ("Langer Weg 12", ["Langer Weg 12-14"]),
    ("Langer Weg 8 Haus 3", ["Langer Weg 8 Haus 3"]),
    ("Langer Weg 8", ["Langer Weg 8 Haus 3"]),
])  # fmt: skip
def test_an_address_is_found_as_people_write_it(town: "Database", q: str, said: list[str]) -> None:
    rows = found(town, q)
    assert titles(rows, "address") == said
    assert not said or titles(rows, "street") == []


@pytest.mark.parametrize(("q", "said"), [
    ("Große Bergstraße 999", "Große Bergstraße"), ("Gr. Bergstr. 999, 22767 Hamburg", "Große Bergstraße"),
    ("22767 Große Bergstraße", "Große Bergstraße"), ("Große Bergstraße, 22767 Hamburg", "Große Bergstraße"),
    ("Große Bergstraße, Hamburg", "Große Bergstraße"), ("Große Bergstraße Hamburg", "Große Bergstraße"),
    ("Straße des 17. Juni", "Straße des 17. Juni"), ("Straße des 17 Juni", "Straße des 17. Juni"),
    ("Straße des 17. Juni 1", "Straße des 17. Juni"), ("Langer Weg 9", "Langer Weg"),
])  # fmt: skip
def test_without_the_address_there_is_the_street(town: "Database", q: str, said: str) -> None:
    rows = found(town, q)
    assert titles(rows, "street")[:1] == [said]
    assert titles(rows, "address") == []


@pytest.mark.parametrize("q", [
    "Kita St.Pauli", "KITA SANKT PAULI", "kita st pauli", "Hauptstr. 5", "hauptstrasse 5",
    "Hauptstraße 5, 20095 Hamburg", "krabbel gruppe", "eltern kind", "ElternKindGruppe", "Träger eins",
])  # fmt: skip
def test_places_are_found_in_any_spelling(town: "Database", q: str) -> None:
    assert "Kita St. Pauli" in titles(found(town, q), "place")
    with reading(town.serving) as session:
        listed = facilities(session, FacilitiesRequest(TODAY, q=q)).rows
    assert "spelt" in {row.facility_id for row in listed}


@pytest.mark.parametrize("q", ["Nachtcafé", "%", "!!", "5 Hauptstr", "Apauli", ".*", "Kita|Haus", "(", "Kit[a]x"])
def test_what_does_not_fit_is_not_found(town: "Database", q: str) -> None:
    with reading(town.serving) as session:
        assert facilities(session, FacilitiesRequest(TODAY, q=q)).rows == []


def test_saint_and_short_texts(town: "Database") -> None:
    assert titles(found(town, "Sankt Georgs"), "street") == ["St.-Georgs-Kirchhof"]
    # Two letters would look at every street; areas are found all the same.
    assert titles(found(town, "be"), "street") == []
    assert titles(found(town, "be"), "area") == ["bezirk 1", "bezirk 2"]
    # What begins with the text stands before what only contains it.
    assert titles(found(town, "bergst"), "street") == ["Bergstieg", "Große Bergstraße", "Große Bergstraße"]
    for q in ("a", " - ", "%%%", ""):
        with pytest.raises(ParameterError):
            found(town, q)


def test_areas_come_with_their_box(town: "Database") -> None:
    (row,) = [row for row in found(town, "Bezirk 2") if row.kind == "area"]
    assert (row.area_level, row.area_key, row.title) == ("bezirk", "2", "bezirk 2")
    assert row.west is not None
    assert row.east is not None
    assert row.lon is not None
    assert row.west < row.lon < row.east
    corners = lonlat(np.array([[X0 + 2000.0, Y0], [X0 + 4000, Y0 + 2000]]))
    assert (row.west, row.south) == pytest.approx(tuple(corners[0]), abs=1e-3)
    assert (row.east, row.north) == pytest.approx(tuple(corners[1]), abs=1e-3)


def test_places_are_those_the_viewer_may_see(town: "Database") -> None:
    assert set(titles(found(town, "haus"), "place")) == {"Haus am Deich", "Haus Deichkinder", "Haus in Ruhe"}
    (quiet,) = found(town, "in ruhe")
    assert (quiet.lon, quiet.lat) == (None, None), "a place shown by its area only has no point"
    assert "Haus zum Schutz" in titles(found(town, "haus", Viewer(Role.ADMIN)), "place")
    assert titles(found(town, "zum schutz"), "place") == []


def test_hostile_texts_are_texts(town: "Database") -> None:
    for q in (HOSTILE, "haus%x", "ha_sx", "\\", "x" * 199, "\u202exy", "' OR 1=1"):
        try:
            rows = found(town, q)
        except ParameterError:
            continue
        assert titles(rows, "place") == [], q


def test_no_more_than_asked_for(town: "Database") -> None:
    rows = found(town, "st", limit=3)
    assert len(rows) == 3
