"""The profile of an area as an accessible PDF (PDF/UA), in German: the sentences, tables and charts of its page."""

import datetime as dt
from dataclasses import dataclass

from geodata.profile import Profile
from service.exports.parts import PUBLISHED
from service.exports.pdf import page_templates, tagged_pdf
from service.formats import footnote_lines
from service.pages.area_tables import ProfileView
from service.pages.components import DataTable, Picture

_SCHEME = "diagramm:"


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A picture on the page: where it is, what it is called and what it shows in words."""

    address: str
    title: str
    alt: str


def profile_pdf(made: Profile, view: ProfileView, map_svg: str | None) -> bytes:
    """Return the PDF; the same profile gives the same bytes. ``map_svg``: the area's map, None without one."""
    pictures: dict[str, bytes] = {}

    def drawn(picture: Picture | None) -> _Drawn | None:
        if picture is None:
            return None
        address = f"{_SCHEME}{picture.identity}"
        pictures[address] = picture.svg.encode()
        return _Drawn(address, picture.title, picture.description)

    area = made.area
    charts = {"ages": drawn(view.ages), "trend": drawn(view.trend), "compared": drawn(view.compared)}
    place_map = None
    if map_svg is not None:
        alt = f"Umriss von {area.area_name} mit seinen Einrichtungen; was es gibt, steht in der Tabelle."
        place_map = drawn(Picture("karte", f"Karte von {area.area_name}", alt, map_svg))
    page = page_templates().get_template("gebiet.html").render(
        area=area,
        above=[f"{one.level_title} {one.name}" for one in reversed(made.above)],
        mark=PUBLISHED,
        view=view,
        charts=charts,
        map=place_map,
        trend_table=None if view.trend is None else view.trend.table,
        compared_table=None if view.compared is None else view.compared.table,
        peers_note=made.peers_note,
        notes=footnote_lines(made.meta),
        notice=made.meta.notice,
        as_of=_as_of(made),
        has_signs=_has_signs(view),
    )  # fmt: skip
    return tagged_pdf(page, "gebiet.css", pictures)


def _as_of(made: Profile) -> dt.date | None:
    """Return the Stand of the newest source: the only date a file may bear, so that its bytes follow from the data."""
    return max((source.as_of for source in made.meta.sources if source.as_of is not None), default=None)


def _has_signs(view: ProfileView) -> bool:
    pictured = [one.table for one in (view.trend, view.compared) if one is not None]
    tables: list[DataTable] = [
        one for one in (view.residents, view.categories, view.peers, *pictured) if one is not None
    ]
    return any(one.has_missing or one.has_suppressed for one in tables)
