"""Standards: what is stored is told with its source, what is not is named."""

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from importer_help import write_toml

from geodata.database import reading
from geodata.errors import ParameterError
from geodata.standards import StandardRow, standard_of, standards, value_in_words
from importers.kinds.catalogue import CatalogueImport, import_catalogue

if TYPE_CHECKING:
    from conftest import Database

ENTRY = """
[[standard]]
code = "{code}"
title = "{title}"
category = "okja"
measure = "supply"
value = 30
unit = "places"
source = "Jugendhilfeplan 2024"
resolution = "Drucksache 21-0815"
resolved_on = 2024-03-14
"""


def load(database: "Database", folder: Path, body: str, dataset: str = "catalogue") -> None:
    import_catalogue(database.writing, write_toml(folder / "katalog.toml", body), CatalogueImport(dataset))


def test_none_is_shipped(database: "Database") -> None:
    with reading(database.serving) as session:
        answer = standards(session)
        assert answer.rows == []
        assert "kein Richtwert" in answer.meta.warnings[0]
        with pytest.raises(ParameterError, match="kein Richtwert hinterlegt") as refused:
            standard_of(session, "x")
        assert (refused.value.parameter, refused.value.allowed) == ("standard", ())


def test_standards_come_with_their_source(database: "Database", tmp_path: Path) -> None:
    more = ENTRY.format(code="a", title="Wege").replace('"supply"', '"reach"').replace("30", "0.8")
    more = more.replace('"places"', '"share"') + 'minutes = 15\nmode = "walk"\nage_from = 10\nage_to = 18\n'
    load(database, tmp_path, '[dataset]\ntitle = "Der Katalog"\n' + ENTRY.format(code="b", title="Plätze") + more)
    with reading(database.serving) as session:
        answer = standards(session)
        assert standard_of(session, "b") == answer.rows[1]
        with pytest.raises(ParameterError, match=r"Den Richtwert „c“ gibt es nicht\. Vorhanden: a und b\.") as refused:
            standard_of(session, "c")
    assert refused.value.allowed == ("a", "b")
    day = dt.date(2024, 3, 14)
    assert answer.rows == [
        StandardRow("a", "Wege", "okja", "reach", 0.8, "share", 10, 18, 15, "walk", "Jugendhilfeplan 2024",
                    "Drucksache 21-0815", day, "catalogue"),
        StandardRow("b", "Plätze", "okja", "supply", 30, "places", None, None, None, None, "Jugendhilfeplan 2024",
                    "Drucksache 21-0815", day, "catalogue"),
    ]  # fmt: skip
    assert [source.title for source in answer.meta.sources] == ["Der Katalog"]
    assert answer.rows[1].sentence() == (
        "Richtwert „Plätze“: 30 Plätze je 1.000. Quelle: Jugendhilfeplan 2024; Beschluss: Drucksache 21-0815; Datum: "
        "14.03.2024."
    )


def test_the_offices_own_catalogue_goes_before_others(database: "Database", tmp_path: Path) -> None:
    load(database, tmp_path, ENTRY.format(code="a", title="Fremd"), "amtlich")
    load(database, tmp_path, ENTRY.format(code="a", title="Eigen"))
    with reading(database.serving) as session:
        assert [(row.title, row.dataset) for row in standards(session).rows] == [("Eigen", "catalogue")]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("supply", 30.0, "places"), "30 Plätze je 1.000"),
        (("supply", 1.0, "places"), "1 Platz je 1.000"),
        (("supply", 2.5, "hours_per_week"), "2,5 Wochenstunden je 1.000"),
        (("reach", 0.8, "share", 15, "walk"), "80\N{NO-BREAK SPACE}% in höchstens 15 Minuten zu Fuß erreicht"),
        (("reach", 0.925, "share", 1), "92,5\N{NO-BREAK SPACE}% in höchstens einer Minute erreicht"),
        (("catchment", 20.0, "places", 10, "bike"),
         "20 Plätze je 1.000 erreichbar in höchstens 10 Minuten mit dem Fahrrad"),
    ],
)  # fmt: skip
def test_a_standard_in_words(given: tuple[str, float, str], said: str) -> None:
    assert value_in_words(*given) == said
