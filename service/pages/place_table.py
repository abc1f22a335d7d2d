"""A place as a row of a table: its cells, what it is ordered by, and how its facts are written."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from geodata.facilities import OfferRow, PlaceRow
from layers.palette import style_of
from service.pages.components import Cell, Column, Lines, Link
from service.pages.frame import address
from service.pages.wording import filters
from service.texts import SOURCE_LANGUAGE, texts

_FIRST_NUMBER = re.compile(r"[^0-9]*([0-9]{1,6})")
_EMAIL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}@[A-Za-z0-9][A-Za-z0-9-]*(\.[A-Za-z0-9-]+)+", re.ASCII)
_PHONE = re.compile(r"\+?[0-9][0-9 ()/.–-]{2,38}[0-9]", re.ASCII)
_LONGEST_EMAIL = 254

ORDER_VALUES: dict[str, Callable[[PlaceRow], Any]] = {
    "name": lambda row: row.name,
    "category": lambda row: style_of(row.categories[0]).title,
    "provider": lambda row: row.provider,
    "address": lambda row: None if row.street is None else (row.street, _house_number(row.house_number)),
    "area": lambda row: row.area_name,
    "barrier_free": lambda row: None if row.barrier_free is None else ("yes", "partly", "no").index(row.barrier_free),
}


def _house_number(text: str | None) -> tuple[int, str]:
    """Return a house number in its order: 9 before 12 before 12a."""
    first = _FIRST_NUMBER.match(text or "")
    return int(first[1]) if first else 0, text or ""


def columns_of(language: str) -> list[Column]:
    """Return the columns of the list of places."""
    said = texts(language).gettext
    return [
        Column("name", said("Ort"), header=True),
        Column("category", said("Angebote")),
        Column("provider", said("Träger")),
        Column("address", said("Adresse")),
        Column("area", said("Gebiet")),
        Column("barrier_free", said("Barrierefrei")),
    ]


def cells_of(row: PlaceRow, language: str) -> dict[str, Cell]:
    """Return a place's cells; its name leads to its page."""
    return {
        "name": Link(row.name, place_address(row.dataset, row.facility_id, language)),
        "category": Lines([offer_line(offer, language) for offer in row.offers]),
        "provider": row.provider,
        "address": postal_address(row),
        "area": _area_link(row, language),
        "barrier_free": access(row.barrier_free, language),
    }


def _area_link(row: PlaceRow, language: str) -> Link | None:
    if row.area_name is None:
        return None
    return Link(row.area_name, address(f"/gebiete/{row.area_level}/{row.area_key}", _language(language)))


def _language(language: str) -> list[tuple[str, str]]:
    return [] if language == SOURCE_LANGUAGE else [("lang", language)]


def place_address(dataset: str, facility_id: str, language: str = SOURCE_LANGUAGE) -> str:
    """Return the address of a place's page."""
    return address(f"/angebote/{dataset}/{facility_id}", _language(language))


def offer_line(offer: OfferRow, language: str) -> str:
    """Return an offer in one line: what it is, and for whom."""
    title = offer["type"] or texts(language).gettext(style_of(offer["category"]).title)
    return f"{title}, {filters(language)['ages']((offer['age_from'], offer['age_to']))}"


def postal_address(row: PlaceRow) -> str | None:
    """Return street and city in one line; None where the viewer may not know them, or nobody does."""
    street = " ".join(filter(None, (row.street, row.house_number)))
    city = " ".join(filter(None, (row.postcode, row.city)))
    return ", ".join(filter(None, (street, city))) if street else None


def access(value: str | None, language: str) -> str | None:
    """Return whether a place is barrier-free, in words; None: not known."""
    said = texts(language).gettext
    return {"yes": said("ja"), "partly": said("teilweise"), "no": said("nein"), None: None}[value]


def web_address(text: str | None) -> str | None:
    """Return an address that may become a link; None for anything else, which stays text."""
    if text is None:
        return None
    try:
        parts = urlsplit(text.strip())
    except ValueError:
        return None
    return text.strip() if parts.scheme in {"http", "https"} and parts.netloc else None


def mail_link(text: str | None) -> str | None:
    """Return the link that writes to an address; None for anything that is not plainly one, which stays text."""
    text = (text or "").strip()
    return f"mailto:{text}" if len(text) <= _LONGEST_EMAIL and _EMAIL.fullmatch(text) else None


def phone_link(text: str | None) -> str | None:
    """Return the link that dials a number; None for anything that is not plainly one, which stays text."""
    text = (text or "").strip()
    if not _PHONE.fullmatch(text):
        return None
    return "tel:" + re.sub(r"[^+0-9]", "", text.replace("(0)", "") if text.startswith("+") else text)
