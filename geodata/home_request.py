"""What is asked about homes near the areas, and the row that answers it. Wrong requests are refused here."""

import re
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from geodata import words
from geodata.errors import ParameterError
from geodata.placement_request import PlacementsRequest
from geodata.viewer import Version

KEY_DATE = "stichtag"
MOST_BANDS = 5
MOST_KM = 200.0
# Bands are given to the metre.
_METRE = 3
_PARAGRAPH = re.compile(r"[0-9]{1,3}[a-z]?(\.[0-9]+)?")


@dataclass(frozen=True, slots=True)
class HomeGapsRequest:
    """Cases and places in homes under a ``paragraph``, for the areas of ``level``.

    ``on``: the day on which offers must be valid. ``period`` None: the latest there is; ``area_role`` and ``counting``
    as in ``PlacementsRequest``. ``area`` is (level, key): only it or the areas inside it. ``bands_km``: at most five
    rising distances above 0 and up to 200 km, as the crow flies, inclusive; ``near_km`` is the one of them that counts
    as near, None: the first. ``limit`` None: all rows; ``after`` is the key of the last row of the page before.
    """

    level: str
    on: date
    paragraph: str = "34"
    period: str | None = None
    area_role: str | None = None
    counting: str = KEY_DATE
    area: tuple[str, str] | None = None
    bands_km: tuple[float, ...] = (5.0, 10.0, 20.0)
    near_km: float | None = None
    geometry: bool = False
    limit: int | None = None
    after: str | None = None
    version: Version = Version.PUBLISHED


@dataclass(frozen=True, slots=True)
class HomeBand:
    """What is within ``km`` (inclusive) of an area's centre, as the crow flies; None: the area has no borders.

    ``homes``: of which ``homes_without_places`` state no places; ``places``: None also where none of them states any.
    """

    km: float
    homes: int | None
    homes_without_places: int | None
    places: float | None


@dataclass(frozen=True, slots=True)
class HomeGapRow:
    """Cases of one area beside the places in homes; ``area_key`` ``ohne``: what lies in no area, or is for the city.

    ``cases``: None: suppressed (``suppressed``) or missing. ``homes`` in the area with at least one matching offer, of
    which ``homes_without_places`` state no places; ``places``: 0 where there is no home, None where there are homes but
    none states any; all None for an area without borders. ``bands``: the same by distance from the centre of the
    residents under 21 (a point inside the borders where none are known). ``nearest_km``: to the nearest home with a
    shown point that does not state 0 places; None: there is none, or no centre. ``office_…``: the same in the area of
    the home level that the area is or lies in; None: that is not known. ``none_near``: within the near band there is no
    home that has or may have places, nor in the area one whose point is not shown; None: that is not known.
    ``near_places_per_case``: places within the near band by case. ``local_share`` (0 to 1): of the cases whose
    provider's state is known those with a provider in the area; ``own_occupancy``: these cases by places of the area,
    on key dates only, above 1 where there are more; both None unless the viewer reads the area's cases as they are.
    ``rank`` 1: the most cases among the areas without a place near; after them the others with cases; equal ones share
    it; None: no case, or something is not known. ``reason`` says it in a sentence, ``note`` what else is to be known.
    ``suppressed_fields``: names of fields that are None to protect small counts.
    """

    area_level: str
    area_key: str
    area_name: str | None
    period: str
    paragraph: str
    area_role: str
    counting: str
    cases: int | None
    homes: int | None
    homes_without_places: int | None
    places: float | None
    bands: tuple[HomeBand, ...]
    nearest_km: float | None
    office_key: str | None
    office_homes: int | None
    office_homes_without_places: int | None
    office_places: float | None
    none_near: bool | None
    near_places_per_case: float | None
    local_share: float | None
    own_occupancy: float | None
    rank: int | None
    reason: str
    note: str | None
    suppressed: bool
    suppressed_fields: tuple[str, ...]
    geometry: str | None


def near_km_of(request: HomeGapsRequest) -> float:
    """Return the band that counts as near; raise ``ParameterError`` for what needs no look at the data."""
    if not _PARAGRAPH.fullmatch(request.paragraph):
        raise ParameterError(
            "paragraph", f"„{request.paragraph[:20]}“ ist kein Paragraf; er wird wie „34“ oder „35a“ geschrieben."
        )
    bands = request.bands_km
    if not 1 <= len(bands) <= MOST_BANDS:
        raise ParameterError("bands_km", f"Bitte mit bands_km eine bis {MOST_BANDS} Entfernungen in km angeben.")
    if not all(0 < km <= MOST_KM and round(km, _METRE) == km for km in bands):
        raise ParameterError(
            "bands_km",
            f"Entfernungen in bands_km liegen über 0 und höchstens bei {words.plain(MOST_KM)} km, mit höchstens "
            f"{_METRE} Nachkommastellen.",
        )
    if any(one >= other for one, other in pairwise(bands)):
        raise ParameterError("bands_km", "Entfernungen in bands_km müssen ansteigen, etwa 5,10,20.")
    if request.near_km is None:
        return bands[0]
    if request.near_km not in bands:
        offered = [f"{km:g}" for km in bands]
        raise ParameterError(
            "near_km", f"near_km muss eine der Entfernungen aus bands_km sein: {', '.join(offered)}.", offered
        )
    return request.near_km


def placements_asked(request: HomeGapsRequest) -> PlacementsRequest:
    """Return the request for the placements that the homes are set beside."""
    return PlacementsRequest(
        level=request.level,
        paragraph=request.paragraph,
        period=request.period,
        area_role=request.area_role,
        counting=request.counting,
        area=request.area,
        geometry=request.geometry,
        version=request.version,
    )
