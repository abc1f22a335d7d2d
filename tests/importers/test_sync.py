"""``sync``: many sources, each failing alone, nothing read twice, nothing half renewed."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from importer_help import BEZIRKE, STADTTEILE, Database, box, collection, data_version, offer, query, state
from scripted_server import Answer, Handler, Scripted, said
from sync_help import BY_DIGIT, HOME, Web, etagged, links, source_state, statuses, table

from geodata.database import lock_writers, writing
from geodata.versions import rollback
from importers.kinds.facilities import FacilitiesImport, import_facilities
from importers.load import Limit, Rules
from importers.sources import open_source
from importers.sync import Status, sync
from importers.sync_file import read_plan

IMPORTED, UNCHANGED, FAILED, SKIPPED = Status.IMPORTED, Status.UNCHANGED, Status.FAILED, Status.SKIPPED
HAMBURG = Path(__file__).resolve().parents[3] / "shared" / "data" / "hamburg"
ALL = {"areas.bezirk", "areas.stadtteil", "facilities.okja"}
PLACES = ["/bezirke.geojson", "/stadtteile.geojson", "/treffs.csv"]


@pytest.fixture
def web(scripted: Scripted, tmp_path: Path, database: Database) -> Web:
    return Web(scripted, tmp_path, database.writing)


def test_the_first_run_brings_all_in_the_order_they_need(web: Web) -> None:
    outcomes = web.run()
    assert list(outcomes) == ["areas.bezirk", "areas.stadtteil", "facilities.okja"]
    assert set(statuses(outcomes).values()) == {IMPORTED}
    assert {name: outcome.to_json()["rows"] for name, outcome in outcomes.items()} == {
        "areas.bezirk": 2, "areas.stadtteil": 4, "facilities.okja": 3,
    }  # fmt: skip
    assert links(web.engine) == {"a1": "02101", "a2": "02102", "a3": "02201"}
    assert source_state(web.engine) == dict.fromkeys(ALL, (True, False, None))


def test_an_unchanged_night_costs_one_request_per_source_and_changes_nothing(web: Web) -> None:
    web.run()
    before = state(web.engine)
    before.pop("instance_state")
    version = data_version(web.engine)
    checked = query(web.engine, "SELECT max(checked_at) FROM source_state")[0][0]
    visibility = query(web.engine, "SELECT visibility_version FROM instance_state")[0][0]
    outcomes = web.run()
    assert set(statuses(outcomes).values()) == {UNCHANGED}
    assert sorted(web.server.paths()) == PLACES
    assert all(headers["if-none-match"] == '"1"' for _path, headers in web.server.asked)
    after = state(web.engine)
    after.pop("instance_state")
    assert after == before
    assert data_version(web.engine) == version
    assert query(web.engine, "SELECT min(checked_at) FROM source_state")[0][0] > checked
    # Noted by one statement, which counts as an insertion and as a change.
    assert query(web.engine, "SELECT visibility_version FROM instance_state")[0][0] == visibility + 2


def test_only_what_changed_is_imported(web: Web) -> None:
    web.run()
    web.homes([offer(1), offer(2, 1500), offer(3, 2500), offer(4, 3500)], '"2"')
    assert statuses(web.run()) == {"areas.bezirk": UNCHANGED, "areas.stadtteil": UNCHANGED, "facilities.okja": IMPORTED}
    assert links(web.engine)["a4"] == "02202"
    assert set(statuses(web.run()).values()) == {UNCHANGED}


def test_a_source_without_validators_is_read_but_makes_no_version(web: Web) -> None:
    web.server.put("/treffs.csv", said(table([offer(1), offer(2, 1500)]), "text/csv"))
    web.run()
    version = data_version(web.engine)
    outcome = web.run()["facilities.okja"]
    assert (outcome.status, outcome.report) == (UNCHANGED, None), "its checksum tells before an import begins"
    web.server.put("/treffs.csv", said(table([offer(2, 1500), offer(1)]), "text/csv"))
    outcome = web.run()["facilities.okja"]
    assert outcome.status is UNCHANGED
    assert outcome.report is not None
    assert outcome.report.unchanged
    assert data_version(web.engine) == version


def test_a_new_etag_on_old_content_is_learnt(web: Web) -> None:
    web.run()
    web.homes([offer(1), offer(2, 1500), offer(3, 2500)], '"2"')
    assert web.run()["facilities.okja"].status is UNCHANGED
    web.run()
    assert [headers["if-none-match"] for headers in web.asked("/treffs.csv")] == ['"2"']


def test_sources_are_fetched_side_by_side(web: Web) -> None:
    meet = threading.Barrier(3)

    def together(body: Any, kind: str) -> Callable[[Handler], Answer]:
        def reply(_handler: Handler) -> Answer:
            meet.wait(timeout=5)
            return said(body, kind)

        return reply

    web.server.put("/bezirke.geojson", together(collection(BEZIRKE), "application/geo+json"))
    web.server.put("/stadtteile.geojson", together(collection(STADTTEILE), "application/geo+json"))
    web.server.put("/treffs.csv", together(table([offer(1)]), "text/csv"))
    assert set(statuses(web.run()).values()) == {IMPORTED}


# --- each fails alone ---------------------------------------------------------------------------------------------

HTML = said(b"<!doctype html><title>Wartung</title>", "text/html")
BROKEN: list[tuple[str, Any, str]] = [
    ("/treffs.csv", Answer(b"weg", 404), "404"),
    ("/treffs.csv", HTML, ""),
    ("/treffs.csv", said(b"id;name;lon;lat\n", "text/csv"), "keine Zeilen"),
    ("/treffs.csv", said(table([offer(1)]), "text/csv", cut=20), ""),
    ("/treffs.csv", said(table([offer(1) | {"id": ""}]), "text/csv"), "zurückgewiesen"),
    ("/treffs.csv", said(b"a;b\n1;2\n", "text/csv"), "Spalte"),
    ("/stadtteile.geojson", said(b'{"type": "FeatureCollection", "features": ['), "JSON"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "answer", "words"), BROKEN)
def test_a_source_fails_alone_and_says_why(web: Web, path: str, answer: Answer, words: str) -> None:
    web.run()
    broken = "facilities.okja" if path == "/treffs.csv" else "areas.stadtteil"
    old = web.server.answers[path]
    before = {table: digest for table, digest in state(web.engine).items() if table != "instance_state"}
    web.server.put(path, answer)
    outcomes = web.run()
    assert statuses(outcomes) == {name: FAILED if name == broken else UNCHANGED for name in ALL}
    sentence = outcomes[broken].sentence
    assert words in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert source_state(web.engine)[broken] == (True, True, sentence)
    assert {table: digest for table, digest in state(web.engine).items() if table != "instance_state"} == before
    web.server.put(path, *old)
    assert web.run()[broken].status is UNCHANGED, "the validators of the visible version still hold"
    assert source_state(web.engine)[broken] == (True, False, None)


def test_a_server_that_is_away_and_a_file_that_is_gone(web: Web) -> None:
    away = web.treffs(name="facilities.jsa", category="jsa", url="http://127.0.0.1:9/x.csv")
    gone = {"name": "facilities.kita", "kind": "facilities", "category": "kita", "file": "kitas.csv"}
    web.write(web.bezirke(), web.stadtteile(), away, gone, web.treffs())
    outcomes = web.run()
    assert statuses(outcomes) == dict.fromkeys(ALL, IMPORTED) | {"facilities.jsa": FAILED, "facilities.kita": FAILED}
    assert "nicht erreichbar" in outcomes["facilities.jsa"].sentence
    assert "kitas.csv" in outcomes["facilities.kita"].sentence
    # Never loaded, but known to fail.
    assert source_state(web.engine)["facilities.kita"] == (False, True, outcomes["facilities.kita"].sentence)


def test_without_areas_from_before_those_who_need_them_are_skipped(web: Web) -> None:
    web.server.put("/bezirke.geojson", Answer(b"", 404))
    outcomes = web.run()
    assert statuses(outcomes) == {"areas.bezirk": FAILED, "areas.stadtteil": SKIPPED, "facilities.okja": SKIPPED}
    assert outcomes["facilities.okja"].sentence.startswith("„areas.bezirk“ ist noch nie geladen worden")
    assert set(source_state(web.engine)) == {"areas.bezirk"}


def test_with_areas_from_before_the_others_come_in(web: Web) -> None:
    web.run()
    web.server.put("/bezirke.geojson", Answer(b"", 404))
    web.homes([offer(1), offer(2), offer(5)], '"2"')
    assert statuses(web.run()) == {"areas.bezirk": FAILED, "areas.stadtteil": UNCHANGED, "facilities.okja": IMPORTED}


def test_a_mapping_that_cannot_be_used_breaks_its_own_source_only(web: Web) -> None:
    web.write(web.bezirke(), web.stadtteile(), web.treffs(mapping="gibtsnicht.toml"))
    outcomes = web.run()
    assert statuses(outcomes) == {"areas.bezirk": IMPORTED, "areas.stadtteil": IMPORTED, "facilities.okja": FAILED}
    assert "gibtsnicht.toml" in outcomes["facilities.okja"].sentence


def test_a_bug_in_one_import_does_not_keep_the_others_out(
    web: Web, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from importers import sync as module

    right = module.load

    def wrong(engine: Any, task: Any, *rest: Any, **more: Any) -> Any:
        if task.name == "areas.stadtteil":
            raise ZeroDivisionError
        return right(engine, task, *rest, **more)

    monkeypatch.setattr(module, "load", wrong)
    outcomes = web.run()
    assert statuses(outcomes)["areas.bezirk"] is IMPORTED
    assert "unerwarteter Fehler" in outcomes["areas.stadtteil"].sentence
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.skipif(not HAMBURG.exists(), reason="shared/data/hamburg is not beside this checkout")
def test_real_services_that_name_no_validators_are_known_by_their_content(
    web: Web, pygeoapi_url: str, mapserver_url: str
) -> None:
    web.write(
        {"name": "areas.bezirk", "kind": "areas", "level": "bezirk", "mapping": "hamburg/bezirke.toml",
         "file": str(HAMBURG / "grenzen" / "bezirke.geojson")},
        {"name": "areas.stadtteil", "kind": "areas", "level": "stadtteil", "mapping": "hamburg/stadtteile.toml",
         "url": f"{pygeoapi_url}/collections/stadtteile"},
        {"name": "facilities.okja", "kind": "facilities", "category": "okja", "mapping": "hamburg/jugendorte.toml",
         "url": f"{mapserver_url}?service=WFS", "layer": "jugendorte"},
        read_timeout_s=60,
    )  # fmt: skip
    outcomes = web.run()
    assert {name: outcome.to_json()["rows"] for name, outcome in outcomes.items()} == {
        "areas.bezirk": 7, "areas.stadtteil": 104, "facilities.okja": 173,
    }, outcomes  # fmt: skip
    outcomes = web.run()
    assert set(statuses(outcomes).values()) == {UNCHANGED}
    assert all(outcome.report is None for outcome in outcomes.values())


# --- what makes a source be read anew -----------------------------------------------------------------------------


def test_new_areas_place_the_facilities_anew_though_their_source_is_as_it_was(web: Web) -> None:
    web.homes([offer(1), offer(2, 1500), offer(3, 2500), offer(9, 4200)])
    web.write(web.bezirke(), web.stadtteile(), web.treffs(max_rejects="30%"))
    web.run()
    assert "a9" not in links(web.engine), "outside"
    wider = [(BEZIRKE[0][0], BEZIRKE[0][1]), (BEZIRKE[1][0], box(2000, 0, 2500, 2000))]
    web.areas("bezirke", wider, '"2"')
    outcomes = web.run()
    assert outcomes["areas.bezirk"].status is IMPORTED
    assert outcomes["facilities.okja"].status is IMPORTED
    asked = web.asked("/treffs.csv")
    assert ["if-none-match" in headers for headers in asked] == [True, False]
    assert links(web.engine, "bezirk")["a9"] == "2"
    assert set(statuses(web.run()).values()) == {UNCHANGED}


@pytest.mark.parametrize(
    "change",
    [
        lambda web: (web.folder / "stadtteile.toml").write_text(f"level_title = 'Viertel'\n{BY_DIGIT}"),
        lambda web: web.write(web.bezirke(), web.stadtteile(title="Viertel"), web.treffs()),
        lambda web: web.write(
            web.bezirke(), web.stadtteile(url=f"{web.server.url}/stadtteile.geojson?x"), web.treffs()
        ),
    ],
    ids=["mapping", "option", "address"],
)
def test_another_recipe_reads_everything_anew(web: Web, change: Callable[[Web], Any]) -> None:
    web.run()
    change(web)
    web.run()
    (headers,) = web.asked("/stadtteile.geojson")
    assert "if-none-match" not in headers
    (headers,) = web.asked("/bezirke.geojson")
    assert "if-none-match" in headers
    web.run()
    assert "if-none-match" in web.asked("/stadtteile.geojson")[0]


def test_another_version_of_the_program_reads_everything_anew(web: Web) -> None:
    web.run()
    outcomes = web.run(app_version="2")
    assert set(statuses(outcomes).values()) == {UNCHANGED}
    assert not any("if-none-match" in headers for _path, headers in web.server.asked)


def test_an_import_by_hand_voids_what_was_known(web: Web) -> None:
    web.run()
    other = web.folder / "other.csv"
    other.write_bytes(table([offer(1), offer(2, 1500)]))
    rules = Rules(Limit(number=0), Limit(share=0.9))
    import_facilities(web.engine, open_source(other), FacilitiesImport("okja", rules=rules))
    assert web.run()["facilities.okja"].status is IMPORTED
    assert "if-none-match" not in web.asked("/treffs.csv")[0]
    assert set(links(web.engine)) == {"a1", "a2", "a3"}


def test_what_was_rolled_back_does_not_come_again_until_the_source_changes(web: Web) -> None:
    web.run()
    web.homes([offer(1), offer(2, 1500)], '"bad"')
    web.write(web.bezirke(), web.stadtteile(), web.treffs(max_shrink="50%"))
    web.run()
    with writing(web.engine) as session:
        lock_writers(session)
        rollback(session, "facilities.okja")
    for version in ("1", "2"):  # as it was by its ETag, then read anew
        assert web.run(app_version=version)["facilities.okja"].status is UNCHANGED
        assert set(links(web.engine)) == {"a1", "a2", "a3"}
    web.homes([offer(1), offer(2, 1500), offer(4)], '"good"')
    assert web.run(app_version="2")["facilities.okja"].status is IMPORTED
    assert set(links(web.engine)) == {"a1", "a2", "a4"}


def test_files_are_known_by_their_content_and_a_shapefile_by_all_its_parts(web: Web, tmp_path: Path) -> None:
    import geopandas
    import shapely

    (tmp_path / "treffs.csv").write_bytes(table([offer(1), offer(2, 1500)]))
    shapes = geopandas.GeoDataFrame(
        {"key": ["1", "2"], "name": ["West", "Ost"]},
        geometry=[shapely.geometry.shape(shape) for _props, shape in BEZIRKE], crs=25832,
    )  # fmt: skip
    shapes.to_file(tmp_path / "bezirke.shp")
    bezirke = {"name": "areas.bezirk", "kind": "areas", "level": "bezirk", "file": "bezirke.shp"}
    treffs = {"name": "facilities.okja", "kind": "facilities", "category": "okja", "file": "treffs.csv"}
    web.write(bezirke, treffs)
    assert set(statuses(web.run()).values()) == {IMPORTED}
    outcomes = web.run()
    assert set(statuses(outcomes).values()) == {UNCHANGED}
    assert all(outcome.report is None for outcome in outcomes.values())
    before = (tmp_path / "bezirke.shp").read_bytes()
    shapes.assign(name=["Westen", "Ost"]).to_file(tmp_path / "bezirke.shp")
    assert (tmp_path / "bezirke.shp").read_bytes() == before
    assert statuses(web.run()) == {"areas.bezirk": IMPORTED, "facilities.okja": UNCHANGED}


def test_a_rehearsal_changes_nothing(web: Web) -> None:
    before = state(web.engine)
    outcomes = web.run(dry_run=True)
    assert statuses(outcomes) == {"areas.bezirk": IMPORTED, "areas.stadtteil": SKIPPED, "facilities.okja": SKIPPED}
    assert "wirklich geladen" in outcomes["areas.stadtteil"].sentence
    assert state(web.engine) == before
    assert source_state(web.engine) == {}
    web.run()
    web.homes([offer(1), offer(2), offer(6)], '"2"')
    before = state(web.engine)
    assert statuses(web.run(dry_run=True))["facilities.okja"] is IMPORTED
    assert state(web.engine) == before


def test_only_some_and_those_switched_off(web: Web) -> None:
    web.write(web.bezirke(), web.stadtteile(enabled=False), web.treffs())
    assert list(web.run()) == ["areas.bezirk", "facilities.okja"]
    assert list(web.run("facilities.okja")) == ["facilities.okja"]
    assert web.server.paths() == ["/treffs.csv"]


def test_each_is_told_as_it_is_done(web: Web) -> None:
    heard: list[str] = []
    outcomes = web.run(tell=lambda outcome: heard.append(outcome.line()))
    assert [line.partition(":")[0] for line in heard] == list(outcomes)
    assert heard[-1].endswith("s). 3 von 3 Zeilen, 0 zurückgewiesen.")
    assert "übernommen" in heard[0]


def test_a_catalogue_and_a_network_come_over_the_web_too(web: Web) -> None:
    catalogue = b'[[indicator]]\ncode = "kinder"\ntitle = "Kinder"\nkind = "count"\n'
    web.server.put("/katalog.toml", etagged(catalogue, '"k"', "application/toml"))
    edges = b"u,v,length,u_x,u_y,v_x,v_y\n1,2,100,560000,5930000,560100,5930000\n"
    web.server.put("/wege.csv", etagged(edges, '"w"', "text/csv"))
    web.write(
        web.bezirke(),
        {"name": "catalogue", "kind": "catalogue", "url": f"{web.server.url}/katalog.toml", "title": "Katalog"},
        {"name": "network", "kind": "network", "url": f"{web.server.url}/wege.csv", "crs": "EPSG:25832"},
    )
    outcomes = web.run()
    assert set(statuses(outcomes).values()) == {IMPORTED}, outcomes
    assert query(web.engine, "SELECT title FROM dataset_visible WHERE dataset = 'catalogue'") == [("Katalog",)]
    assert set(statuses(web.run()).values()) == {UNCHANGED}
    assert sorted(web.server.paths()) == ["/bezirke.geojson", "/katalog.toml", "/wege.csv"]


def test_figures_addresses_and_people_from_files(web: Web) -> None:
    folder = web.folder
    (folder / "zahlen.csv").write_text(
        "area_level;area_key;indicator;position;period;value\nbezirk;1;population;total;2024;120\n"
    )
    (folder / "hilfen.csv").write_text(
        "area_level;area_key;period;paragraph;provider_state;cases\nbezirk;1;2024-Q4;34;Hamburg;3\n"
    )
    (folder / "adressen.csv").write_text(
        "street;house_number;postcode;city;lon;lat\n" + ";".join(
            ["Hauptstraße", "1", "20095", "Hamburg", *map(str, (offer(1)["lon"], offer(1)["lat"]))]
        ) + "\n"
    )  # fmt: skip
    web.write(
        {"name": "statistics.zahlen", "kind": "statistics", "file": "zahlen.csv", "decimal": ","},
        {"name": "placements", "kind": "placements", "file": "hilfen.csv"},
        {"name": "addresses", "kind": "addresses", "file": "adressen.csv"},
        web.bezirke(),
    )
    outcomes = web.run()
    assert set(statuses(outcomes).values()) == {IMPORTED}, outcomes
    assert list(outcomes).index("areas.bezirk") < list(outcomes).index("statistics.zahlen")
    assert query(web.engine, "SELECT value FROM observation") == [(120.0,)]
    assert set(statuses(web.run()).values()) == {UNCHANGED}


def test_the_database_being_away_is_one_error(web: Web) -> None:
    from geodata.database import make_engine
    from geodata.errors import DatabaseStateError

    engine = make_engine("postgresql+psycopg://srk@127.0.0.1:1/srk?connect_timeout=1")
    with pytest.raises(DatabaseStateError, match="nicht erreichbar"):
        sync(engine, read_plan(web.list), HOME, app_version="1")
    engine.dispose()
    assert web.server.asked == []
