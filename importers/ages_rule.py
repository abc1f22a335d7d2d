"""Ages from classes: sources that tick age groups, one column each, become one target age ``from`` to ``to``.

.. code-block:: toml

    [ages]
    yes = ["auch"]                 # further words for "this class too"; the usual ones are known
    classes = [
        { from = "zielgruppe_alter_0_2_jahre", age_from = 0, age_to = 3 },
        { from = "zielgruppe_alter_3_5_jahre", age_from = 3, age_to = 6 },
        { from = "zielgruppe_ab_21", age_from = 21 },     # open end
    ]
"""

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from importers.errors import MappingError
from importers.report import Report
from importers.rules import Strict, is_empty, plain_text
from importers.sources.base import Chunk, objects

_YES = frozenset({"ja", "j", "x", "wahr", "true", "yes", "y"})
_NO = frozenset({"nein", "n", "falsch", "false", "no", "-", "–", ".", "/", "keine", "keine angabe", "keine daten"})
_NUMBER = re.compile(r"\+?(\d+(?:[.,]\d+)?)\s*%?")


class AgeClass(Strict):
    """One column that ticks an age group: ``age_from`` inclusive to ``age_to`` exclusive; none: open end."""

    source: str = Field(alias="from")
    age_from: int = Field(ge=0, le=120)
    age_to: int | None = Field(default=None, ge=1, le=120)


class Ages(Strict):
    """The age groups of a source, youngest first. ``yes`` and ``no``: further words for ticked and not ticked."""

    classes: tuple[AgeClass, ...] = Field(min_length=1)
    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _ascending(self) -> "Ages":
        end: int | None = 0
        for group in self.classes:
            if end is None or group.age_from < end:
                raise ValueError("die Altersgruppen stehen nicht in aufsteigender Folge oder überschneiden sich")
            if group.age_to is not None and group.age_to <= group.age_from:
                raise ValueError(f"bei „{group.source}“ liegt age_to nicht über age_from")
            end = group.age_to
        return self

    def sources(self) -> tuple[str, ...]:
        """Return the source columns that are read."""
        return tuple(group.source for group in self.classes)

    def ticked(self, value: object) -> bool | None:
        """Tell whether a cell ticks its class: a positive number or a word for yes; None where it says neither."""
        if is_empty(value) or value != value:  # noqa: PLR0124 - NaN
            return False
        if isinstance(value, bool | int | float | np.number):
            return bool(value > 0)
        word = plain_text(value).casefold()
        number = _NUMBER.fullmatch(word)
        if number is not None:
            return float(number[1].replace(",", ".")) > 0
        if word in _YES or word in {said.casefold() for said in self.yes}:
            return True
        if not word or word in _NO or word in {said.casefold() for said in self.no}:
            return False
        return None


def ages_of(chunk: Chunk, ages: Ages | None, report: Report) -> dict[str, NDArray[Any]]:
    """Return ``age_from`` and ``age_to`` (objects: int or None) of a chunk's rows; nothing without a rule.

    From the lowest ticked class to the upper bound of the highest. No class ticked: the ages are not known. A cell that
    says neither yes nor no makes the ages of its row unknown and is reported. Raises ``MappingError`` where the source
    lacks a column.
    """
    if ages is None:
        return {}
    for name in ages.sources():
        if name not in chunk.columns:
            raise MappingError(
                f"Die Quelle hat keine Spalte „{name}“ (gebraucht für die Altersgruppen). "
                f"Vorhanden: {', '.join(chunk.columns)}."
            )
    low: list[int | None] = []
    high: list[int | None] = []
    for i, row in enumerate(chunk.rows.tolist()):
        found = _span(ages, {name: chunk.columns[name][i] for name in ages.sources()}, row, report)
        low.append(found[0])
        high.append(found[1])
    return {"age_from": objects(low), "age_to": objects(high)}


def _span(ages: Ages, cells: dict[str, Any], row: int, report: Report) -> tuple[int | None, int | None]:
    said = {group: ages.ticked(cells[group.source]) for group in ages.classes}
    unclear = next((group for group, tick in said.items() if tick is None), None)
    if unclear is not None:
        report.warn(
            "Ob diese Altersgruppe gemeint ist, lässt sich nicht sagen; das Angebot steht ohne Alter.",
            row=row, field=unclear.source, value=cells[unclear.source],
        )  # fmt: skip
        return None, None
    ticked = [group for group, tick in said.items() if tick]
    if not ticked:
        return None, None
    first, last = ages.classes.index(ticked[0]), ages.classes.index(ticked[-1])
    if last - first + 1 > len(ticked):
        report.info(
            "Zwischen den genannten Altersgruppen ist eine Lücke; das Angebot gilt von der jüngsten bis zur ältesten.",
            row=row, field=ticked[0].source,
        )  # fmt: skip
    return ticked[0].age_from, ticked[-1].age_to
