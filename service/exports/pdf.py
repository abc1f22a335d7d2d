"""The report as an accessible PDF (PDF/UA): tagged headings and tables, charts with their text, in German.

Nothing is fetched: the page refers to its charts only, which are handed over; every other address is refused.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING

from service.exports import explanations
from service.exports.charts import drawn
from service.exports.parts import MISSING, Chart, Report, Table

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parents[1] / "templates" / "berichte"
# The width of a page, what of it the titles of lines need, and the least a column takes.
_PAGE_MM, _TITLES_MM, _COLUMN_MM = 174.0, 50.0, 13.0
# How wide signs are in the tables' font: those that are narrow, the others, and the space before a column.
_NARROW, _NARROW_MM, _SIGN_MM, _SPACE_MM = frozenset("., \N{NO-BREAK SPACE}"), 0.74, 1.5, 1.7
_SCHEME = "diagramm:"


@dataclass(frozen=True, slots=True)
class Part:
    """The columns of a table that one page holds, from ``first`` to before ``last``; ``number`` 0: all of them."""

    number: int
    first: int
    last: int
    periods: tuple[str, ...]
    width_mm: str


def to_pdf(report: Report) -> bytes:
    """Return the PDF; the same report gives the same bytes."""
    charts = [chart for section in report.sections for chart in section.charts]
    pictures = dict(zip(map(_address, range(len(charts))), drawn(charts), strict=True))
    return tagged_pdf(_page(report, charts), "controlling.css", pictures)


def tagged_pdf(page: str, style: str, pictures: Mapping[str, bytes]) -> bytes:
    """Return a page (HTML) as a tagged PDF (PDF/UA); the same page gives the same bytes.

    ``style`` names a file beside the templates. ``pictures``: the SVG of each address the page may refer to; every
    other address is refused.
    """
    import weasyprint  # noqa: PLC0415 - slow to load, only this format pays for it
    from weasyprint.urls import URLFetcher, URLFetcherResponse  # noqa: PLC0415

    class OnlyOurs(URLFetcher):  # type: ignore[misc]  # the library has no types
        """Hands over the pictures and refuses everything else."""

        def fetch(self, url: str, headers: object = None) -> URLFetcherResponse:  # noqa: ARG002 - the library's signature
            """Return a picture."""
            if url not in pictures:
                raise ValueError(f"not part of the report: {url[:80]}")
            return URLFetcherResponse(url, pictures[url], {"Content-Type": "image/svg+xml"})

    fetcher = OnlyOurs()
    css = weasyprint.CSS(string=(TEMPLATES / style).read_text(encoding="utf-8"), url_fetcher=fetcher)
    document = weasyprint.HTML(string=page, url_fetcher=fetcher)
    made: bytes = document.write_pdf(
        stylesheets=[css],
        pdf_variant="pdf/ua-1",
        pdf_identifier=hashlib.sha256(page.encode()).hexdigest()[:32].encode(),
    )
    return made


def page_templates() -> "Environment":
    """Return the templates of reports; what they show is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415 - not for --help

    return Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip


def _page(report: Report, charts: Sequence[Chart]) -> str:
    """Return the page as HTML; what came from a file is escaped."""
    environment = page_templates()
    places = {id(chart): _address(number) for number, chart in enumerate(charts)}
    environment.filters["drawn"] = lambda some: [(chart, places[id(chart)]) for chart in some]
    environment.filters["parts"] = lambda table: list(_parts(table))
    legend = explanations.legend(MISSING)
    said = " · ".join(f"{sign} {text.partition(':')[0].partition(';')[0].rstrip('.')}" for sign, text in legend.entries)
    return environment.get_template("controlling.html").render(
        report=report, notes=(legend, *report.notes), legend=said
    )


def _address(number: int) -> str:
    return f"{_SCHEME}{number}"


def _parts(table: Table) -> Iterator[Part]:
    """Yield the columns by page, as evenly as may be, so that none is left over alone."""
    count = len(table.periods)
    texts = (cell.text(line.look) for line in table.lines() for cell in line.cells)
    widest = max((_width_mm(text) for text in (*texts, *table.periods)), default=_COLUMN_MM)
    fitting = max(1, int((_PAGE_MM - _TITLES_MM) / widest))
    pages = max(1, ceil(count / fitting))
    for page in range(pages):
        first, last = page * count // pages, (page + 1) * count // pages
        number = page + 1 if pages > 1 else 0
        yield Part(number, first, last, table.periods[first:last], f"{max(widest, _COLUMN_MM):.2f}")


def _width_mm(text: str) -> float:
    """Return about how wide a number's column must be."""
    return _SPACE_MM + sum(_NARROW_MM if sign in _NARROW else _SIGN_MM for sign in text)
