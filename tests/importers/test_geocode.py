"""Placing facilities by their address: hand-made lists in the tiny city."""

import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from address_help import Load, Placed, address, at, likeness, load_list, loader
from importer_help import (
    EAST,
    NORTH,
    Database,
    findings,
    load_city,
    offer,
    point,
    query,
    state,
    write_geojson,
)

from importers import geocode_findings, geocode_match
from importers.report import Finding, Report, Severity

ADDRESSES = [
    address("Sportplatzring", "71", 500, 500),
    address("Sportplatzring", "73", 520, 500),
    address("Sportplatzring", "75 a", 540, 500),
    address("Sportplatzring", "77-81", 560, 500),
    address("Lange Straße", "2", 100, 900),
    address("Lange Straße", "10-13", 120, 900),
    address("Lange Straße", "20", 140, 900),
    address("Lange Straße", "20a", 150, 900),
    # One name in two postcodes, far apart, exactly 100 m apart, and a little more.
    address("Hauptstraße", "5", 300, 300, "20001"),
    address("Hauptstraße", "5", 3300, 1500, "20002"),
    address("Hauptstraße", "7", 310, 300, "20001"),
    address("Hauptstraße", "9", 320, 300, "20001"),
    address("Hauptstraße", "9 a", 3310, 1500, "20002"),
    address("Doppelweg", "1", 100, 100, "20001"),
    address("Doppelweg", "1", 200, 100, "20002"),
    address("Doppelweg", "2", 100, 100, "20001"),
    address("Doppelweg", "2", 200.5, 100, "20002"),
    address("Straße 12", "1", 1100, 100),
    address("Straße 13", "1", 1200, 100),
    address("Birkenallee", "8", 700, 700),
    address("Birkenalleen", "9", 800, 800),
    address("Kirchweg", "3", 2500, 500, "20001", "Hamburg"),
    address("Kirchweg", "3", -5000, 500, "25421", "Pinneberg"),
    address("Ohneplz", "1", 900, 900, None, "Hamburg"),
    address("Teilweg", "1", 910, 910, None, "Hamburg-Mitte"),
    # Of 20 trigrams that these and the one with "qr" at its end have together 17 and 15 are shared.
    address("Abcdefghijklmnopq", "1", 920, 920),
    address("Abcdefghijklmno", "1", 3920, 920),
    address("Ohneort", "1", 950, 950, None, None),
]


@pytest.fixture(scope="module")
def town(new_database: Callable[[], Database], tmp_path_factory: pytest.TempPathFactory) -> Database:
    """The tiny city with the addresses; every test loads a dataset of its own."""
    made = new_database()
    folder = tmp_path_factory.mktemp("town")
    load_city(made.writing, folder)
    assert load_list(made.writing, folder, ADDRESSES).rows_rejected == 0
    return made


@pytest.fixture
def load(town: Database, tmp_path: Path) -> Load:
    """Load facilities; return the report and the places by facility id."""
    return loader(town, tmp_path)


def rejects(report: Report) -> dict[int | None, Finding]:
    return {finding.row: finding for finding in report.of(Severity.REJECT)}


UNSURE = "Die Koordinate fehlt, und die Adresse ist nicht sicher zu finden."
AMBIGUOUS = "Die Adresse ist nicht eindeutig."
NUMBERLESS = "Die Hausnummer fehlt; ohne sie ist der Ort nicht zu bestimmen."


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        # exact
        (("Sportplatzring", "71"), Placed(1, 500, 500)),
        (("SPORTPLATZ-RING", " 71 "), Placed(1, 500, 500)),
        (("Sportplatzring 71", None), Placed(1, 500, 500)),
        (("Sportplatzring", "75A"), Placed(1, 540, 500)),
        (("Sportplatzring", "77 – 81"), Placed(1, 560, 500)),
        (("Lange Str.", "2", "20001"), Placed(1, 100, 900)),
        (("Lange Str.", "2", "D-20001 Hamburg"), Placed(1, 100, 900)),
        (("Lange Straße", "20"), Placed(1, 140, 900)),
        (("Hauptstr.", "5", "20001"), Placed(1, 300, 300)),
        (("Hauptstr.", "5", "20002"), Placed(1, 3300, 1500)),
        (("Straße 12", "1"), Placed(1, 1100, 100)),
        # a list without postcodes, or without cities
        (("Ohneplz", "1", "20001", "Hamburg"), Placed(1, 900, 900)),
        (("Ohneort", "1", "20001", "Hamburg"), Placed(1, 950, 950)),
        # the city decides where no postcode does, and a part of it is the city
        (("Kirchweg", "3", None, "Hamburg"), Placed(1, 2500, 500)),
        (("Kirchweg", "3", None, "Hamburg-Altona"), Placed(1, 2500, 500)),
        (("Kirchweg", "3", "20001", "Altona"), Placed(1, 2500, 500)),
        (("Teilweg", "1", "20001", "Hamburg"), Placed(1, 910, 910)),
        # one and the same place in two postcodes, exactly 100 m apart
        (("Doppelweg", "1"), Placed(1, 100, 100)),
        # without the letter, with one, within a range
        (("Sportplatzring", "71 b"), Placed(0.9, 500, 500)),
        (("Sportplatzring", "71 und 73"), Placed(0.9, 500, 500)),
        (("Sportplatzring", "71 Haus 2"), Placed(0.9, 500, 500)),
        (("Sportplatzring", "75"), Placed(0.9, 540, 500)),
        (("Sportplatzring", "79"), Placed(0.9, 560, 500)),
        (("Sportplatzring", "81"), Placed(0.9, 560, 500)),
        (("Sportplatzring", "69-75"), Placed(0.9, 500, 500)),
        (("Sportplatzring", "73-75"), Placed(0.9, 520, 500)),
        (("Lange Straße", "11"), Placed(0.9, 120, 900)),
        (("Lange Straße", "20 b"), Placed(0.9, 140, 900)),
        # ... in the postcode asked for rather than the very number in another
        (("Hauptstraße", "9", "20002"), Placed(0.9, 3310, 1500)),
        (("Hauptstraße", "9", "20001"), Placed(1, 320, 300)),
        # another postcode, in the same city only once
        (("Sportplatzring", "71", "20009"), Placed(0.8, 500, 500)),
        (("Kirchweg", "3", "20009", "Hamburg"), Placed(0.8, 2500, 500)),
    ],
)  # fmt: skip
def test_addresses_that_are_found(load: Load, columns: tuple[str | None, ...], expected: Placed) -> None:
    street, number, postcode, city = (*columns, None, None)[:4]
    report, places = load([at(1, street, number, postcode=postcode, city=city)])
    assert places == {"a1": expected}
    assert report.counts["über die Adresse verortet"] == 1
    assert report.counts["über die Adresse verortet, davon genau"] == (expected.quality == 1)
    assert len(findings(report, "warning")) == (expected.quality is not None and expected.quality < 0.9)


@pytest.mark.parametrize(
    ("columns", "reason", "field"),
    [
        (("Hauptstraße", "5"), AMBIGUOUS, "street"),
        (("Hauptstraße", "5", "20009"), AMBIGUOUS, "street"),
        (("Hauptstraße", "5", None, "Hamburg"), AMBIGUOUS, "street"),
        (("Doppelweg", "2"), AMBIGUOUS, "street"),
        (("Kirchweg", "3"), AMBIGUOUS, "street"),
        (("Sportplatzring",), NUMBERLESS, "house_number"),
        (("Sportplatzring", "ohne"), NUMBERLESS, "house_number"),
        (("Sportplatzring", "123456"), NUMBERLESS, "house_number"),
        (("Gibtesnicht", "5"), UNSURE, "street"),
        (("Sportplatzring", "99"), UNSURE, "street"),
        (("Sportplatzring", "78"), UNSURE, "street"),  # the range 77-81 is one side of the street
        (("Sportplatzring", "75 b"), UNSURE, "street"),
        (("Straße 14", "1"), UNSURE, "street"),  # similar, but another figure
        (("Birkenalleex", "8"), UNSURE, "street"),  # two are alike
        (("Birkenallee", "9"), UNSURE, "street"),  # the street is known: no similar one has its number
        (("Kirchweg", "3", None, "Kiel"), UNSURE, "street"),
        (("Kirchweg", "3", "24103", "Kiel"), UNSURE, "street"),
        (("!!!", "5"), UNSURE, "street"),
        (("x" * 501, "5"), UNSURE, "street"),
    ],
)  # fmt: skip
def test_addresses_that_are_not(load: Load, columns: tuple[str | None, ...], reason: str, field: str) -> None:
    street, number, postcode, city = (*columns, None, None, None)[:4]
    report, places = load([offer(0), at(1, street, number, postcode=postcode, city=city)])
    assert set(places) == {"a0"}
    found = rejects(report)[3]
    assert (found.reason, found.field) == (reason, field)
    assert "Bitte" in found.advice
    assert report.rows_rejected == 1


def test_candidates_are_named(load: Load) -> None:
    report, _places = load([
        offer(0), at(1, "Hauptstraße", "5"), at(2, "Sportplatzring"), at(3, "Sportplatzring", "79 b", postcode="20001"),
        at(4, "Birkenalleex", "8"), at(5, "Gibtesnicht", "1"), at(6, "Doppelweg", "2", city="Hamburg"),
    ])  # fmt: skip
    advice = {row: finding.advice for row, finding in rejects(report).items()}
    assert advice[3] == (
        "Infrage kommen: Hauptstraße 5, 20001 Hamburg; Hauptstraße 5, 20002 Hamburg. "
        "Bitte die Postleitzahl oder die Koordinate ergänzen."
    )
    assert advice[4].startswith(
        "Infrage kommen: Sportplatzring 71, 20001 Hamburg; Sportplatzring 73, 20001 Hamburg; Sportplatzring 75 a,"
    )
    assert 5 not in advice, "79 b lies in the range 77-81"
    assert "Birkenallee 8, 20001 Hamburg; Birkenalleen 9, 20001 Hamburg" in advice[6]
    assert advice[7] == "Bitte die Adresse berichtigen oder die Koordinate ergänzen."
    assert "Doppelweg 2, 20001 Hamburg; Doppelweg 2, 20002 Hamburg" in advice[8]


def test_a_misspelt_street_is_found_if_one_is_clearly_the_likest(load: Load) -> None:
    report, places = load([at(1, "Sportplatzringg", "71"), at(2, "Sportplatzrin", "73", postcode="20001")])
    alike = likeness("sportplatzringg", "sportplatzring")
    assert places["a1"] == Placed(pytest.approx(0.9 * alike, abs=1e-5), 500, 500)
    assert places["a2"].x == 520
    (row, field, value, why), _second = findings(report, "warning")
    assert (row, field, why) == (2, "street", "Die Adresse passt nur ungefähr; bitte den Ort prüfen.")
    shown = f"{0.9 * alike:.2f}".replace(".", ",")
    assert value == f"Sportplatzringg 71 → Sportplatzring 71, 20001 Hamburg (Güte {shown})"
    _report, places = load([at(1, "Abcdefghijklmnopqr", "1")])
    assert places["a1"] == Placed(pytest.approx(0.9 * 0.85, abs=1e-5), 920, 920), "exactly 0.1 more than the second"
    report, places = load([offer(0), at(1, "Sportplatzringg", "71", postcode="20002")])
    assert set(places) == {"a0"}, "neither street nor postcode agree"


def test_rows_with_coordinates_keep_them(load: Load) -> None:
    rows = [
        offer(1, 2000, 800) | {"street": "Sportplatzring", "house_number": "71"},
        at(2, "Sportplatzring", "71"),
        offer(3, 500, 500) | {"street": "Sportplatzring", "house_number": "71"},
        at(4, "Sportplatzring", "71", lon="k. A.", lat="?"),
        at(5, "Sportplatzring", "71", lon=10.0),
        at(6, "Sportplatzring", "71", lon=".", lat="x"),
        at(7, None, "71"),
    ]
    report, places = load(rows)
    assert places == {
        "a1": Placed(None, 2000, 800), "a2": Placed(1, 500, 500), "a3": Placed(None, 500, 500),
        "a6": Placed(1, 500, 500),
    }  # fmt: skip
    assert {row: (f.reason, f.advice) for row, f in rejects(report).items()} == dict.fromkeys(
        (5, 6, 8), ("Die Koordinate fehlt oder ist keine Zahl.", "Bitte ergänzen.")
    )
    assert report.counts["über die Adresse verortet"] == 2


def test_coordinates_far_from_the_address_are_a_warning(load: Load) -> None:
    home = {"street": "Sportplatzring", "house_number": "71"}
    rows = [
        {"id": f"a{n}", "name": "x", "x": EAST + x, "y": NORTH + 500} | columns
        for n, (x, columns) in enumerate([
            (1500, home), (1501, home), (3500, home | {"postcode": "20009"}), (3500, home | {"house_number": "71 c"}),
            (3300, {"street": "Hauptstraße", "house_number": "5"}), (1900, {"street": "Hauptstraße 5"}),
        ])
    ]  # fmt: skip
    report, places = load(rows, crs="EPSG:25832")
    assert len(places) == 6
    assert findings(report, "warning") == [
        (3, "street", "Sportplatzring 71", "Koordinate und Adresse liegen 1001 m auseinander."),
        (7, "street", "Hauptstraße 5", "Koordinate und Adresse liegen 1612 m auseinander."),
    ]
    assert report.counts["Koordinate und Adresse über 1 km auseinander"] == 2


def test_offers_of_one_place(load: Load) -> None:
    rows = [
        at(1, "Sportplatzring", "71", facility_id="h"), offer(2, 700, 700, facility_id="h"),
        at(3, "Birkenallee", "8", facility_id="h"),
        at(4, "Sportplatzring", "71", facility_id="g"), at(5, "Sportplatzring", "71", facility_id="g"),
        at(6, "Sportplatzring", "73", facility_id="g"),
    ]  # fmt: skip
    report, places = load(rows)
    assert places == {"h": Placed(None, 700, 700), "g": Placed(1, 500, 500)}
    assert report.counts["Koordinate eines anderen Angebots derselben Einrichtung"] == 2
    assert [(row, why) for row, _field, _value, why in findings(report, "reject")] == [
        (7, "Die Zeile nennt für dieselbe Einrichtung einen anderen Ort als Zeile 5.")
    ]


def test_a_place_found_outside_is_outside(load: Load) -> None:
    rows = [
        offer(0),
        at(1, "Kirchweg", "3", postcode="25421"),
        at(2, "Kirchweg", "3", city="Pinneberg", category="hze"),
    ]
    report, places = load(rows)
    assert places["a2"] == Placed(1, -5000, 500)
    assert set(places) == {"a0", "a2"}
    assert rejects(report)[3].reason == "Der Ort liegt außerhalb, 5,0 km von West."


def test_features_without_geometry(load: Load, tmp_path: Path) -> None:
    home = {"street": "Sportplatzring", "house_number": "71"}
    shapes = [
        ({"id": "1", "name": "a"} | home, point(700, 700)), ({"id": "2", "name": "b"} | home, None),
        ({"id": "3", "name": "c"} | home | {"street": None}, None),
        ({"id": "4", "name": "d"} | home, {"type": "Point", "coordinates": []}),
    ]  # fmt: skip
    report, places = load(write_geojson(tmp_path / "f.geojson", shapes))
    assert places == {"1": Placed(None, 700, 700), "2": Placed(1, 500, 500), "4": Placed(1, 500, 500)}
    assert set(rejects(report)) == {3}


def test_without_addresses_the_coordinate_is_missing(database: Database, tmp_path: Path) -> None:
    load_city(database.writing, tmp_path)
    load = loader(database, tmp_path)
    report, places = load([offer(1), at(2, "Sportplatzring", "71"), at(3, None)])
    assert set(places) == {"a1"}
    assert {row: (f.reason, f.advice) for row, f in rejects(report).items()} == {
        3: ("Die Koordinate fehlt oder ist keine Zahl.",
            "Bitte ergänzen oder zuerst die Adressen der Stadt laden („import addresses“)."),
        4: ("Die Koordinate fehlt oder ist keine Zahl.", "Bitte ergänzen."),
    }  # fmt: skip
    assert not any("Adresse" in name for name in report.counts)


def test_several_lists_of_addresses_count_together(database: Database, tmp_path: Path) -> None:
    load_city(database.writing, tmp_path)
    load_list(database.writing, tmp_path, [address("Westweg", "1", 100, 100)], dataset="addresses.west")
    load_list(database.writing, tmp_path, [address("Ostweg", "1", 3000, 100), address("Westweg", "1", 101, 100)],
              dataset="addresses.ost")  # fmt: skip
    _report, places = loader(database, tmp_path)([at(1, "Westweg", "1"), at(2, "Ostweg", "1")])
    assert places == {"a1": Placed(1, 100, 100), "a2": Placed(1, 3000, 100)}


HOSTILE = [
    "'; DROP TABLE address; --", "<script>alert(1)</script>", "=HYPERLINK(\"http://x\")", "{{ 7*7 }} ${x} %s {0} %(a)s",
    "\\", "\\N", "NULL", "%%%", "Ж漢字🏠‍👩‍👧", "\u202eknilb\u202c", "a" * 10_000, "(((((", "[a-z]+$", ":imports",
    "''\"",
    "ﷺ" * 400, "1" * 400, "12" + "-12" * 200,
]  # fmt: skip


def test_hostile_addresses_are_text(town: Database, load: Load) -> None:
    rows = [at(n, text, "71") for n, text in enumerate(HOSTILE)]
    rows += [at(100 + n, "Sportplatzring", text) for n, text in enumerate(HOSTILE)]
    rows += [at(200 + n, "Sportplatzring", "71", postcode=text) for n, text in enumerate(HOSTILE)]
    rows += [at(300 + n, "Sportplatzring", "71", city=text) for n, text in enumerate(HOSTILE)]
    rows += [at(400 + n, text, None) for n, text in enumerate(HOSTILE)]
    report, places = load(rows)
    assert all(f"a{200 + n}" in places for n in range(len(HOSTILE))), "what is no postcode says nothing"
    assert all(place.quality is not None for place in places.values())
    assert report.rows_rejected + len(places) == report.rows_read
    assert query(town.writing, "SELECT count(*) > 0 FROM address") == [(True,)]
    assert "\n" not in "".join(finding.reason + finding.advice for finding in report.findings)


def test_many_misses_stay_bounded(load: Load) -> None:
    report, _places = load([offer(0), *(at(n, f"Nirgendweg {chr(97 + n % 26)}", "71") for n in range(1, 2501))])
    assert report.rows_rejected == 2500
    assert len(report.findings) == 1000


def test_no_address_leaves_the_machine(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object, **_options: object) -> None:
        raise AssertionError("a connection was opened")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    _report, places = load([at(1, "Sportplatzring", "71"), at(2, "Sportplatzringg", "73")])
    assert len(places) == 2


@pytest.mark.parametrize(
    ("module", "step"),
    [(geocode_match, "match_roughly"), (geocode_match, "take_best"), (geocode_findings, "reject_others")],
)
def test_an_import_stopped_while_placing_changes_nothing(
    town: Database, load: Load, monkeypatch: pytest.MonkeyPatch, module: object, step: str
) -> None:
    def fail(*_arguments: object) -> None:
        raise KeyboardInterrupt

    before = state(town.writing)
    with monkeypatch.context() as patch:
        patch.setattr(module, step, fail)
        with pytest.raises(KeyboardInterrupt):
            load([at(1, "Sportplatzring", "71")])
    assert state(town.writing) == before
