"""Columns of a source that should say the same: where they do not, somebody should look."""

import numpy as np

from importers.errors import MappingError
from importers.mapping import Mapping
from importers.report import Report
from importers.rules import plain_text
from importers.sources import Chunk


def note_disagreement(chunk: Chunk, mapping: Mapping, report: Report) -> None:
    """Warn of rows in which two columns that the mapping names under ``agree`` differ.

    Raises ``MappingError`` if the source lacks one of them.
    """
    for one, other in mapping.agree:
        for name in (one, other):
            if name not in chunk.columns:
                raise MappingError(f"„{report.source}“ hat keine Spalte „{name}“ (genannt unter „agree“).")
        first = np.array([plain_text(value) for value in chunk.columns[one]], dtype=object)
        second = np.array([plain_text(value) for value in chunk.columns[other]], dtype=object)
        for i in np.flatnonzero(first != second):
            report.warn(
                f"„{one}“ und „{other}“ nennen Verschiedenes; genommen ist, was die Zuordnung vorsieht.",
                row=int(chunk.rows[i]), field=one, value=f"{first[i]} / {second[i]}",
            )  # fmt: skip
