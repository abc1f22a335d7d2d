"""The names servers give coordinate reference systems, and the order of coordinates each form of name stands for."""

import re
from dataclasses import dataclass
from functools import cache

import pyproj

CRS84 = "OGC:CRS84"
METRES = "EPSG:25832"
METRES_URI = "http://www.opengis.net/def/crs/EPSG/0/25832"
# In these forms coordinates stand in the order of the authority (EPSG:4326: latitude first) …
_FORMAL = (
    re.compile(r"urn:(?:x-)?ogc:def:crs:(?P<authority>\w+):(?:[\w.]*:)?(?P<code>\w+)", re.IGNORECASE),
    re.compile(r"https?://www\.opengis\.net/def/crs/(?P<authority>\w+)/[\w.]+/(?P<code>\w+)", re.IGNORECASE),
)
# … in these always east first.
_PLAIN = (
    re.compile(r"https?://www\.opengis\.net/gml/srs/(?P<authority>epsg)\.xml#(?P<code>\d+)", re.IGNORECASE),
    re.compile(r"(?P<authority>EPSG|OGC):(?P<code>\w+)", re.IGNORECASE),
)
# Plane coordinates with heights: the first part is the plane.
_COMPOUND = re.compile(r"urn:ogc:def:crs,(crs:[^,]+),.*", re.IGNORECASE)
# The German surveying authorities' own names; a height system may follow.
_SURVEYORS = re.compile(r"urn:adv:crs:ETRS89_UTM(?P<zone>3[123])(?:\*.*)?")


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference system: its name as ``EPSG:25832``, and whether coordinates of this form stand north first."""

    name: str
    north_first: bool


@cache
def reference(name: str) -> Reference | None:
    """Read a server's name of a reference system; None for one that is not known."""
    text = name.strip()
    if surveyors := _SURVEYORS.fullmatch(text):
        return Reference(f"EPSG:258{surveyors['zone']}", north_first=False)
    if compound := _COMPOUND.fullmatch(text):
        text = f"urn:ogc:def:{compound[1]}"
    for forms, formal in ((_FORMAL, True), (_PLAIN, False)):
        for form in forms:
            if found := form.fullmatch(text):
                code = "CRS84" if found["code"].upper() == "CRS84H" else found["code"].upper()
                known = f"{found['authority'].upper()}:{code}"
                try:
                    axes = pyproj.CRS.from_user_input(known).axis_info
                except pyproj.exceptions.CRSError:
                    return None
                return Reference(known, formal and bool(axes) and axes[0].direction == "north")
    return None
