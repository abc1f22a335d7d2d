"""A town for placements: three Bezirke of four Stadtteile and three Sozialräume that cross them, all in one Land."""

from collections.abc import Iterable, Mapping

import numpy as np
from hand_rows import Rows, rows_in, square
from sqlalchemy import Engine, text

from geodata import placement_pattern
from geodata.figure_tables import PROVIDER_STATES

LAND = "02"
BEZIRKE = ("1", "2", "3")
STADTTEILE = tuple(f"{bezirk}{number}" for bezirk in BEZIRKE for number in range(1, 5))
RAEUME = tuple(f"R{bezirk}{number}" for bezirk in BEZIRKE for number in range(1, 4))
# Which Stadtteile a Sozialraum shares ground with: the cuts are at 1,500 m and 2,500 m of each Bezirk.
PIECES = tuple(
    (f"R{bezirk}{raum}", f"{bezirk}{stadtteil}")
    for bezirk in BEZIRKE
    for raum, stadtteil in ((1, 1), (1, 2), (2, 2), (2, 3), (3, 3), (3, 4))
)
ELSEWHERE = tuple(state for state in PROVIDER_STATES if state != "Hamburg")

# (level, key, role) -> state -> cases
Placed = Mapping[tuple[str, str, str], Mapping[str, int]]


def build(engine: Engine) -> None:
    """Load the town's areas."""
    with rows_in(engine) as rows:
        for level, parent in (("land", None), ("bezirk", "land"), ("stadtteil", "bezirk"), ("sozialraum", "bezirk"),
                              ("statgebiet", "stadtteil")):  # fmt: skip
            rows.level(level, parent)
            made = rows.version(f"areas.{level}", "areas")
            for key, shape, above in _areas(level):
                rows.area(made, level, key, square(*shape), above)


def _areas(level: str) -> Iterable[tuple[str, tuple[float, float, float, float], tuple[str, str] | None]]:
    if level == "land":
        yield LAND, (0, 0, 12_000, 2000), None
    for number, bezirk in enumerate(BEZIRKE):
        west = 4000 * number
        if level == "bezirk":
            yield bezirk, (west, 0, west + 4000, 2000), ("land", LAND)
        if level in {"stadtteil", "statgebiet"}:
            for at in range(4):
                key = f"{bezirk}{at + 1}"
                shape = (west + 1000 * at, 0, west + 1000 * (at + 1), 2000)
                yield (
                    (key, shape, ("bezirk", bezirk)) if level == "stadtteil" else (f"{key}1", shape, ("stadtteil", key))
                )
        if level == "sozialraum":
            for at, (left, right) in enumerate(((0, 1500), (1500, 2500), (2500, 4000))):
                yield f"R{bezirk}{at + 1}", (west + left, 0, west + right, 2000), ("bezirk", bezirk)


def place(
    rows: Rows,
    placed: Placed,
    *,
    period: str = "2021-Q3",
    paragraph: str = "34",
    counting: str = "stichtag",
    version: int | None = None,
    dataset: str = "placements",
    scopes: Mapping[str, tuple[str, str]] | None = None,
) -> int:
    """Write placements of a period into a version (None: a new one), and a delivery for each level that occurs."""
    made = rows.version(dataset, "placements") if version is None else version
    for (level, key, role), by_state in placed.items():
        for state, cases in by_state.items():
            rows.insert("placement", import_id=made, level=level, area_key=key, area_role=role, period=period,
                        paragraph=paragraph, counting=counting, provider_state=state, cases=int(cases))  # fmt: skip
    for level in sorted({level for level, _key, _role in placed}):
        scope_level, scope_key = (scopes or {}).get(level, (None, None))
        rows.session.execute(
            text("INSERT INTO placement_delivery VALUES (:id, :level, :period, :scope_level, :scope_key) "
                 "ON CONFLICT DO NOTHING"),
            {"id": made, "level": level, "period": period, "scope_level": scope_level, "scope_key": scope_key},
        )  # fmt: skip
    return made


def derive(rows: Rows) -> dict[str, int]:
    return placement_pattern.rebuild(rows.session)


def drawn(seed: int, cases: int) -> tuple[dict[tuple[str, str, str], dict[str, int]], np.ndarray]:
    """Draw a quarter that hangs together: Bezirke by state, and by origin what lies in the pieces of ground.

    Also returns the origin's counts of the pieces, shape (pieces, 3): Hamburg, außerhalb (in Bayern), ohne Angabe.
    """
    rng = np.random.default_rng(seed)
    placed: dict[tuple[str, str, str], dict[str, int]] = {}
    chances = np.r_[0.5, 0.2, 0.1, rng.dirichlet(np.ones(len(ELSEWHERE) - 2)) * 0.2]
    for bezirk, share in zip(BEZIRKE, rng.dirichlet(np.full(3, 3.0)), strict=True):
        counts = rng.multinomial(round(cases * share), chances)
        placed["bezirk", bezirk, "zustaendig"] = dict(zip(("Hamburg", *ELSEWHERE), counts.tolist(), strict=True))
    pieces = rng.multinomial(cases, rng.dirichlet(np.full(len(PIECES) * 3, 0.7) * ([5, 4, 0.3] * len(PIECES))))
    pieces = pieces.reshape(len(PIECES), 3)
    for (raum, stadtteil), counts in zip(PIECES, pieces.tolist(), strict=True):
        for area in (("sozialraum", raum, "herkunft"), ("stadtteil", stadtteil, "herkunft")):
            own = placed.setdefault(area, {"Hamburg": 0, "Bayern": 0, "ohne Angabe": 0})
            for state, number in zip(own, counts, strict=True):
                own[state] += number
    return placed, pieces
