"""The map of what an uploaded file would change."""

from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from geodata.areas import LevelRow
from geodata.version_preview import Fate, Preview, Shape
from layers.areas import AreaLayer
from layers.canvas import Bounds, MapParts, Tiles, parts
from layers.changes import ChangeKind, changes_canvas
from service import assets
from service.context import Context
from service.pages.planning_data_tables import FATES
from service.pages.planning_data_words import distance

_SIMPLIFY_M = 15
_LEAST_DEGREES = 0.01
_ORDER = (Fate.ADDED, Fate.MOVED, Fate.CHANGED, Fate.REMOVED)


def changes_geojson(preview: Preview) -> bytes:
    """Return the shapes of a preview as a FeatureCollection; ``before`` of what moved is a property."""
    features = [{"type": "Feature", "geometry": one.geometry, "properties": _properties(one)} for one in preview.shapes]
    return orjson.dumps({"type": "FeatureCollection", "features": features})


def _properties(shape: Shape) -> dict[str, Any]:
    said = FATES[shape.fate]
    if shape.moved_m is not None:
        said = f"um {distance(shape.moved_m)} verlegt"
    return {"fate": shape.fate.value, "name": shape.name, "said": said, "before": shape.before}


def changes_map(
    context: Context, preview: Preview, levels: Sequence[LevelRow], extent: Bounds | None, url: str
) -> MapParts:
    """Return the map of a preview: what is new, moved, changed or gone, over the areas there are."""
    counted = {fate: sum(one.fate is fate for one in preview.shapes) for fate in _ORDER}
    settings = context.settings
    # The areas that are about to change are drawn by the preview itself.
    ground = next((row for row in levels if row.level == settings.home_level), None)
    drawn = changes_canvas(
        _bounds(preview.shapes) or extent or (5.9, 47.3, 15.0, 55.1),
        [ChangeKind(fate.value, FATES[fate], count) for fate, count in counted.items() if count],
        url=url,
        ground=AreaLayer(
            ground.level,
            ground.title,
            f"/api/v1/areas?level={ground.level}&format=geojson&simplify_m={_SIMPLIFY_M}&limit={settings.max_rows}",
            shown=True,
        )
        if ground is not None and preview.kind == "facilities"
        else None,
        urls=assets.urls(),
        tiles=Tiles(settings.tiles_url, settings.tiles_attribution or "") if settings.tiles_url else None,
    )
    return parts(drawn)


def _bounds(shapes: Sequence[Shape]) -> Bounds | None:
    """Return what holds all shapes, with some air around a single point; None without shapes."""
    found = [at for one in shapes for geometry in (one.geometry, one.before) if geometry for at in _positions(geometry)]
    if not found:
        return None
    west, south = (min(at[axis] for at in found) for axis in (0, 1))
    east, north = (max(at[axis] for at in found) for axis in (0, 1))
    wide, high = (max(0.0, _LEAST_DEGREES - size) / 2 for size in (east - west, north - south))
    return west - wide, south - high, east + wide, north + high


def _positions(geometry: dict[str, Any]) -> Iterator[Sequence[float]]:
    def inner(part: Any) -> Iterator[Sequence[float]]:  # noqa: ANN401 - nested lists of numbers
        if part and isinstance(part[0], int | float):
            yield part
        else:
            for one in part:
                yield from inner(one)

    return inner(geometry["coordinates"])
