"""All pages of the service, each with an address that shows something in the demo city."""

from dataclasses import dataclass
from enum import Enum

from sqlalchemy.orm import Session

from geodata.areas import AreasRequest, areas
from geodata.facilities import FacilitiesRequest, facilities
from geodata.import_reports import imports
from geodata.viewer import PUBLIC, Role, Viewer
from service.context import today
from service.uploads.fields import Kind

WAITING = "facilities.neu"


class Eyes(Enum):
    """Who looks at a page."""

    PUBLIC = PUBLIC
    PLANNER = Viewer(Role.PLANNER, office_areas=(("bezirk", "1"),))
    ADMIN = Viewer(Role.ADMIN)


@dataclass(frozen=True, slots=True)
class ServicePage:
    """A page: ``name`` for reports and pictures, its address, who sees it and the status it answers with.

    ``tables``: without JavaScript it shows a table of results. ``pictured``: it is among the pictures of docs/bilder.
    ``own_styles``: its content writes style attributes, which only Swagger UI may. ``waiting``: it needs a file that
    has been uploaded and not confirmed: ``waiting_file``, of the category ``okja``, for the dataset ``WAITING``.
    """

    name: str
    path: str
    eyes: Eyes = Eyes.PUBLIC
    status: int = 200
    tables: bool = False
    pictured: bool = True
    own_styles: bool = False
    waiting: bool = False


def waiting_file() -> str:
    """Return a table of places that can be taken over, but for one that lies outside of the demo city."""
    rows = [f"neu-{n};Jugendhaus {n};{9.97 + n / 500:.3f};{53.55 + n / 900:.3f};Haus der Jugend" for n in range(39)]
    return "\n".join(["id;name;lon;lat;type", *rows, "neu-39;Haus in Pinneberg;9.80;54.10;Haus der Jugend", ""])


def public_pages(session: Session) -> list[ServicePage]:
    """Return what everybody sees; ``session`` is one of the demo city."""
    place = facilities(session, FacilitiesRequest(on=today(), categories=("okja",), limit=1)).rows[0]
    return [
        ServicePage("karte", "/"),
        ServicePage("karte-auswahl", "/?category=okja&category=sha&age=12&barrier_free=yes"),
        ServicePage("karte-englisch", "/?lang=en", pictured=False),
        ServicePage("einbetten", "/einbetten"),
        ServicePage("einbetten-anleitung", "/einbetten/anleitung"),
        ServicePage("einbetten-anleitung-englisch", "/einbetten/anleitung?lang=en", pictured=False),
        ServicePage("angebote", "/angebote", tables=True),
        ServicePage("angebote-auswahl", "/angebote?category=okja&age=12&area=bezirk:1&sort=-name&seite=2", tables=True,
                    pictured=False),
        ServicePage("angebote-nichts", "/angebote?q=gibtesnirgends", pictured=False),
        ServicePage("angebote-englisch", "/angebote?lang=en&q=haus", tables=True, pictured=False),
        ServicePage("angebot", f"/angebote/{place.dataset}/{place.facility_id}"),
        ServicePage("angebot-englisch", f"/angebote/{place.dataset}/{place.facility_id}?lang=en", pictured=False),
        *(ServicePage(f"gebiet-{level}", f"/gebiete/{level}/{_key(session, level)}", tables=True,
                      pictured=level == "stadtteil")
          for level in ("bezirk", "stadtteil", "sozialraum", "statgebiet")),
        ServicePage("gebiet-englisch", f"/gebiete/stadtteil/{_key(session, 'stadtteil')}?lang=en", tables=True,
                    pictured=False),
        ServicePage("anmelden", "/anmelden"),
        ServicePage("fehlt", "/gebiete/stadtteil/gibt-es-nicht", status=404),
        ServicePage("falsche-angabe", "/angebote?age=zwölf", status=400, pictured=False),
        ServicePage("nicht-angemeldet", "/planung", status=403, pictured=False),
        ServicePage("schnittstelle", "/api/docs", own_styles=True, pictured=False),
    ]  # fmt: skip


def planning_pages(session: Session) -> list[ServicePage]:
    """Return the planning desk (the session is a planner's), some views with a change or a choice as well."""
    imported = imports(session, "facilities.okja")[0].import_id
    stadtteil = _key(session, "stadtteil")
    desk = {
        "planung": "/planung",
        "kennzahlen": "/planung/kennzahlen",
        "kennzahlen-veraenderung": "/planung/kennzahlen?indicator=alleinerziehende_proz&compare=2024",
        "kennzahlen-intern": "/planung/kennzahlen?indicator=cases&level=bezirk&version=intern",
        "versorgung": "/planung/versorgung",
        "versorgung-einzug": "/planung/versorgung?measure=catchment&level=bezirk&category=okja",
        "erreichbarkeit": "/planung/erreichbarkeit",
        "erreichbarkeit-punkt": "/planung/erreichbarkeit?lon=9.99&lat=53.55&minutes=20",
        "bedarf": "/planung/bedarf",
        "bedarf-annahmen": "/planung/bedarf?need1=alleinerziehende_proz&version=intern",
        "unterbringung": "/planung/unterbringung",
        "unterbringung-sozialraum": "/planung/unterbringung?level=sozialraum&area=bezirk:1&show=per_1000",
        "controlling": "/planung/controlling",
        "controlling-tafel": "/planung/controlling?area=bezirk:1&area=bezirk:2&measure=spending_per_resident",
        "controlling-budget": "/planung/controlling/budget",
        "vergleichsgebiete": f"/planung/vergleichsgebiete?level=stadtteil&key={stadtteil}",
        "vergleichsgebiete-wahl": "/planung/vergleichsgebiete",
        "daten": "/planung/daten",
        "daten-bestand": "/planung/daten/bestand/facilities.okja",
        "daten-bericht": f"/planung/daten/bericht/{imported}",
    }
    plain = {"planung", "vergleichsgebiete-wahl", "daten-bericht"}
    secondary = {"versorgung-einzug", "bedarf-annahmen", "vergleichsgebiete-wahl", "kennzahlen-intern"}
    return [
        ServicePage(name, path, Eyes.PLANNER, tables=name not in plain, pictured=name not in secondary)
        for name, path in desk.items()
    ]


def upload_pages() -> list[ServicePage]:
    """Return what only an administrator sees; the last needs a file that waits for its confirmation."""
    form = "/planung/daten/hochladen"
    kinds = [
        ServicePage(f"daten-hochladen-{kind.value}", f"{form}?art={kind.value}", Eyes.ADMIN,
                    pictured=kind is Kind.FACILITIES)
        for kind in Kind
    ]  # fmt: skip
    return [
        ServicePage("daten-verwaltung", "/planung/daten", Eyes.ADMIN, tables=True, pictured=False),
        ServicePage("daten-hochladen", form, Eyes.ADMIN),
        *kinds,
        ServicePage("daten-pruefung", "/planung/daten/pruefung", Eyes.ADMIN, waiting=True),
    ]


def all_pages(session: Session) -> list[ServicePage]:
    """Return every page of the service; the session is a planner's."""
    return [*public_pages(session), *planning_pages(session), *upload_pages()]


def _key(session: Session, level: str) -> str:
    """Return the key of an area of the demo city that has figures."""
    keys = [row.area_key for row in areas(session, AreasRequest(level, today(), geometry=False)).rows]
    return "101" if "101" in keys else keys[0]
