"""Which part of the ground a map shows: the body of the areas, without an island a hundred kilometres away."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from layers.canvas import Bounds

Points: TypeAlias = NDArray[np.float64]
_FAR_PARTS, _FAR_SIZE = 0.2, 0.05  # more than that is no island but a half of the body
_GAIN = 0.75  # leaving it out must make the map a third larger, or it stays


def polygons(geometry: Mapping[str, Any] | None) -> list[list[Points]]:
    """Return the polygons of a GeoJSON geometry, each a list of rings (n, 2) in degrees; none of what has no area."""
    if not geometry:
        return []
    single = [geometry.get("coordinates")]
    parts = {"Polygon": single, "MultiPolygon": geometry.get("coordinates")}.get(geometry["type"])
    return [[np.asarray(ring, dtype=np.float64)[:, :2] for ring in part] for part in parts or [] if part]


def body_bounds(shapes: Mapping[str, Any]) -> Bounds | None:
    """Return west, south, east, north of a GeoJSON FeatureCollection's body, or None if nothing in it has an area."""
    outer = [part[0] for one in shapes["features"] for part in polygons(one.get("geometry"))]
    if not outer:
        return None
    kept = [ring for ring, near in zip(outer, in_body(outer), strict=True) if near]
    west, south = np.min([ring.min(axis=0) for ring in kept], axis=0).tolist()
    east, north = np.max([ring.max(axis=0) for ring in kept], axis=0).tolist()
    return west, south, east, north


def in_body(outer: Sequence[Points]) -> NDArray[np.bool_]:
    """Return for each outer ring (n, 2) whether it belongs to the body of the map; far and small ones do not.

    Rings whose boxes come within a twentieth of the whole extent of each other hang together; the largest such group
    is the body. What is left out is little of the whole, and without it the map is drawn at least a third larger.
    """
    import shapely  # noqa: PLC0415
    from scipy.sparse import coo_matrix  # noqa: PLC0415
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    everything = np.ones(len(outer), dtype=np.bool_)
    if len(outer) < 2:
        return everything
    boxes = np.array([(*ring.min(axis=0), *ring.max(axis=0)) for ring in outer])
    extent = _diagonal(boxes)
    pad = extent / 40
    padded = shapely.box(boxes[:, 0] - pad, boxes[:, 1] - pad, boxes[:, 2] + pad, boxes[:, 3] + pad)
    left, right = shapely.STRtree(padded).query(padded)
    near = coo_matrix((np.ones(len(left)), (left, right)), shape=(len(outer), len(outer)))
    _, group = connected_components(near, directed=False)
    size = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    body = group == int(np.argmax(np.bincount(group, weights=size)))
    small = (~body).sum() <= max(1, _FAR_PARTS * len(outer)) and size[~body].sum() <= _FAR_SIZE * size.sum()
    return body if small and _diagonal(boxes[body]) <= _GAIN * extent else everything


def _diagonal(boxes: Points) -> float:
    return float(np.hypot(*(boxes[:, 2:].max(axis=0) - boxes[:, :2].min(axis=0))))
