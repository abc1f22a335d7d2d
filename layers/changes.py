"""A map of what a new version of the data would change: new, moved, changed and gone, each with a sign of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import folium

from layers.areas import AreaLayer, add_area_levels
from layers.canvas import Bounds, Tiles, canvas
from layers.embed import Json, call


@dataclass(frozen=True, slots=True)
class ChangeKind:
    """One kind of change on the map: ``fate`` as in the GeoJSON, its German word and how many there are."""

    fate: str
    title: str
    count: int


# Shapes and lines differ too, so that nothing hangs on colour alone: plus, arrow, diamond, cross.
_LOOKS: Mapping[str, tuple[str, str, str | None]] = MappingProxyType(
    {
        "added": ("#00785a", "M9 2h6v7h7v6h-7v7H9v-7H2V9h7z", None),
        "moved": ("#0072b2", "M13 3l9 9-9 9v-6H2V9h11z", "6 5"),
        "changed": ("#8a5a00", "M12 1.5l10.5 10.5L12 22.5 1.5 12z", "2 5"),
        "removed": ("#b3261e", "M6 1.8l6 6 6-6L22.2 6l-6 6 6 6-4.2 4.2-6-6-6 6L1.8 18l6-6-6-6z", "10 4 2 4"),
    }
)


def changes_canvas(
    bounds: Bounds,
    kinds: Sequence[ChangeKind],
    *,
    url: str,
    urls: Mapping[str, str],
    tiles: Tiles | None,
    ground: AreaLayer | None = None,
) -> folium.Map:
    """Return the map of the changes at ``url``: GeoJSON of points and polygons with fate, name, said, before.

    ``before`` is the old geometry of what moved or got another border, ``said`` what the tooltip says of the change.
    ``ground``: areas beneath, for orientation.
    """
    result = canvas(
        bounds, urls=urls, tiles=tiles, attribution="", name="aenderungskarte", label="Karte der Änderungen"
    )
    shown: list[Json] = []
    for kind in kinds:
        colour, shape, dash = _LOOKS[kind.fate]
        shown.append(
            {"fate": kind.fate, "title": kind.title, "count": kind.count, "colour": colour, "shape": shape,
             "dash": dash}
        )  # fmt: skip
    call(
        result,
        "changes",
        {"url": url, "kinds": shown},
        scripts=[("srk-roving", urls["srk-roving.js"]), ("srk-changes", urls["srk-changes.js"])],
    )
    if ground is not None:
        add_area_levels(result, [ground], urls=urls)
    return result
