"""No page of the planning desk shows a planner what only programs call it: columns, parameters, codes."""

import html
import re

from conftest import Database
from pages import planning_pages
from service_help import client_of

from geodata.database import Access, reading
from geodata.viewer import Role, Viewer

PLANNER = Viewer(Role.PLANNER, office_areas=(("bezirk", "1"),))
CODE = re.compile(r"\b[a-z]+_[a-z_]+|\bmode=\w+|\brank_\w+")
# What a planner reads as text: footnotes, sentences, headings, messages, and what fields are called.
READ = re.compile(
    r"<dd>(.*?)</dd>|<h[123][^>]*>(.*?)</h[123]>|<p class=\"(?:antwort|meldung|ohneflaeche)\">(.*?)</p>"
    r"|<caption>(.*?)</caption>|<option[^>]*>(.*?)</option>|<label[^>]*>(.*?)</label>",
    re.DOTALL,
)
MORE = {
    "versorgung-einzug": "/planung/versorgung?measure=catchment&level=bezirk&mode=line",
    "bedarf-einzug": "/planung/bedarf?measure=catchment&standard_value=20&category=okja&need1=population:0-21",
    "faelle": "/planung/kennzahlen?indicator=cases&level=bezirk&position=alle_hilfen",
    "ausgaben": "/planung/kennzahlen?indicator=spending_eur&level=bezirk",
    "bezirke": "/planung/vergleichsgebiete?level=bezirk&key=1",
}


def text_of(markup: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", " ", markup))


def test_pages_say_nothing_in_code(demo_database: Database) -> None:
    client = client_of(demo_database.serving, PLANNER)
    with reading(demo_database.serving, Access(PLANNER)) as session:
        paths = {one.name: one.path for one in planning_pages(session)} | MORE
    found: dict[str, list[str]] = {}
    for name, path in paths.items():
        answer = client.get(path, headers={"accept": "text/html"})
        assert answer.status_code == 200, (path, answer.text[:500])
        main = answer.text.partition("<main")[2].partition("</main>")[0]
        read = [text_of("".join(parts)) for parts in READ.findall(main)]
        assert read or name == "planung", name
        codes = [one for one in read if CODE.search(one)]
        if codes:
            found[name] = codes
    assert found == {}
