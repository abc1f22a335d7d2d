"""What is large is read before the first question; where that fails, the service starts all the same."""

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event

from geodata.coverage import people as surface
from geodata.database import make_engine, reading
from geodata.kept import Kept
from service import warming

if TYPE_CHECKING:
    from conftest import Database


def test_the_first_question_finds_everything_read(demo_database: "Database", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surface, "_surfaces", Kept(surface.MOST_KEPT))
    warming.start(demo_database.serving).join()
    asked: list[str] = []
    event.listen(demo_database.serving, "before_cursor_execute", lambda *given: asked.append(given[2]))
    with reading(demo_database.serving) as session:
        people = surface.people_of(session)
        assert people is not None
        assert len(people.owner(session, "statgebiet")) == len(people.snaps(session, "walk")[0])
    assert not any("surface" in statement or "cell_snap" in statement for statement in asked)


def test_an_empty_or_absent_database_is_no_reason_not_to_start(
    database: "Database", capsys: pytest.CaptureFixture[str]
) -> None:
    warming.read_ahead(database.serving)
    assert not capsys.readouterr().out
    absent = make_engine(database.serving_url.replace(database.name, "srk_absent"))
    warming.read_ahead(absent)
    absent.dispose()
    assert "not read ahead" in capsys.readouterr().out
