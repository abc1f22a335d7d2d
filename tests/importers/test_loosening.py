"""Lists that show more than the one before: told, listed first, and refused where nobody looks on."""

from pathlib import Path
from typing import Any

import pytest
from importer_help import (
    Database,
    Json,
    findings,
    load_city,
    load_facilities,
    offer,
    query,
    rules,
    state,
    write_csv,
)
from scripted_server import Scripted
from sqlalchemy import text
from sync_help import Web, statuses

from geodata.database import reading
from geodata.version_preview import Fate, Preview, preview
from importers.errors import RefusedError
from importers.load import Job, Limit, Rules
from importers.report import Report
from importers.sync import Status

HOME, HOUSE = "sha", "facilities.sha"


@pytest.fixture
def city(database: Database, tmp_path: Path) -> Database:
    load_city(database.writing, tmp_path)
    return database


def home(number: int, x: float = 500, **columns: Any) -> Json:
    return offer(number, x, street="Geheimweg", house_number="7", **columns)


def load(database: Database, folder: Path, rows: list[Json], **options: Any) -> Report:
    options.setdefault("rules", rules("50%", "100%"))
    return load_facilities(database.writing, write_csv(folder / "liste.csv", rows), HOME, **options)  # type: ignore[arg-type]


def rehearsed(database: Database, folder: Path, rows: list[Json]) -> tuple[Preview, Report]:
    seen: list[Preview] = []

    def look(job: Job) -> None:
        seen.append(preview(job.session, job.report.dataset))

    report = load(database, folder, rows, rules=Rules(Limit(share=0.5), Limit(share=1), dry_run=True, inspect=look))
    (found,) = seen
    return found, report


def first(found: Preview) -> list[tuple[str, Fate, object]]:
    """What is listed of offers that more people would see; they stand before all others."""
    marks = [one.loosened for one in found.differences]
    assert marks == sorted(marks, reverse=True)
    return [(one.key, one.fate, one.fields["release"]) for one in found.differences if one.loosened]


def warned(report: Report) -> list[str]:
    return [reason for _row, field, _value, reason in findings(report, "warning") if field == "release"]


def test_a_list_that_has_lost_its_releases(city: Database, tmp_path: Path) -> None:
    load(city, tmp_path, [home(1, release="protected"), home(2, 700, release="internal"), home(3, 900),
                          home(4, 1100, name="Beratung", release="area_only")])  # fmt: skip
    found, report = rehearsed(city, tmp_path, [home(1), home(2, 700), home(3, 905), home(4, 1100, name="Beratung")])
    assert found.loosened == 3
    assert first(found) == [
        ("a4", Fate.CHANGED, ("area_only", "public")),
        ("a1", Fate.CHANGED, ("protected", "public")),
        ("a2", Fate.CHANGED, ("internal", "public")),
    ]
    assert [one.key for one in found.differences[3:]] == ["a3"]
    assert warned(report) == [
        "3 Angebote, die bisher nicht öffentlich waren, werden öffentlich.",
        *["Dieses Angebot ist künftig für einen weiteren Kreis sichtbar."] * 3,
    ]
    rows = {value: row for row, field, value, _reason in findings(report, "warning") if field == "release" and row}
    assert rows == {"Treff 1": 2, "Treff 2": 3, "Beratung": 5}
    # Whoever types the command has been told.
    assert load(city, tmp_path, [home(1), home(2, 700), home(3, 905), home(4, 1100)]).rows_loaded == 4
    with reading(city.serving) as session:
        assert session.scalar(text("SELECT count(*) FROM offer_visible")) == 4


def test_one_is_told_as_one_and_narrower_is_not_told(city: Database, tmp_path: Path) -> None:
    load(city, tmp_path, [home(1, release="protected"), home(2, 700), home(3, 900, release="internal")])
    found, report = rehearsed(city, tmp_path, [home(1), home(2, 700, release="protected"),
                                               home(3, 900, release="internal")])  # fmt: skip
    assert (found.loosened, warned(report)[0]) == (1, "1 Angebot, das bisher nicht öffentlich war, wird öffentlich.")
    found, report = rehearsed(city, tmp_path, [home(1, release="internal"), home(2, 700),
                                               home(3, 900, release="internal")])  # fmt: skip
    assert (found.loosened, warned(report)[0]) == (1, "1 Angebot wird für einen weiteren Kreis sichtbar als bisher.")
    for same in ([home(1, release="protected"), home(2, 750), home(3, 900, release="protected")],
                 [home(2, 700), home(4, 1300), home(5, 1500, release="internal")]):  # fmt: skip
        found, report = rehearsed(city, tmp_path, same)
        assert (found.loosened, warned(report)) == (0, [])


def test_the_first_version_loosens_nothing(city: Database, tmp_path: Path) -> None:
    found, report = rehearsed(city, tmp_path, [home(1), home(2, 700, release="protected")])
    assert (found.loosened, warned(report)) == (0, [])


@pytest.mark.parametrize(("word", "told"), [("protected", None), ("internal", ("protected", "internal"))])
def test_the_word_of_a_provider_counts(city: Database, tmp_path: Path, word: str, told: object) -> None:
    load(city, tmp_path, [home(1, release="protected")])
    with city.writing.begin() as connection:
        connection.execute(
            text("INSERT INTO release (dataset_id, offer_id, release) SELECT id, 'a1', CAST(:word AS release_level) "
                 "FROM dataset WHERE name = :name"), {"word": word, "name": HOUSE},
        )  # fmt: skip
    found, _report = rehearsed(city, tmp_path, [home(1)])
    assert [fields for _key, _fate, fields in first(found)] == ([told] if told else [])


def test_a_home_under_a_new_id_is_known_by_its_place(city: Database, tmp_path: Path) -> None:
    load(city, tmp_path, [home(1, release="protected"), home(2, 700)])
    # Under another id, elsewhere a new offer, and beside the home one that was there before.
    found, report = rehearsed(city, tmp_path, [home(9), home(2, 700), home(8, 1500)])
    assert first(found) == [("a9", Fate.ADDED, ("protected", "public"))]
    assert warned(report)[1].startswith("An diesem Ort stand bisher ein Angebot mit engerer Freigabe;")
    found, _report = rehearsed(city, tmp_path, [home(9, release="protected"), home(2, 700)])
    assert found.loosened == 0


def test_what_stays_public_beside_a_hidden_offer_that_goes(city: Database, tmp_path: Path) -> None:
    both = [home(1, facility_id="haus"), home(2, facility_id="haus", release="protected")]
    load(city, tmp_path, [*both, home(3, 500)])
    # The house's place was hidden for the sake of the second; another house at the same point was not.
    found, _report = rehearsed(city, tmp_path, [both[0], home(3, 500)])
    assert first(found) == [("a1", Fate.CHANGED, ("protected", "public"))]


def test_many_are_counted_also_where_not_all_are_listed(
    city: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("geodata.version_preview.MOST_LISTED", 2)
    numbers = range(1, 6)
    load(city, tmp_path, [home(n, 100.0 * n, release="protected") for n in numbers])
    found, _report = rehearsed(city, tmp_path, [home(n, 100.0 * n) for n in numbers])
    assert (found.loosened, len(first(found))) == (5, 2)


def test_where_nobody_looks_on_it_is_refused(city: Database, tmp_path: Path) -> None:
    load(city, tmp_path, [home(1, release="protected"), home(2, 700)])
    before = state(city.writing)
    with pytest.raises(RefusedError, match=r"^1 Angebot, das bisher nicht .* Unbeaufsichtigt .*allow_wider_release"):
        load(city, tmp_path, [home(1), home(2, 700)], rules=rules("50%", "100%", unattended=True))
    assert state(city.writing) == before
    allowed = rules("50%", "100%", unattended=True, allow_wider_release=True)
    assert warned(load(city, tmp_path, [home(1), home(2, 700)], rules=allowed))


@pytest.fixture
def web(database: Database, scripted: Scripted, tmp_path: Path) -> Web:
    return Web(scripted, tmp_path, database.writing)


def test_a_nightly_renewal_shows_no_more_than_it_is_allowed_to(web: Web) -> None:
    web.homes([offer(1, release="protected"), offer(2, 1500, release="public")])
    assert statuses(web.run())["facilities.okja"] is Status.IMPORTED
    web.homes([offer(1), offer(2, 1500)], etag='"2"')
    outcome = web.run()["facilities.okja"]
    assert outcome.status is Status.FAILED
    assert "1 Angebot, das bisher nicht öffentlich war" in outcome.sentence
    shown = "SELECT offer_id FROM offer o JOIN dataset d ON d.current_import_id = o.import_id WHERE release = 'public'"
    assert query(web.engine, shown) == [("a2",)]
    web.write(web.bezirke(), web.stadtteile(), web.treffs(allow_wider_release=True))
    assert statuses(web.run())["facilities.okja"] is Status.IMPORTED
    assert len(query(web.engine, shown)) == 2
