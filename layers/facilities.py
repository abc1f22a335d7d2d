"""Places as clustered symbols, filtered in the browser; details are fetched, never written into the page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import folium

from layers.embed import Json, call
from layers.palette import STYLES, style_of


@dataclass(frozen=True, slots=True)
class FacilityLayer:
    """One category of places, with the number of them; an empty title means the palette's."""

    category: str
    title: str
    count: int
    shown: bool = True

    def heading(self) -> str:
        """Return the title to show."""
        return self.title or style_of(self.category).title


@dataclass(frozen=True, slots=True)
class Walking:
    """How far it is to what is near: beeline times ``detour`` at ``metres_per_minute``; ``note`` says so."""

    metres_per_minute: float
    detour: float
    note: str


def symbol(category: str) -> dict[str, Json]:
    """Return what the browser needs to draw a category's symbol."""
    style = style_of(category)
    return {"colour": style.colour, "shape": style.shape}


def add_facilities(
    target: folium.Map,
    layers: Sequence[FacilityLayer],
    *,
    url: str,
    detail_url: str,
    urls: Mapping[str, str],
    page_url: str | None = None,
) -> None:
    """Add the places of one resource (see ``places.compact``).

    ``detail_url`` and ``page_url`` (the page of a place, where there is one) have the placeholders {dataset} and
    {facility_id}. A place of several categories is shown while one of them is, with the symbol of the first that is.
    """
    for pattern in filter(None, (detail_url, page_url)):
        if "{facility_id}" not in pattern:
            raise ValueError("detail_url lacks the placeholder {facility_id}")
    titles = {category: style.title for category, style in STYLES.items()}
    titles |= {layer.category: layer.heading() for layer in layers}
    call(
        target,
        "facilities",
        {
            "url": url,
            "detail": detail_url,
            "page": page_url,
            "titles": titles,
            "categories": [
                {
                    "category": layer.category,
                    "title": layer.heading(),
                    "shown": layer.shown,
                    **symbol(layer.category),
                }
                for layer in layers
            ],
        },
        scripts=[
            ("srk-places", urls["srk-places.js"]),
            ("srk-detail", urls["srk-detail.js"]),
            ("srk-facilities", urls["srk-facilities.js"]),
        ],
    )


@dataclass(frozen=True, slots=True)
class Kept:
    """What narrows the places before the form does: parameters that stay in the address as they are.

    ``total``: how many places there are without them.
    """

    parameters: Mapping[str, str]
    total: int


def add_filters(
    target: folium.Map, *, form: str, list_url: str, urls: Mapping[str, str], kept: Kept | None = None
) -> None:
    """Let the page's form of this id filter the places, and the page's address say what is shown.

    The form has the fields ``category``, ``type``, ``age`` (a select) and ``barrier_free``; ``list_url`` is the list
    that takes the same parameters. Elements with ``data-found`` of the form's id are told how many places fit.
    """
    data: dict[str, Json] = {"form": form, "list": list_url}
    if kept is not None:
        data |= {"kept": dict(kept.parameters), "total": kept.total}
    call(target, "filters", data, scripts=[("srk-filters", urls["srk-filters.js"])])


def add_search(
    target: folium.Map, *, form: str, near: str, url: str, walking: Walking, urls: Mapping[str, str]
) -> None:
    """Let the page's form of this id search; what is near a found address is listed in the element ``near``.

    ``url`` is the search without its text, which is put behind it.
    """
    call(
        target,
        "search",
        {
            "form": form,
            "near": near,
            "url": url,
            "metres_per_minute": walking.metres_per_minute,
            "detour": walking.detour,
            "note": walking.note,
        },
        scripts=[("srk-search", urls["srk-search.js"])],
    )
