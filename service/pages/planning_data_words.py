"""Words of the pages on data: what columns and codes of files are called, how values of two versions are written."""

import contextlib
import datetime as dt
import re
from collections.abc import Mapping
from zoneinfo import ZoneInfo

from geodata import words
from geodata.categories import TITLES
from service.labels import ROW_LABELS
from service.pages.planning_words import COUNTINGS, FLAGS, SUPPLY_UNITS, UNITS

_GERMANY = ZoneInfo("Europe/Berlin")
_MOST_CHARS = 160

FIELD_LABELS: Mapping[str, str] = ROW_LABELS | {
    "id": "Angebot (id)",
    "x": "Rechtswert (x)",
    "y": "Hochwert (y)",
    "geometry": "Grenze oder Lage",
    "level": "Gebietsebene",
    "population_period": "Zeitraum der Einwohnerzahlen",
    "location_quality": "Güte der Ortsbestimmung (0 bis 1)",
    "parent_derived": "Übergeordnetes Gebiet errechnet",
    "provider_state": "Bundesland des Trägers",
    "provider_area_level": "Gebietsebene des Trägers",
    "provider_area_key": "Gebiet des Trägers (Schlüssel)",
    "place_state": "Bundesland der Einrichtung",
    "scope_level": "Gebietsebene der Lieferung",
    "scope_key": "Gebiet der Lieferung (Schlüssel)",
    "starts": "Beginn des Zeitraums",
    "ends": "Ende des Zeitraums",
}
FIGURE_RELEASES = {"public": "öffentlich", "internal": "nur für die Planung"}
_WORDS: Mapping[str, Mapping[str, str]] = {
    "category": TITLES,
    "barrier_free": {"yes": "ja", "partly": "teilweise", "no": "nein"},
    "release": FIGURE_RELEASES | {"area_only": "nur das Gebiet", "protected": "geschützt"},
    "supply_unit": SUPPLY_UNITS,
    "use_unit": {"regular_users_per_week": "Stammnutzer je Woche"},
    "service_area": {"local": "Umgebung", "citywide": "ganze Stadt"},
    "counting": COUNTINGS,
    "unit": UNITS,
    "flag": FLAGS | {"ok": "ohne Einschränkung", "suppressed": "unterdrückt", "missing": "keine Angabe"},
    "area_role": {"zustaendig": "zuständig", "herkunft": "Herkunft"},
}
_DATES = frozenset({"as_of", "valid_from", "valid_to", "starts", "ends"})
_BORDER = re.compile(r"(?:MULTI)?POLYGON, ([0-9]+) m², ([0-9]+) Ecken")
_HECTARE_M2 = 10_000


def moment(at: dt.datetime) -> str:
    """Return a moment as a German reader in Germany writes it."""
    return f"{at.astimezone(_GERMANY):%d.%m.%Y, %H:%M Uhr}".replace(" ", "\N{NO-BREAK SPACE}")


def field_text(name: str) -> str:
    """Return what a column of a file is called, with the name it has there where that is another."""
    label = FIELD_LABELS.get(name)
    return short(name) if label is None else label if name in label else f"{label} ({name})"


def change_text(name: str, old: object, new: object) -> str:
    """Return what a value was and is, with its name."""
    return f"{FIELD_LABELS.get(name, name)}: {value_text(name, old)} → {value_text(name, new)}"


def border_text(old: object, new: object) -> str:
    """Return what a border was and is, by its area and corners."""
    return f"Grenze: {_border(old)} → {_border(new)}"


def _border(value: object) -> str:
    found = _BORDER.fullmatch(str(value))
    if found is None:
        return value_text("geom", value)
    area, corners = int(found[1]), words.number(int(found[2]))
    size = f"{words.number(area / _HECTARE_M2)} ha" if area >= 10 * _HECTARE_M2 else f"{words.number(area)} m²"
    return f"{size}, {corners} Ecken"


def distance(metres: float) -> str:
    """Return a distance in metres, from one kilometre on in kilometres."""
    return f"{words.number(metres)} m" if metres < 1000 else f"{words.number(metres / 1000, 1)} km"


def value_text(name: str, value: object) -> str:
    """Return a value of a version as a reader writes it."""
    if value is None or value in ("", []):
        return "leer"
    if isinstance(value, bool):
        return "ja" if value else "nein"
    if isinstance(value, int | float):
        return words.plain(value, 6)
    if isinstance(value, list):
        return short("; ".join(str(part) for part in value))
    if name in _DATES:
        with contextlib.suppress(ValueError):
            return f"{dt.date.fromisoformat(str(value)):%d.%m.%Y}"
    return short(_WORDS.get(name, {}).get(str(value), str(value)))


def short(value: str) -> str:
    """Return a text, its end cut off where it is long."""
    return value if len(value) <= _MOST_CHARS else f"{value[:_MOST_CHARS]}…"
