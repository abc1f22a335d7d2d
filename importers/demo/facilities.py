"""Invented facilities as rows of the canonical table (all text, empty = unknown, one row per Angebot)."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from shapely import MultiPolygon

from importers.demo.dice import Dice
from importers.demo.facts import Stadtteil
from importers.demo.offers import KINDS, OPENING_HOURS, PLACES, Kind, kind_of
from importers.demo.places import Place, places
from importers.demo.providers import provider

COLUMNS = (
    *("id", "facility_id", "name", "category", "type", "provider", "provider_key"),
    *("street", "house_number", "postcode", "city", "state", "lon", "lat", "x", "y"),
    *("paragraphs", "age_from", "age_to", "supply", "supply_unit", "use", "use_unit", "service_area"),
    *("opening_hours", "barrier_free", "phone", "email", "website", "release", "valid_from", "valid_to", "as_of"),
)
"""The canonical columns in their order."""

AS_OF = "2026-01-01"
"""As-of date of every row."""

_TOPIC = 4
_SEVERAL_OFFERS = 0.22  # of the places whose kind can have a second offer; about 12 % of all places
_THIRD_OFFER = 0.25
_WITHOUT_AGES = 0.05
_WITHOUT_SUPPLY = 0.10
_WITHOUT_USE = 0.15
_OKJA_AREA_ONLY = 0.03
_ENDED = 0.006
_BARRIER_FREE = ("yes", "partly", "no", "")
_HZE_RELEASE = ("internal", "public", "area_only")

Row = Mapping[str, str]


def facilities(
    stadtteile: Sequence[Stadtteil], cells: Mapping[str, MultiPolygon], residents_u18: Mapping[str, int]
) -> dict[str, tuple[Row, ...]]:
    """Return the canonical rows by category.

    `cells` (EPSG:25832) and `residents_u18` (persons) are keyed by statistisches Gebiet; points leave in CRS84
    (lon, lat; x, y stay empty).
    """
    return {
        category: tuple(_category(category, places(category, stadtteile, cells, residents_u18))) for category in PLACES
    }


def _category(category: str, sites: Sequence[Place]) -> list[Row]:
    seen: Counter[str] = Counter()
    rows: list[Row] = []
    for number, site in enumerate(sites, start=1):
        dice = Dice(_TOPIC, list(PLACES).index(category), number)
        kinds = _kinds(category, site, dice)
        name = f"Beispiel-{kinds[0].word} {site.area}"
        seen[name] += 1
        if seen[name] > 1:
            name = f"{name} {seen[name]}"
        common = _common(category, number, name, site, dice) | _release(category, kinds, dice)
        for running, kind in enumerate(kinds, start=1):
            offer = {"id": f"{common['facility_id']}-{running}"} | _offer(category, kind, site, dice)
            row = common | offer
            rows.append({column: row.get(column, "") for column in COLUMNS})
    return rows


def _kinds(category: str, site: Place, dice: Dice) -> list[Kind]:
    """Return the kind of the place's first offer and of up to two more."""
    # What is protected stands in Hamburg; the towns around have homes and day groups, no outreach.
    choices = [kind for kind in KINDS[category] if site.bezirk or (kind.supply and not kind.protected)]
    first = dice.pick(choices, [kind.weight for kind in choices])
    more = list(first.second)
    result = [first]
    if more and dice.chance(_SEVERAL_OFFERS):
        result.append(kind_of(category, more.pop(dice.whole(0, len(more) - 1))))
        if more and dice.chance(_THIRD_OFFER):
            result.append(kind_of(category, more.pop(0)))
    return result


def _common(category: str, number: int, name: str, site: Place, dice: Dice) -> dict[str, str]:
    """Return what all offers of a place share: name, provider, address, point, contact, validity."""
    owner = provider(category, dice)
    identity = f"beispiel-{category}-{number:04d}"
    address = {key: str(value) for key, value in asdict(site).items() if key in COLUMNS}
    year = dice.whole(1978, 2023)
    return address | {
        "facility_id": identity,
        "name": name,
        "category": category,
        "provider": owner.name,
        "provider_key": owner.key,
        "barrier_free": dice.pick(_BARRIER_FREE, (40, 20, 20, 20)),
        "phone": f"040 000 {number // 100:02d} {number % 100:02d}" if dice.chance(0.9) else "",
        "email": "info@beispiel.invalid" if dice.chance(0.85) else "",
        "website": f"https://beispiel.invalid/{identity}" if dice.chance(0.8) else "",
        "valid_from": f"{year}-{dice.whole(1, 12):02d}-01",
        "valid_to": f"2024-{dice.whole(1, 12):02d}-28" if dice.chance(_ENDED) else "",
        "as_of": AS_OF,
    }


def _release(category: str, kinds: Sequence[Kind], dice: Dice) -> dict[str, str]:
    """Return the place's release; one protected offer protects the whole place."""
    if any(kind.protected for kind in kinds):
        return {"release": "protected"}
    if category == "hze":
        return {"release": dice.pick(_HZE_RELEASE, (62, 20, 18))}
    return {"release": "area_only" if category == "okja" and dice.chance(_OKJA_AREA_ONLY) else "public"}


def _offer(category: str, kind: Kind, site: Place, dice: Dice) -> dict[str, str]:
    """Return what belongs to one offer: type, law, ages, supply, use."""
    age_from, age_to = ("", "") if dice.chance(_WITHOUT_AGES) else dice.pick(kind.ages)
    row = {
        "type": kind.type,
        "paragraphs": dice.pick(kind.paragraphs),
        "age_from": age_from,
        "age_to": age_to,
        "service_area": "citywide" if site.bezirk and dice.chance(kind.citywide) else "local",
        "opening_hours": dice.pick(OPENING_HOURS[category]),
    }
    if kind.supply and not dice.chance(_WITHOUT_SUPPLY):
        row |= {"supply": str(dice.whole(*kind.supply)), "supply_unit": kind.unit}
    if kind.use and not dice.chance(_WITHOUT_USE):
        row |= {"use": str(dice.whole(*kind.use)), "use_unit": "regular_users_per_week"}
    return row
