"""What a file would change, asked inside the rehearsal: against a comparison by hand, and without any trace."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from importer_help import (
    STADTTEILE,
    Database,
    Json,
    box,
    data_version,
    load_areas,
    load_city,
    load_facilities,
    offer,
    query,
    rules,
    state,
    write_csv,
    write_geojson,
)
from shapely.geometry import shape

from geodata.version_preview import MOST_LISTED, Fate, Preview, preview
from importers.errors import RefusedError
from importers.load import Job, Limit, Rules

Rows = list[Json]


@pytest.fixture
def city(database: Database, tmp_path: Path) -> Database:
    load_city(database.writing, tmp_path)
    return database


def inspecting(look: Callable[[Job], None], **more: Any) -> Rules:
    return Rules(Limit(share=0.5), Limit(share=1.0), dry_run=True, inspect=look, **more)


def rehearsed(database: Database, folder: Path, rows: Rows, **options: Any) -> list[Preview]:
    """Rehearse a list of facilities and return what it would change; nothing may be changed by that."""
    seen: list[Preview] = []
    before = state(database.writing)
    load_facilities(
        database.writing,
        write_csv(folder / "liste.csv", rows),  # type: ignore[arg-type]
        rules=inspecting(lambda job: seen.append(preview(job.session, job.report.dataset))),
        **options,
    )
    assert state(database.writing) == before
    return seen


def load(database: Database, folder: Path, rows: Rows) -> None:
    load_facilities(database.writing, write_csv(folder / "liste.csv", rows), rules=rules("50%", "100%"))  # type: ignore[arg-type]


def fates(found: Preview, title: str) -> dict[str, int]:
    (counts,) = [one for one in found.counts if one.title == title]
    return {fate.value: number for fate, number in counts.fates.items()} | {"same": counts.same}


def test_the_first_version_is_all_new(city: Database, tmp_path: Path) -> None:
    (found,) = rehearsed(city, tmp_path, [offer(1), offer(2, 700)])
    assert (found.dataset, found.kind, found.first) == ("facilities.okja", "facilities", True)
    assert found.notes == {}
    assert fates(found, "Einrichtungen") == {"added": 2, "moved": 0, "changed": 0, "removed": 0, "same": 0}
    assert [(one.fate, one.name) for one in found.differences] == [(Fate.ADDED, "Treff 1"), (Fate.ADDED, "Treff 2")]
    assert [one.geometry["type"] for one in found.shapes] == ["Point", "Point"]
    assert found.data_version == data_version(city.writing)


def test_each_fate_with_its_words_and_shapes(city: Database, tmp_path: Path) -> None:
    load(city, tmp_path, [offer(1), offer(2, 700), offer(3, 900), offer(4, 1100), offer(5, 1300)])
    (found,) = rehearsed(
        city,
        tmp_path,
        [offer(1), offer(2, 700.4), offer(3, 1000), offer(4, 1100, name="Haus", provider="Verein"), offer(6, 1500)],
    )
    assert fates(found, "Einrichtungen") == {"added": 1, "moved": 1, "changed": 2, "removed": 1, "same": 1}
    assert fates(found, "Angebote") == {"added": 1, "moved": 0, "changed": 1, "removed": 1, "same": 3}
    told = [(one.fate, one.title, one.name) for one in found.differences]
    assert told == [
        (Fate.REMOVED, "Einrichtungen", "Treff 5"),
        (Fate.MOVED, "Einrichtungen", "Treff 3"),
        (Fate.CHANGED, "Angebote", "Haus"),
        (Fate.CHANGED, "Einrichtungen", "Haus"),
        (Fate.CHANGED, "Einrichtungen", "Treff 2"),
        (Fate.ADDED, "Einrichtungen", "Treff 6"),
    ], "what goes first, what is new last, and the offers of new and gone places not again"
    by_name = {one.name: one for one in found.differences if one.title == "Einrichtungen"}
    assert by_name["Treff 3"].moved_m == pytest.approx(100, abs=0.1)
    assert by_name["Haus"].fields["provider"] == (None, "Verein")
    assert by_name["Treff 2"].moved_m is None, "less than a metre is rounding"
    shapes = {one.name: one for one in found.shapes}
    assert set(shapes) == {"Treff 5", "Treff 3", "Haus", "Treff 2", "Treff 6"}
    west, east = (part["coordinates"][0] for part in (shapes["Treff 3"].before or {}, shapes["Treff 3"].geometry))
    assert west < east, "it moved eastwards"
    assert all(one.before is None for one in found.shapes if one.fate is not Fate.MOVED)


def test_an_offer_of_a_place_that_stays_is_told(city: Database, tmp_path: Path) -> None:
    load(city, tmp_path, [offer(1, facility_id="haus"), offer(2, facility_id="haus")])
    (found,) = rehearsed(city, tmp_path, [offer(1, facility_id="haus"), offer(3, facility_id="haus")])
    assert [(one.fate, one.title, one.name) for one in found.differences] == [
        (Fate.REMOVED, "Angebote", "Treff 2 (Treff 1)"),
        (Fate.ADDED, "Angebote", "Treff 3 (Treff 1)"),
    ]
    assert found.shapes == []


def test_against_a_comparison_by_hand(city: Database, tmp_path: Path) -> None:
    chance = random.Random(4)  # noqa: S311
    old: dict[str, tuple[float, str]] = {f"a{n}": (10.0 * n + 5, f"Treff {n}") for n in range(1, 81)}
    new = dict(old)
    expected = dict.fromkeys(("added", "moved", "changed", "removed", "same"), 0)
    for key in list(old):
        fate = chance.choice(["same", "moved", "changed", "removed"])
        expected[fate] += 1
        x, name = old[key]
        if fate == "removed":
            del new[key]
        elif fate != "same":
            new[key] = (x + chance.uniform(1.5, 40), name) if fate == "moved" else (x, f"{name} neu")
    for number in range(100, 130):
        new[f"a{number}"] = (10.0 * number, "Neu")
        expected["added"] += 1

    def listed(rows: dict[str, tuple[float, str]]) -> Rows:
        return [offer(key.removeprefix("a"), x, 500, name=name) for key, (x, name) in rows.items()]

    load(city, tmp_path, listed(old))
    (found,) = rehearsed(city, tmp_path, listed(new))
    assert fates(found, "Einrichtungen") == expected
    assert len(found.shapes) == sum(expected.values()) - expected["same"]
    for one in found.differences:
        if one.fate is Fate.MOVED:
            assert one.moved_m == pytest.approx(new[one.key][0] - old[one.key][0], abs=0.2)
    # Nothing of it has happened; done in earnest, it is what was foretold.
    load(city, tmp_path, listed(new))
    stored = query(city.writing, "SELECT facility_id FROM place JOIN dataset ON import_id = current_import_id")
    assert {key for (key,) in stored} == set(new)


def test_borders_are_compared_as_areas(city: Database, tmp_path: Path) -> None:
    changed = [*STADTTEILE[:2], ({"id": "02201", "name": "Oststadt"}, box(2000, 0, 1000, 1900)),
               ({"id": "02203", "name": "Neuland"}, box(3000, 0, 1000, 2000))]  # fmt: skip
    seen: list[Preview] = []
    load_areas(
        city.writing, write_geojson(tmp_path / "neu.geojson", changed), "stadtteil", parent_level="bezirk",
        rules=inspecting(lambda job: seen.append(preview(job.session, "areas.stadtteil")), allow_orphans=True),
    )  # fmt: skip
    (found,) = seen
    assert fates(found, "Gebiete")["removed"] == fates(found, "Gebiete")["added"] == 1
    shapes = {one.name: one for one in found.shapes}
    assert {name: one.fate for name, one in shapes.items() if name not in {"Weststadt", "Mitte"}} == {
        "Übersee": Fate.REMOVED, "Oststadt": Fate.CHANGED, "Neuland": Fate.ADDED,
    }  # fmt: skip
    assert shapes["Oststadt"].before is not None
    assert shape(shapes["Oststadt"].geometry).area < shape(shapes["Oststadt"].before).area
    assert shapes["Neuland"].before is None


def test_lists_and_shapes_end_somewhere_but_counts_do_not(
    city: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("geodata.version_preview.MOST_SHAPES", 3)
    (found,) = rehearsed(city, tmp_path, [offer(number, 10.0 * number) for number in range(1, 9)])
    assert (len(found.shapes), found.shapes_left_out) == (3, 5)
    assert fates(found, "Einrichtungen")["added"] == 8
    assert MOST_LISTED > 412
    assert found.differences_left_out == 0


def test_what_goes_is_listed_before_what_comes_however_it_is_called(
    city: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("geodata.version_preview.MOST_LISTED", 4)
    monkeypatch.setattr("geodata.version_preview.MOST_SHAPES", 3)
    load(city, tmp_path, [offer(n, 10.0 * n) for n in (40, 50, 60, 70, 80)])
    (found,) = rehearsed(
        city,
        tmp_path,
        [
            offer(40, 400, provider="Verein"),
            offer(50, 500),
            offer(60, 650),
            *(offer(n, 10.0 * n) for n in range(1, 31)),
        ],
    )
    places = [(one.fate, one.key) for one in found.differences if one.title == "Einrichtungen"]
    # Those that go come last by their keys, the new ones first; the list keeps two that go, what moves, what changes.
    assert places == [
        (Fate.REMOVED, "a70"), (Fate.REMOVED, "a80"), (Fate.MOVED, "a60"), (Fate.CHANGED, "a40"),
    ]  # fmt: skip
    assert fates(found, "Einrichtungen") == {"added": 30, "moved": 1, "changed": 1, "removed": 2, "same": 1}
    # 34 places and 32 offers differ, four of each are listed.
    assert found.differences_left_out == 30 + 28
    assert [one.fate for one in found.shapes] == [Fate.REMOVED, Fate.REMOVED, Fate.MOVED]
    assert found.shapes_left_out == 31


def test_the_same_content_is_not_inspected(city: Database, tmp_path: Path) -> None:
    load(city, tmp_path, [offer(1)])
    assert rehearsed(city, tmp_path, [offer(1)]) == []


def test_a_refused_file_is_not_inspected(city: Database, tmp_path: Path) -> None:
    looked: list[Job] = []
    with pytest.raises(RefusedError):
        load_facilities(
            city.writing, write_csv(tmp_path / "l.csv", [{"id": "1", "name": "Ohne Ort"}]),
            rules=inspecting(looked.append),
        )  # fmt: skip
    assert looked == []


def test_what_the_inspection_raises_takes_the_import_back(city: Database, tmp_path: Path) -> None:
    class StopError(Exception):
        pass

    def stop(_job: Job) -> None:
        raise StopError

    before = state(city.writing)
    file = write_csv(tmp_path / "l.csv", [offer(1)])
    with pytest.raises(StopError):
        load_facilities(city.writing, file, rules=Rules(Limit(share=0.5), inspect=stop))
    assert state(city.writing) == before
    seen: list[int | None] = []
    load_facilities(
        city.writing, file, rules=Rules(Limit(share=0.5), inspect=lambda job: seen.append(job.report.data_version))
    )
    assert seen == [data_version(city.writing)], "in earnest it sees the version that is about to be"


def test_hostile_names_come_through_as_they_are(city: Database, tmp_path: Path) -> None:
    name = '</script><img src=x onerror="alert(1)">{{7*7}}\u202e'
    (found,) = rehearsed(city, tmp_path, [offer(1, name=name)])
    assert found.shapes[0].name == found.differences[0].name == name
