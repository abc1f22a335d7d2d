"""Areas that a source delivers in parts: rows of one key become one row with one geometry."""

from collections.abc import Iterator, Mapping

import numpy as np
import shapely

from importers.rules import Rule, canonical, is_empty, plain_text
from importers.sources import Chunk, Source


class JoinedSource:
    """A source whose rows of one key and parent are joined: columns and row number of the first, all their geometry.

    Rows without key stay as they are, and so do rows of one key under two parents: the checks name them. What was
    joined is said in ``notes``.
    """

    def __init__(self, source: Source, rules: Mapping[str, Rule]) -> None:
        self._source = source
        self._rules = rules
        self.provenance = source.provenance
        self.columns = source.columns
        self.notes = list(source.notes)
        self.bad_rows = source.bad_rows

    def chunks(self) -> Iterator[Chunk]:
        """Yield one chunk: parts of one area may lie far apart in the source."""
        parts = list(self._source.chunks())
        if not parts:
            return
        whole = Chunk(
            np.concatenate([part.rows for part in parts]),
            {name: np.concatenate([part.columns[name] for part in parts]) for name in parts[0].columns},
            None if parts[0].geometry is None else np.concatenate([np.asarray(part.geometry) for part in parts]),
        )
        groups = self._groups(whole)
        first = np.array([members[0] for members in groups], dtype=int)
        geometry = None
        if whole.geometry is not None:
            geometry = whole.geometry[first].copy()
            for at, members in enumerate(groups):
                shapes = whole.geometry[members]
                shapes = shapes[~shapely.is_missing(shapes)]
                if len(members) > 1 and len(shapes):
                    # Else the union of a bow-tie is an error.
                    geometry[at] = shapely.union_all(shapely.make_valid(shapes))
        several = [len(members) for members in groups if len(members) > 1]
        self.notes[:] = self._source.notes
        if several:
            self.notes.append(f"{sum(several)} Zeilen wurden nach ihrem Schlüssel vereint, zu {len(several)} Gebieten.")
        yield Chunk(whole.rows[first], {name: values[first] for name, values in whole.columns.items()}, geometry)

    def _groups(self, whole: Chunk) -> list[list[int]]:
        """Return the positions of the rows of each area, in the order of their first."""
        given = canonical(whole.columns, len(whole.rows), self._rules, ("key", "parent_key"))
        groups: dict[object, list[int]] = {}
        for i, (key, parent) in enumerate(zip(given["key"], given["parent_key"], strict=True)):
            same = i if is_empty(key) else (plain_text(key), None if is_empty(parent) else plain_text(parent))
            groups.setdefault(same, []).append(i)
        return list(groups.values())
