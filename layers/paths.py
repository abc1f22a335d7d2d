"""Polygons as paths that matplotlib draws."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def path_of(parts: Sequence[Sequence[NDArray[np.float64]]]) -> Any:  # noqa: ANN401 - matplotlib's path
    """Return polygons with their holes as one path; points that fall together are one."""
    from matplotlib.path import Path  # noqa: PLC0415

    vertices, codes = [], []
    for ring in (ring for part in parts for ring in part):
        moved = np.any(ring[1:] != ring[:-1], axis=1)
        kept = ring[np.concatenate(([True], moved))]
        if len(kept) < 3:
            kept = np.repeat(ring[:1], 3, axis=0)
        vertices.append(kept)
        codes.append(np.array([Path.MOVETO, *[Path.LINETO] * (len(kept) - 2), Path.CLOSEPOLY], dtype=Path.code_type))
    return Path(np.concatenate(vertices), np.concatenate(codes))
