"""The controlling report: Kennzahlen and Hilfearten of areas by period, a comparison, the budget, and what explains it.

``report_of`` asks the questions and puts their answers into tables; nothing of the field is computed here.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from geodata import words
from geodata.answer import Answer, Meta
from geodata.controlling import ControllingRequest, controlling, parsed
from geodata.controlling_areas import Area, Tree, choose, read_tree, require_area
from geodata.controlling_budget_question import BudgetRequest, BudgetRow, budget
from geodata.controlling_figures import YEARLY_GROWTH
from geodata.controlling_line import ControllingRow
from geodata.controlling_offices import Offices, read_offices
from geodata.controlling_rests import whole_cities
from geodata.controlling_rows import ALL_HELPS, CODES, SPENDING, read_laid
from geodata.errors import NotFoundError, ParameterError
from geodata.indicators import CASES
from geodata.periods import Period, spoken
from geodata.viewer import Version
from service.cli.tables import printable
from service.exports import charts, explanations, tables
from service.exports.budget_table import of_budget
from service.exports.parts import INTERNAL, PUBLISHED, Chart, Report, Section, Table
from service.exports.series import Series, series_of

MOST_AREAS = 40
_EVERY_ROW = 10**9
_TITLE = "Controlling der Hilfen zur Erziehung"
_SCENARIOS = {"ist": "Ist", "prognose": "Prognose", "plan": "Plan"}
_NOTHING = (
    "Zu den gefragten Gebieten und Zeiträumen sind in dieser Fassung keine Zahlen zu sehen; "
    "bitte Gebiete, Zeitraum und Fassung prüfen."
)


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """A report on ``areas`` (level, key), in this order.

    ``period_from``, ``period_to``, ``city_level``, ``scenario`` as in ``ControllingRequest``. ``base``: the period that
    changes and the Zielschwelle are told against; None: the first year with figures of all helps. ``yearly_growth`` of
    the Zielschwelle is a fraction above −1.
    """

    areas: tuple[Area, ...]
    period_from: str | None = None
    period_to: str | None = None
    base: str | None = None
    yearly_growth: float = YEARLY_GROWTH
    city_level: str | None = None
    scenario: str = "ist"
    version: Version = Version.PUBLISHED


@dataclass(slots=True)
class _Gathered:
    """The answers: rows asked for spending and for cases, their footnotes, the budgets by area.

    ``cities``: the city of each area that has one; ``bases``: the base period of the areas that share a city.
    """

    names: dict[Area, str]
    cities: dict[Area, Area]
    bases: dict[Area, str | None] = field(default_factory=dict)
    spending: list[ControllingRow] = field(default_factory=list)
    cases: list[ControllingRow] = field(default_factory=list)
    told: list[tuple[Meta, tuple[Area, ...]]] = field(default_factory=list)
    levels: dict[str, str] = field(default_factory=dict)
    metas: list[Meta] = field(default_factory=list)
    budgets: dict[Area, Answer[BudgetRow]] = field(default_factory=dict)

    def together(self, areas: Sequence[Area]) -> dict[Area, list[Area]]:
        """Return the areas by the city they are compared with, which may be one of them."""
        made: dict[Area, list[Area]] = {}
        for area in areas:
            made.setdefault(self.cities.get(area, area), []).append(area)
        return made

    def tell_apart(self, areas: Sequence[Area]) -> None:
        """Name the level too of areas that share their name."""
        shared = Counter(self.names[area] for area in areas)
        self.names |= {
            area: f"{self.names[area]} ({printable(self.levels[area[0]])})"
            for area in areas
            if shared[self.names[area]] > 1
        }

    def told_of(self) -> list[explanations.Told]:
        """Return the footnotes with the names of the areas they are about."""
        return [explanations.Told(meta, tuple(self.names[area] for area in areas)) for meta, areas in self.told]

    def base(self, area: Area) -> str | None:
        """Return the base period of an area."""
        return self.bases[self.cities.get(area, area)]


def report_of(session: Session, request: ReportRequest) -> Report:
    """Return the report.

    Raises ``ParameterError`` for no or too many areas, for an unknown one, and for what the questions refuse;
    ``NotFoundError`` where the viewer sees no figures at all.
    """
    areas = tuple(dict.fromkeys(request.areas))
    if not areas:
        raise ParameterError("area", "Bitte mindestens ein Gebiet angeben, etwa sozialraum:101.")
    if len(areas) > MOST_AREAS:
        raise ParameterError("area", f"Ein Bericht fasst höchstens {MOST_AREAS} Gebiete; gefragt sind {len(areas)}.")
    tree = read_tree(session)
    for area in areas:
        require_area(tree, area)
    gathered = _gather(session, request, areas, tree)
    gathered.tell_apart(areas)
    return _assembled(request, areas, gathered, read_offices(session))


def _first_year(session: Session, request: ReportRequest, areas: Sequence[Area]) -> str | None:
    """Return the first year within the report that has spending or cases, else the first such period.

    Of all helps, or of any where nobody tells of all.
    """
    first, last = parsed("from", request.period_from), parsed("to", request.period_to)
    found: dict[bool, set[Period]] = {True: set(), False: set()}
    for level in dict.fromkeys(level for level, _key in areas):
        keys = {key: key for at, key in areas if at == level}
        for laid in read_laid(session, level, keys, request.scenario, (SPENDING, CASES)).values():
            for one in laid:
                if (first is None or first.starts <= one.period.starts) and (
                    last is None or one.period.ends <= last.ends
                ):
                    found[one.position == ALL_HELPS].add(one.period)
    periods = found[True] or found[False]
    years = [one for one in periods if one.text == str(one.starts.year)]
    return min(years or periods, key=lambda one: (one.starts, one.text)).text if periods else None


def _gather(session: Session, request: ReportRequest, areas: Sequence[Area], tree: Tree) -> _Gathered:
    gathered = _Gathered({area: printable(name) for area, name in tree.names.items()}, {})
    asked: list[tuple[str, Area]] = []
    for level in dict.fromkeys(level for level, _key in areas):
        keys = [key for at, key in areas if at == level]
        chosen = choose(session, level, None, city_level=request.city_level, scenario=request.scenario, codes=CODES)
        gathered.levels[level] = chosen.level.title
        gathered.names |= {(level, key): printable(name) for key, name in chosen.names.items()}
        gathered.cities |= {(level, key): chosen.cities[key] for key in keys if key in chosen.cities}
        # Asked for as a whole where all areas of a city are wanted: only so is told what they lack to it.
        whole = {city: inside for city, inside in whole_cities(chosen).items() if set(inside) <= set(keys)}
        covered = {key for inside in whole.values() for key in inside}
        asked += [(level, city) for city in whole] + [(level, (level, key)) for key in keys if key not in covered]
    for together, inside in gathered.together(areas).items():
        gathered.bases[together] = request.base or _first_year(session, request, inside)
    for level, area in asked:
        _ask(session, request, level, area, gathered)
    for city in sorted(set(gathered.cities.values()) - set(areas)):
        _ask(session, request, city[0], city, gathered, aside=True)
    for area in areas:
        gathered.budgets[area] = budget(session, _budget_request(request, area))
    return gathered


def _ask(
    session: Session, request: ReportRequest, level: str, area: Area, gathered: _Gathered, *, aside: bool = False
) -> None:
    """Ask for an area, or those inside it; ``aside``: only as what others are compared with."""
    base = gathered.bases[gathered.cities.get(area, area)]
    # Changes of cases are reported of all helps only.
    answers = {
        measure: controlling(session, ControllingRequest(
            level, request.period_from, request.period_to, area, base, request.yearly_growth, request.scenario,
            measure, request.city_level, position, _EVERY_ROW, version=request.version,
        ))
        for measure, position in ((SPENDING, None), (CASES, ALL_HELPS))
    }  # fmt: skip
    gathered.spending += answers[SPENDING].rows
    gathered.cases += answers[CASES].rows
    meta = answers[SPENDING].meta
    gathered.metas.append(meta)
    rows = answers[SPENDING].rows
    # Of what areas lack to their city only the rows know the name.
    gathered.names |= {(row.area_level, row.area_key): printable(row.area_name) for row in rows}
    if not aside:
        about = dict.fromkeys((row.area_level, row.area_key) for row in rows) or {area: None}
        gathered.told.append((meta, tuple(about)))


def _budget_request(request: ReportRequest, area: Area) -> BudgetRequest:
    return BudgetRequest(area, *budget_years(request.period_from, request.period_to, request.base), request.version)


def budget_years(
    period_from: str | None, period_to: str | None, base: str | None
) -> tuple[str | None, str | None, str | None]:
    """Return from, to and base as the budget takes them, which knows years only; a base that is none is left out.

    Raises ``ParameterError`` for what is no period.
    """
    first, last, start = (
        parsed(name, period) for name, period in (("from", period_from), ("to", period_to), ("base", base))
    )
    return (
        str(first.starts.year) if first else None,
        str(last.ends.year) if last else None,
        start.text if start and start.text == str(start.starts.year) else None,
    )


def _assembled(request: ReportRequest, areas: Sequence[Area], gathered: _Gathered, offices: Offices) -> Report:
    series = series_of(gathered.spending, gathered.cases)
    internal = request.version is Version.INTERNAL
    made = _Chapters(areas, gathered, series, request.yearly_growth, offices)
    comparisons = made.comparisons()
    budgets = [row for answer in gathered.budgets.values() for row in answer.rows]
    metas = [*gathered.metas, *(answer.meta for answer in gathered.budgets.values() if answer.rows)]
    noted = explanations.row_notes((*gathered.spending, *gathered.cases), budgets, gathered.names)
    notes = [noted] if noted else []
    notes.append(explanations.methods("Kennzahlen: Methode und Hinweise", gathered.told_of(), compared=True))
    if made.budget_metas:
        notes.append(explanations.methods("Budget und Wirkungen: Methode und Hinweise", made.budget_metas))
    notes.append(explanations.sources(metas))
    stands = [source.as_of for meta in metas for source in meta.sources if source.as_of is not None]
    newest = max(stands, default=None)
    names = [gathered.names[area] for area in areas]
    shown = made.periods()
    facts = [
        ("Gebiete", ", ".join(names)),
        ("Zeitraum", " bis ".join(map(spoken, dict.fromkeys((*shown[:1], *shown[-1:]))))),
        ("Basiszeitraum", made.bases()),
        ("Szenario", _SCENARIOS[request.scenario]),
        ("Fassung", INTERNAL if internal else PUBLISHED),
        ("Stand der neuesten Quelle", f"{newest:%d.%m.%Y}" if newest else "nicht angegeben"),
        ("Datenversion", str(metas[0].data_version)),
    ]
    if metas[0].notice:
        facts.insert(0, ("Hinweis", metas[0].notice))
    chapters = [made.chapter(number, area) for number, area in enumerate(areas, start=1)]
    blank = tuple(chapter.title for chapter in chapters if not chapter.tables)
    if len(blank) == len(chapters):
        raise NotFoundError(_NOTHING)
    sections = [*comparisons, *(chapter for chapter in chapters if chapter.tables)]
    if blank:
        said = f"Zu {words.listed(blank)} sind in diesem Zeitraum und in dieser Fassung keine Zahlen zu sehen."
        sections.append(Section("Gebiete ohne Zahlen", (said,)))
    return Report(
        _TITLE, words.listed(names, 6), internal, tuple(facts), tuple(sections), tuple(notes), newest, metas[0].notice,
        frozenset(gathered.bases.values()),
    )  # fmt: skip


class _Chapters:
    """The chapters of a report: one that compares, and one for each area."""

    def __init__(
        self, areas: Sequence[Area], gathered: _Gathered, series: Sequence[Series], growth: float, offices: Offices
    ) -> None:
        self._areas = areas
        self._gathered = gathered
        self._series = series
        self._growth = growth
        self._offices = offices
        self._datasets = {source.dataset for meta in gathered.metas for source in meta.sources}
        self.budget_metas = [
            explanations.Told(answer.meta, (self._name(area),))
            for area, answer in gathered.budgets.items()
            if of_budget(answer.rows, "") is not None
        ]

    def periods(self) -> list[str]:
        """Return the periods of all areas, in order, of the kind most figures are of."""
        mine = [one for one in self._series if one.areas() & set(self._areas)]
        if mine:
            return mine[0].periods(set(self._areas))
        return sorted({row.period for answer in self._gathered.budgets.values() for row in answer.rows})

    def comparisons(self) -> list[Section]:
        """Return the comparison of the areas that have the same city; others are not set beside each other."""
        made: list[tuple[Table, Area]] = []
        for city, areas in self._gathered.together(self._areas).items():
            told = self._told(city)
            for one in self._series:
                number = f" {len(made) + 1}" if made else ""
                title = f"{self._name(city)} ({one.words()})"
                table = tables.of_areas(
                    one, areas, self._gathered.names, told, f"Vergleich{number}", title, city
                )  # fmt: skip
                if table is not None:
                    made.append((table, city))
        if not made:
            return []
        drawn = [chart for table, city in made for chart in self._of_areas(table, city)]
        return [Section("Vergleich der Gebiete", (), tuple(drawn), tuple(table for table, _city in made))]

    def _of_areas(self, table: Table, city: Area) -> Iterable[Chart]:
        for measure, title, unit in (
            ("help_density", "Hilfedichte", "Fälle je 1.000 Jugendeinwohner"),
            ("help_quotient", "Hilfequotient", "Quotient"),
        ):
            yield from charts.of_areas(table, measure, title, unit, (measure, ":".join(city)))

    def chapter(self, number: int, area: Area) -> Section:
        """Return the chapter of an area."""
        name = self._name(area)
        city = self._gathered.cities.get(area)
        beside = None if city is None else (city, self._name(city))
        told = self._told(area)
        figures, types = [], []
        for place, one in enumerate(one for one in self._series if area in one.areas()):
            letter = "" if place == 0 else chr(ord("a") + place)
            table = tables.of_area(one, area, told, self._offices, f"{number}{letter} Kennzahlen {name}", beside)
            figures += [table] if table else []
            listed = tables.of_help_types(
                one, area, told, self._offices, self._datasets, f"{number}{letter} Hilfearten {name}"
            )
            types += [listed] if listed else []
        spent = of_budget(self._gathered.budgets[area].rows, f"{number} Budget {name}")
        drawn = [chart for table in figures if (chart := charts.against_target(table, name)) is not None]
        return Section(name, (), tuple(drawn), (*figures, *types, *([spent] if spent else [])))

    def bases(self) -> str:
        """Return the base periods in words; whose, where they differ."""
        bases = {city: spoken(base) if base else "keiner" for city, base in self._gathered.bases.items()}
        if len(set(bases.values())) == 1:
            return next(iter(bases.values()))
        return "; ".join(f"{self._name(city)}: {base}" for city, base in bases.items())

    def _told(self, area: Area) -> tables.Told:
        return tables.Told(self._gathered.base(area), self._growth)

    def _name(self, area: Area) -> str:
        return self._gathered.names[area]
