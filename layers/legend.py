"""The legend: what the signs on the map mean, in the panel of the map and as HTML beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal, TypeAlias

import folium

from geodata.words import counted
from layers.classes import Classes
from layers.embed import Json, call
from layers.facilities import symbol
from layers.palette import INK, PATTERNS, ZERO, Pattern, diverging, sequential, style_of

AREA_TITLE = "Gebiet"
CLUSTER_TITLE = "zusammengefasste Einrichtungen"
ZERO_TITLE = "0"
MISSING_TITLE = "keine Angabe"
SUPPRESSED_TITLE = "unterdrückt"

Kind: TypeAlias = Literal["class", "zero", "missing", "suppressed"]


@dataclass(frozen=True, slots=True)
class ClassEntry:
    """One line of the legend of a map of numbers: its colour, or for missing and suppressed its pattern."""

    kind: Kind
    title: str
    colour: str
    count: int
    pattern: Pattern | None = None


def class_entries(classes: Classes) -> list[ClassEntry]:
    """Return the legend of a map of numbers: the classes, then zero, missing and suppressed, even where none is so.

    A scale that diverges about 0 has the zeros in its middle.
    """
    colours = class_colours(classes)
    entries = [
        ClassEntry("class", one.label, colour, one.count) for one, colour in zip(classes.ranges, colours, strict=True)
    ]
    if classes.zero is not None:
        below = sum(one.upper is not None and one.upper <= 0 for one in classes.ranges)
        entries.insert(below, ClassEntry("zero", ZERO_TITLE, ZERO, classes.zero))
    nothing: tuple[tuple[Kind, str, int], ...] = (
        ("missing", MISSING_TITLE, classes.missing),
        ("suppressed", SUPPRESSED_TITLE, classes.suppressed),
    )
    for kind, title, count in nothing:
        pattern = PATTERNS[kind]
        entries.append(ClassEntry(kind, title, pattern.ground, count, pattern))
    return entries


def entry_numbers(classes: Classes, entries: Sequence[ClassEntry]) -> list[int]:
    """Return for each area which line of the legend it is drawn as."""
    of_class = [at for at, entry in enumerate(entries) if entry.kind == "class"]
    of_kind = {entry.kind: at for at, entry in enumerate(entries) if entry.kind != "class"}
    return [of_class[member] if isinstance(member, int) else of_kind[member] for member in classes.members]


def class_colours(classes: Classes) -> list[str]:
    """Return the colour of each class, from light to dark or, on a diverging scale, by its distance from the middle."""
    if classes.ranges and classes.ranges[0].step is not None:
        return [diverging(one.step or 0, classes.steps) for one in classes.ranges]
    return sequential(len(classes.ranges)) if classes.ranges else []


def class_legend_html(classes: Classes, *, title: str, unit: str, name: str = "legende") -> str:
    """Return the legend of a map of numbers as HTML for the page: it stands without scripts, styles and colours.

    All texts are escaped here. ``name`` tells two legends on one page apart (letters, digits, hyphens).
    """
    lines = "".join(
        f'<li class="srk-class">{swatch_svg(entry, f"{name}-{entry.kind}")}'
        f'<span>{escape(entry.title)}</span> <span class="srk-count">{escape(areas_text(entry.count))}</span></li>'
        for entry in class_entries(classes)
    )
    unit_text = f' <span class="srk-unit">({escape(unit)})</span>' if unit else ""
    return (
        f'<div class="srk-classes"><p class="srk-classes-title">{escape(title)}{unit_text}</p>'
        f'<ul>{lines}</ul><p class="srk-method">{escape(classes.sentence)}</p></div>'
    )


def areas_text(count: int) -> str:
    """Return a number of areas in words ("1 Gebiet", "12 Gebiete")."""
    return counted(count, "1 Gebiet", "Gebiete")


def swatch_svg(entry: ClassEntry, pattern_id: str) -> str:
    """Return a patch of a class's colour or pattern as inline SVG without style attributes; it is decoration."""
    fill, defs = entry.colour, ""
    if entry.pattern is not None:
        one = entry.pattern
        paint = f'fill="none" stroke="{one.ink}" stroke-width="{one.stroke}"' if one.stroke else f'fill="{one.ink}"'
        defs = (
            f'<defs><pattern id="{escape(pattern_id)}" width="{one.size}" height="{one.size}" '
            f'patternUnits="userSpaceOnUse"><rect width="{one.size}" height="{one.size}" fill="{one.ground}"></rect>'
            f'<path d="{one.path}" {paint}></path></pattern></defs>'
        )
        fill = f"url(#{escape(pattern_id)})"
    return (
        '<svg class="srk-swatch" width="28" height="18" viewBox="0 0 28 18" aria-hidden="true" focusable="false">'
        f"{defs}"
        f'<rect x="0.5" y="0.5" width="27" height="17" fill="{fill}" stroke="{INK}"></rect></svg>'
    )


def pattern_data() -> dict[str, Json]:
    """Return the patterns as plain data, for the browser to draw."""
    return {
        kind: {"size": one.size, "path": one.path, "stroke": one.stroke, "ink": one.ink, "ground": one.ground}
        for kind, one in PATTERNS.items()
    }


def add_legend(
    target: folium.Map, categories: Sequence[str] = (), *, areas: bool = True, clusters: bool = True
) -> None:
    """Add the legend; categories are those that have no switch, since a switch already shows symbol and title."""
    entries: list[Json] = [
        {"kind": "symbol", "title": style_of(category).title, **symbol(category)} for category in categories
    ]
    if areas:
        entries.append({"kind": "area", "title": AREA_TITLE})
    if clusters:
        entries.append({"kind": "cluster", "title": CLUSTER_TITLE})
    if entries:
        call(target, "legend", {"entries": entries})
