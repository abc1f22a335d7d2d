"""The flow map as a picture made on the server: the same widths, numbers and legend as in the browser."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from layers.drawing import Canvas, ImageKind, drawing, wrapped
from layers.flows import (
    COLOUR,
    GERMANY,
    STATES,
    SUPPRESSED_PX,
    WIDEST_PX,
    DrawnFlow,
    Flow,
    FlowKind,
    bend,
    drawn_flows,
    flow_legend,
)
from layers.palette import INK, SOFT, WHITE
from layers.sheet import (
    LEGEND_LEFT,
    MARGIN,
    SIDE,
    SMALL,
    STRIP,
    TEXT,
    WIDTH,
    Caption,
    Frame,
    Heading,
    footer,
    footer_height,
    frame_of,
    ground,
    scale_and_north,
)

_DASHES = (0, (3, 2.5))
_NAME = 8.0


def flow_picture(
    flows: Sequence[Flow],
    caption: Caption,
    *,
    home_state: str,
    origin: str = "",
    one: str = "",
    image: ImageKind = "svg",
) -> bytes:
    """Return the flow map as a file, see layers.flows.add_flows and layers.picture.choropleth_picture.

    ``caption.unit`` is what is counted ("Hilfen"), ``one`` a single one, where that is another word. "Ausland" and
    "ohne Angabe" stand beside the map.
    """
    drawn = drawn_flows(flows, home_state, caption.unit, one)
    west, south, east, north = GERMANY
    with drawing():
        heading = Heading(caption, WIDTH)
        frame = frame_of([np.array([(west, south), (east, north)])], MARGIN, heading.height)
        bottom = frame.top + frame.height + STRIP
        sheet = Canvas(WIDTH, round(bottom + footer_height(caption, WIDTH)))
        heading.draw(sheet)
        ground(sheet, frame)
        for flow in sorted(drawn, key=lambda one: -one.width_px):
            if flow.width_px:
                _arc(sheet, frame, home_state, flow)
        for flow in drawn:
            if flow.state in STATES:
                _place(sheet, frame, flow, home=flow.state == home_state)
        scale_and_north(sheet, frame)
        _legend(sheet, heading.height, caption.unit, origin or home_state, flow_legend(drawn, caption.unit, one), drawn)
        footer(sheet, bottom, caption)
        return sheet.image(image, caption.title, _description(caption, origin or home_state, drawn))


def _arc(sheet: Canvas, frame: Frame, home_state: str, flow: DrawnFlow) -> None:
    from matplotlib.patches import PathPatch  # noqa: PLC0415
    from matplotlib.path import Path  # noqa: PLC0415

    home, there = STATES[home_state], STATES[flow.state]
    three = np.array([(home.lon, home.lat), bend(home_state, flow.state), (there.lon, there.lat)])
    curve = Path(frame.points(three), [Path.MOVETO, Path.CURVE3, Path.CURVE3])
    dashed: dict[str, Any] = {"linestyle": _DASHES} if flow.kind == "suppressed" else {}
    look = {"facecolor": "none", "edgecolor": COLOUR, "linewidth": flow.width_px, "alpha": 0.8, "capstyle": "butt"}
    sheet.axes.add_patch(PathPatch(curve, **look, **dashed))


def _place(sheet: Canvas, frame: Frame, flow: DrawnFlow, *, home: bool) -> None:
    """Draw a capital and write the Land's name and number beside it."""
    from matplotlib.patches import Circle  # noqa: PLC0415

    state = STATES[flow.state]
    x, y = frame.points(np.array([(state.lon, state.lat)]))[0].tolist()
    radius = 6.5 if home else 3.5
    fill = COLOUR if home or flow.kind == "flow" else WHITE
    sheet.axes.add_patch(Circle((x, y), radius, facecolor=fill, edgecolor=INK, linewidth=2 if home else 1, zorder=3))
    gap = radius + 4
    at: dict[str, tuple[float, float, str]] = {
        "left": (x - gap, y + 3 + state.down, "right"),
        "right": (x + gap, y + 3 + state.down, "left"),
        "top": (x, y - gap, "center"),
        "bottom": (x, y + gap + _NAME, "center"),
    }
    left, base, align = at[state.side]
    strong = flow.kind in {"flow", "own", "suppressed"}
    sheet.text(
        left, base, f"{flow.state} {flow.text}", _NAME, ha=align, zorder=4, bold=strong, color=INK if strong else SOFT
    )


def _legend(
    sheet: Canvas, y: float, unit: str, origin: str, lines: Sequence[tuple[str, str]], drawn: Sequence[DrawnFlow]
) -> None:
    y = sheet.lines(LEGEND_LEFT, y, wrapped(unit, SIDE, TEXT, bold=True, most_lines=2), TEXT, bold=True)
    y = sheet.lines(LEGEND_LEFT, y, wrapped(f"von {origin}", SIDE, TEXT, most_lines=3), TEXT) + 8
    widths: dict[FlowKind, float] = {"flow": WIDEST_PX, "suppressed": SUPPRESSED_PX}
    for kind, text in lines:
        line: dict[str, Any] = {"linestyle": _DASHES} if kind == "suppressed" else {}
        if kind in widths:
            ends = ([LEGEND_LEFT, LEGEND_LEFT + 22], [y + 7, y + 7])
            line |= {"color": COLOUR, "linewidth": widths[kind], "alpha": 0.8, "solid_capstyle": "butt"}
            sheet.axes.plot(*ends, **line)
        sheet.lines(LEGEND_LEFT + 29, y + 1, wrapped(text, SIDE - 29, TEXT, most_lines=2), TEXT)
        y += 22
    beside = [flow for flow in drawn if flow.state not in STATES]
    if beside:
        y = sheet.lines(LEGEND_LEFT, y + 8, ["Nicht auf der Karte"], TEXT, bold=True) + 2
    for flow in beside:
        y = sheet.lines(LEGEND_LEFT, y, wrapped(f"{flow.state}: {flow.sentence}", SIDE, TEXT, most_lines=3), TEXT)
    sheet.lines(LEGEND_LEFT, y + 10, wrapped("Die Bögen führen zur Hauptstadt des Landes; wo die Einrichtung liegt, "
                                             "zeigen sie nicht.", SIDE, SMALL), SMALL, color=SOFT)  # fmt: skip


def _description(caption: Caption, origin: str, drawn: Sequence[DrawnFlow]) -> str:
    """Return the picture in words, for those who do not see it."""
    flows = "; ".join(f"{flow.state}: {flow.sentence}" for flow in drawn)
    return f"Karte: {caption.title}. {caption.subtitle} ({caption.unit}; {caption.version}). Von {origin}: {flows}."
