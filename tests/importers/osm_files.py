"""Little OpenStreetMap extracts drawn by hand: points in metres from a corner in Hamburg, ways with tags."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import quoteattr

from pyproj import Transformer

EAST, NORTH = 560_000, 5_930_000  # where the drawings' corner lies, EPSG:25832
_DEGREES = Transformer.from_crs(25832, 4326, always_xy=True)
Tags = Mapping[str, str]


def _tags(tags: Tags) -> str:
    return "".join(f"<tag k={quoteattr(key)} v={quoteattr(value)}/>" for key, value in tags.items())


@dataclass
class Drawing:
    """Nodes by number, ways by number; ``without`` are nodes that ways name and the file does not hold."""

    nodes: dict[int, tuple[float, float, Tags]] = field(default_factory=dict)
    ways: dict[int, tuple[Sequence[int], Tags]] = field(default_factory=dict)
    relations: dict[int, tuple[Sequence[int], Tags]] = field(default_factory=dict)
    without: set[int] = field(default_factory=set)

    def node(self, number: int, x: float, y: float, **tags: str) -> None:
        self.nodes[number] = (x, y, tags)

    def way(self, number: int, nodes: Sequence[int], tags: Tags | None = None, **more: str) -> None:
        self.ways[number] = (nodes, {**(tags or {}), **more})

    def xml(self) -> str:
        parts = []
        for number, (x, y, tags) in sorted(self.nodes.items()):
            if number not in self.without:
                lon, lat = _DEGREES.transform(EAST + x, NORTH + y)
                parts.append(f'<node id="{number}" lat="{lat:.7f}" lon="{lon:.7f}">{_tags(tags)}</node>')
        for number, (refs, tags) in sorted(self.ways.items()):
            listed = "".join(f'<nd ref="{ref}"/>' for ref in refs)
            parts.append(f'<way id="{number}">{listed}{_tags(tags)}</way>')
        for number, (members, tags) in sorted(self.relations.items()):
            listed = "".join(f'<member type="way" ref="{ref}" role="outer"/>' for ref in members)
            parts.append(f'<relation id="{number}">{listed}{_tags(tags)}</relation>')
        return f'<?xml version="1.0" encoding="UTF-8"?>\n<osm version="0.6">{"".join(parts)}</osm>\n'

    def save(self, path: Path) -> Path:
        path.write_text(self.xml(), encoding="utf-8")
        return path


def grid(side: int, step_m: float = 100.0) -> Drawing:
    """Return streets in a square grid: nodes 1 to side², numbered row by row; ways 1 to 2 · side."""
    drawn = Drawing()
    for row in range(side):
        for column in range(side):
            drawn.node(row * side + column + 1, column * step_m, row * step_m)
    for line in range(side):
        drawn.way(line + 1, [line * side + i + 1 for i in range(side)], highway="residential")
        drawn.way(side + line + 1, [i * side + line + 1 for i in range(side)], highway="residential")
    return drawn
