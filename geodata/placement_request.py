"""What is asked about placements, and what of it there is: level, role, periods. Wrong requests are refused here."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata import words
from geodata.areas import LevelRow, require_level
from geodata.errors import ConflictError, ParameterError
from geodata.figure_tables import AREA_ROLES, PLACEMENT_COUNTINGS, WITHOUT_AREA
from geodata.periods import parse_period
from geodata.placement_rule import PlacementRule, read_rule
from geodata.viewer import Version

_MOST_OFFERED = 20

# Area key and period of the last row of the page before.
After = tuple[str, str]


@dataclass(frozen=True, slots=True)
class PlacementsRequest:
    """Placements of the areas of ``level`` under a ``paragraph``.

    ``period`` None: the latest there is; ``series``: every period of that kind, oldest first. ``compare``: the period
    changes are counted from, of the same kind. ``area_role`` None: by responsible office where the level has that, else
    by origin. ``counting`` is ``stichtag`` or ``begonnen``. ``area`` is (level, key): only it or the areas inside it;
    the key ``ohne`` means what lies in no area. ``home_state`` None: the one by which the stored placements were
    derived; another one is refused. ``limit`` None: all rows. ``after`` names the last row of the page before.
    """

    level: str
    paragraph: str = "34"
    period: str | None = None
    compare: str | None = None
    area_role: str | None = None
    counting: str = "stichtag"
    area: tuple[str, str] | None = None
    series: bool = False
    home_state: str | None = None
    geometry: bool = False
    limit: int | None = None
    after: After | None = None
    version: Version = Version.PUBLISHED


@dataclass(frozen=True, slots=True)
class SheetInfo:
    """A level with placements by one role, of one period and counting; as ``placement_tables.PlacementSheet``."""

    area_role: str
    counting: str
    period: str
    starts: date
    ends: date
    published: bool
    summed: bool
    datasets: tuple[str, ...]

    @property
    def kind(self) -> str:
        """What kind of period it is (``0000-Q0``); only periods of one kind are set beside each other."""
        return re.sub(r"\d", "0", self.period)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request with everything filled in. ``sheets``: one per period, oldest first; ``begun``: of begun placements."""

    request: PlacementsRequest
    level: LevelRow
    rule: PlacementRule
    area_role: str
    sheets: tuple[SheetInfo, ...]
    compare: SheetInfo | None
    begun: frozenset[str]

    @property
    def used(self) -> tuple[SheetInfo, ...]:
        """All sheets whose counts are shown."""
        return self.sheets if self.compare is None else (*self.sheets, self.compare)


def filled(session: Session, request: PlacementsRequest) -> Asked:
    """Return the request with everything filled in.

    Raises ``ParameterError`` for what does not exist or does not fit, ``ConflictError`` for another home state.
    """
    level = require_level(session, request.level)
    for name, value, allowed in (
        ("counting", request.counting, PLACEMENT_COUNTINGS),
        ("area_role", request.area_role or AREA_ROLES[0], AREA_ROLES),
    ):
        if value not in allowed:
            raise ParameterError(
                name, f"„{value[:60]}“ gibt es als {name} nicht. Möglich sind: {', '.join(allowed)}.", allowed
            )
    rule = read_rule(session)
    if request.home_state is not None and request.home_state != rule.home_state:
        raise ConflictError(
            f"Die Unterbringungen sind mit „{rule.home_state}“ als eigenem Bundesland ausgewertet, gefragt ist "
            f"„{request.home_state[:60]}“. Bitte nach einer Änderung von SRK_HOME_STATE "
            "„sozialraumkarte db migrate“ ausführen."
        )
    _require_area(session, request, level)
    there = _sheets(session, request, level)
    role = request.area_role or min({one.area_role for one in there}, key=AREA_ROLES.index)
    fitting = [one for one in there if (one.area_role, one.counting) == (role, request.counting)]
    if not fitting:
        raise _no_such(request, level, role, there)
    own = _period(request, level, "period", request.period, fitting) if request.period else fitting[-1]
    of_kind = [one for one in fitting if one.kind == own.kind]
    return Asked(
        request,
        level,
        rule,
        role,
        tuple(of_kind) if request.series else (own,),
        _compare(request, level, own, of_kind),
        frozenset(one.period for one in there if (one.area_role, one.counting) == (role, "begonnen")),
    )


def _sheets(session: Session, request: PlacementsRequest, level: LevelRow) -> list[SheetInfo]:
    found = session.execute(
        text("""
            SELECT area_role, counting, period, starts, ends, published, summed, datasets FROM placement_sheet_visible
            WHERE level = :level AND paragraph = :paragraph ORDER BY ends, starts DESC, period
        """),
        {"level": request.level, "paragraph": request.paragraph},
    )
    sheets = [
        SheetInfo(row.area_role, row.counting, row.period, row.starts, row.ends, row.published, row.summed,
                  tuple(row.datasets))
        for row in found
    ]  # fmt: skip
    if sheets:
        return sheets
    known = session.execute(
        text("SELECT DISTINCT level, paragraph FROM placement_sheet_visible ORDER BY level, paragraph")
    ).all()
    if not known:
        raise ParameterError("level", "Es sind keine Unterbringungen geladen, die Sie sehen dürfen.")
    paragraphs = [row.paragraph for row in known if row.level == request.level]
    if paragraphs:
        raise _refuse("paragraph", f"Zu § {request.paragraph[:20]} gibt es auf der Ebene {level.title} keine "
                      "Unterbringungen.", paragraphs)  # fmt: skip
    raise _refuse("level", f"Auf der Ebene {level.title} gibt es keine Unterbringungen.", [row.level for row in known])


def _refuse(parameter: str, what: str, allowed: Collection[str]) -> ParameterError:
    listed = list(dict.fromkeys(allowed))
    return ParameterError(parameter, f"{what} Vorhanden: {words.listed(listed, _MOST_OFFERED)}.", listed)


def _no_such(request: PlacementsRequest, level: LevelRow, role: str, there: Sequence[SheetInfo]) -> ParameterError:
    name = f"Unterbringungen nach § {request.paragraph} auf der Ebene {level.title}"
    if all(one.area_role != role for one in there):
        return _refuse("area_role", f"{name} gibt es nicht mit area_role={role}.", [one.area_role for one in there])
    return _refuse("counting", f"{name} gibt es nicht mit counting={request.counting}.",
                   [one.counting for one in there if one.area_role == role])  # fmt: skip


def _period(
    request: PlacementsRequest, level: LevelRow, parameter: str, asked: str, fitting: Sequence[SheetInfo]
) -> SheetInfo:
    offered = [one.period for one in reversed(fitting)]
    try:
        named = parse_period(asked).text
    except ValueError as error:
        raise ParameterError(parameter, str(error), offered[:_MOST_OFFERED]) from None
    for one in fitting:
        if one.period == named:
            return one
    raise _refuse(
        parameter,
        f"Für „{named}“ gibt es auf der Ebene {level.title} keine Unterbringungen nach § {request.paragraph}.",
        offered,
    )


def _compare(
    request: PlacementsRequest, level: LevelRow, own: SheetInfo, of_kind: Sequence[SheetInfo]
) -> SheetInfo | None:
    if request.compare is None:
        return None
    found = _period(request, level, "compare", request.compare, of_kind)
    if found == own and not request.series:
        raise ParameterError("compare", f"„{own.period}“ lässt sich nicht mit sich selbst vergleichen.")
    return found


def _require_area(session: Session, request: PlacementsRequest, level: LevelRow) -> None:
    if request.area is None or request.area == (request.level, WITHOUT_AREA):
        return
    require_level(session, request.area[0], "area")
    inside = session.execute(
        text("""
            WITH RECURSIVE inside(level, key) AS (
                SELECT level, key FROM area_visible WHERE level = :area_level AND key = :area_key
                UNION
                SELECT a.level, a.key FROM area_visible a
                JOIN inside i ON a.parent_level = i.level AND a.parent_key = i.key
            )
            SELECT EXISTS (SELECT FROM inside WHERE level = :level)
        """),
        {"area_level": request.area[0], "area_key": request.area[1], "level": request.level},
    ).scalar_one()
    if not inside:
        raise ParameterError(
            "area",
            f"In „{':'.join(request.area)[:80]}“ liegt kein Gebiet der Ebene {level.title}, oder es gibt es nicht.",
        )
