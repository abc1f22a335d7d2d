"""The public map as files that open from disk, without this service: one page, or a folder of files beside each other.

It shows what the public may see on the day it is made. Nothing is fetched: places, areas, details and what the search
looks through are handed over in a script, and the list of all places stands in the page.
"""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import orjson
from sqlalchemy.orm import Session

from geodata.areas import AreasRequest, areas
from geodata.facilities import FacilitiesRequest, PlaceRow, facilities
from geodata.search import areas_and_streets
from geodata.viewer import Role
from layers.areas import AreaLayer
from layers.canvas import MapParts
from layers.embed import Json, script_json
from layers.places import compact
from layers.public_map import Addresses
from service.assets import FILES
from service.caching import APP_VERSION
from service.context import today
from service.pages.components import Cell, Column, DataTable, Lines, ordered
from service.pages.components import Sort as Order
from service.pages.filtering import PlaceFilter
from service.pages.frame import Frame
from service.pages.place_table import ORDER_VALUES, cells_of, columns_of
from service.pages.public import SIMPLIFY_M, MapContent, drawn_map, map_content, map_values
from service.pages.rendering import render
from service.settings import Settings
from service.texts import texts

PAGE = "index.html"
LIST = "#liste"
_ADDRESSES = Addresses(
    places="orte", detail="angaben/{dataset}/{facility_id}", page=None, list=LIST, search="suche/"
)  # fmt: skip
_AREAS = "gebiete/{level}"
_DATA, _STATIC, _MAP, _MAP_STYLE = "daten.js", "srk-static.js", "karte.js", "karte.css"
_STYLES = ("srk-page.css", "srk-map-page.css")
_PAGE_SCRIPTS = ("srk-map-page.js",)
# What a place's card and its row already have from the columns of all places, or nobody outside needs.
_ELSEWHERE = {"dataset", "facility_id", "lon", "lat", "area_level", "area_key", "categories", "provider_key", "state"}
_ENDS = re.compile(r"</\s*(script|style)|<!--", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Text:
    """A script or a style sheet: its file name and what it holds. ``inline``: it stands in the page itself."""

    name: str
    body: str
    inline: bool = False


@dataclass(frozen=True, slots=True)
class StaticMap:
    """A map without a service: what its page shows, and its styles and scripts in the order in which they count."""

    language: str
    values: Mapping[str, Any]
    styles: Sequence[Text]
    scripts: Sequence[Text]

    def as_file(self) -> bytes:
        """Return one page with everything in it."""
        styles, scripts = ([replace(one, inline=True) for one in several] for several in (self.styles, self.scripts))
        return self._page(styles, scripts, _hashes(scripts), _hashes(styles))

    def as_folder(self) -> dict[str, bytes]:
        """Return the files of a folder by name; ``index.html`` is the page."""
        made = {one.name: one.body.encode() for one in (*self.styles, *self.scripts)}
        # A page from disk has no origin of its own: its files are named by their scheme.
        made[PAGE] = self._page(self.styles, self.scripts, "'self' file:", "'self' file:")
        return made

    def _page(self, styles: Sequence[Text], scripts: Sequence[Text], may_run: str, may_style: str) -> bytes:
        policy = (
            f"default-src 'none'; script-src {may_run}; style-src {may_style}; img-src data:; base-uri 'none'; "
            "form-action 'none'"
        )
        return render(
            "static_map.html", self.language, policy=policy, styles=styles, scripts=scripts, version=APP_VERSION,
            **self.values,
        )  # fmt: skip


def _hashes(several: Sequence[Text]) -> str:
    digests = (hashlib.sha256(one.body.encode()).digest() for one in several)
    return " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)


def static_map(session: Session, settings: Settings, language: str) -> StaticMap:
    """Return the map as the session's viewer may see it today, in a language (a code of ``texts.LANGUAGES``)."""
    everything = PlaceFilter()
    content = map_content(session, everything, language)
    places = _all_places(session, settings.max_rows)
    names = {name: name for name in FILES}
    made = drawn_map(content, settings, language, addresses=_ADDRESSES, layer=_layer, urls=names)
    values = {
        **map_values(content, made, everything, language),
        "frame": _frame(content, made, language),
        "table": _table(places, language),
    }
    styles = [*(_file(name) for name in (*made.styles, *_STYLES)), _checked(Text(_MAP_STYLE, made.css))]
    data = _data(session, content, places, settings.max_rows)
    scripts = [
        *(_file(name) for name in made.scripts),
        _checked(Text(_DATA, f"Object.assign(srkMap.files, {script_json(data)});")),
        _file(_STATIC),
        _checked(Text(_MAP, made.script)),
        *(_file(name) for name in _PAGE_SCRIPTS),
    ]
    return StaticMap(language, values, styles, scripts)


def _layer(row: Any) -> AreaLayer:  # noqa: ANN401 - a LevelRow
    return AreaLayer(row.level, "", _AREAS.format(level=row.level))


def _file(name: str) -> Text:
    return _checked(Text(name, FILES[name].read_text(encoding="utf-8")))


def _checked(made: Text) -> Text:
    """Refuse what would end its element before its own end."""
    if _ENDS.search(made.body):
        raise ValueError(f"{made.name} cannot stand in a page")
    return made


def _all_places(session: Session, at_once: int) -> list[PlaceRow]:
    places: list[PlaceRow] = []
    wanted = FacilitiesRequest(on=today(), limit=at_once)
    while True:
        found = facilities(session, wanted)
        places += found.rows
        if found.meta.next is None:
            return places
        wanted = replace(wanted, after=(found.rows[-1].dataset, found.rows[-1].facility_id))


def _data(session: Session, content: MapContent, places: Sequence[PlaceRow], at_once: int) -> dict[str, Json]:
    """Return what the map's scripts would ask a service for, by the addresses they ask."""
    return {
        _ADDRESSES.places: compact(places),
        "angaben": [_stated(orjson.loads(orjson.dumps(place)), _ELSEWHERE) for place in places],
        "suche": [_stated(asdict(row)) for row in areas_and_streets(session)],
        **{_AREAS.format(level=row.level): _collection(session, row.level, at_once) for row in content.levels},
    }


def _stated(given: Mapping[str, Any], without: set[str] | frozenset[str] = frozenset()) -> dict[str, Json]:
    """Return what is known, also within lists: in a script nothing is as good as null."""
    return {
        name: [_stated(one) if isinstance(one, dict) else one for one in value] if isinstance(value, list) else value
        for name, value in given.items()
        if value is not None and name not in without
    }


def _collection(session: Session, level: str, at_once: int) -> dict[str, Json]:
    wanted = AreasRequest(level, today(), simplify_m=SIMPLIFY_M, limit=at_once)
    features: list[Json] = [
        {
            "type": "Feature",
            "geometry": orjson.loads(row.geometry),
            "properties": {
                "area_level": row.area_level,
                "area_key": row.area_key,
                "area_name": row.area_name,
                "facilities": row.facilities,
            },
        }
        for row in areas(session, wanted).rows
        if row.geometry
    ]
    return {"type": "FeatureCollection", "features": features}


def _table(places: Sequence[PlaceRow], language: str) -> DataTable:
    """Return all places as a table: for those who use no map, and without scripts."""
    said = texts(language).gettext
    columns = [*columns_of(language), Column("hours", said("Öffnungszeiten")), Column("contact", said("Kontakt"))]
    rows = ordered(list(enumerate(places)), lambda row: ORDER_VALUES["name"](row[1]), Order("name"))
    return DataTable(
        said("Orte mit ihren Angeboten"),
        columns,
        [_row(place, language) for _at, place in rows],
        attributes=[{"data-at": str(at)} for at, _place in rows],
        language=language,
        stacked=True,
    )


def _row(place: PlaceRow, language: str) -> dict[str, Cell]:
    hours = list(dict.fromkeys(offer["opening_hours"] for offer in place.offers if offer["opening_hours"]))
    contact = [one for one in (place.phone, place.email, place.website) if one]
    return {
        **cells_of(place, language),
        "name": place.name,
        "area": place.area_name,
        "hours": Lines(hours) if hours else None,
        "contact": Lines(contact) if contact else None,
    }


def _frame(content: MapContent, made: MapParts, language: str) -> Frame:
    said = texts(language).gettext
    return Frame(
        title="Sozialraumkarte", language=language, section="karte", role=Role.PUBLIC,
        notice=said(content.notice) if content.notice else None, navigation=(), languages=(), legal=(), urls={},
        maps=(made,), script_urls=(), style_urls=(), path="", query=(),
    )  # fmt: skip
