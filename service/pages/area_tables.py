"""The profile of an area as tables and charts, in a page's language: the same for the page and for the PDF."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from geodata.categories import TITLES
from geodata.periods import when
from geodata.profile import Profile
from geodata.profile_coverage import CategoryCount, Compared, Level
from geodata.profile_residents import EVERYBODY, GROUPS, YOUNG, Count
from layers.chart_parts import SUPPRESSED, Value, Wording
from layers.charts import Bar, BarChart, Series, SeriesChart
from service.pages.components import Cell, Column, DataTable, Download, Kind, Link, Mark, Picture, chart_picture
from service.pages.frame import address
from service.pages.saying import age_band, period_text, period_tick, spoken
from service.pages.wording import filters
from service.texts import SOURCE_LANGUAGE, texts

_CHART_PX = 520.0
_MOST_LINES = 7


@dataclass(frozen=True, slots=True)
class ProfileView:
    """What a profile shows. A part that has nothing to show is None or empty; ``said``: sentences by part.

    ``categories`` None: what is in the area is not known.

    ``reached``: for each compared category its title and its sentences.
    """

    residents: DataTable | None
    ages: Picture | None
    trend: Picture | None
    categories: DataTable | None
    compared: Picture | None
    peers: DataTable | None
    said: dict[str, list[str]]
    reached: list[tuple[str, list[str]]] = field(default_factory=list)


def view_of(made: Profile, language: str) -> ProfileView:
    """Return the tables and charts of a profile in a language."""
    return _Maker(made, language).view()


def area_address(level: str, key: str, language: str = SOURCE_LANGUAGE) -> str:
    """Return the address of an area's profile."""
    return address(f"/gebiete/{level}/{key}", [] if language == SOURCE_LANGUAGE else [("lang", language)])


class _Maker:
    """Makes the parts of one profile in one language."""

    def __init__(self, made: Profile, language: str) -> None:
        self.made, self.language = made, language
        self.said: Callable[[str], str] = texts(language).gettext
        self.writes = filters(language)

    def view(self) -> ProfileView:
        """Return all parts."""
        sentences = {part: [spoken(one, self.language) for one in said] for part, said in self.made.said.items()}
        residents = self._residents()
        return ProfileView(
            residents=residents,
            ages=self._ages(residents),
            trend=self._trend(),
            categories=self._categories(),
            compared=self._compared(),
            peers=self._peers(),
            said=sentences,
            reached=[(self.said(TITLES[one.category]), sentences[one.category]) for one in self.made.compared],
        )

    def _notes(self) -> dict[str, str]:
        return {"estimated": self.said("geschätzt"), "provisional": self.said("vorläufig")}

    def _wording(self) -> Wording:
        said = self.said
        return Wording(
            suppressed=said("• nicht veröffentlicht (kleine Fallzahl)"),
            gap=said("Lücke: keine Angabe"),
            dashed=said("gestrichelt: keine Angabe"),
            missing=said("fehlt"),
            nothing=said("ohne Wert"),
            write=self.writes["number"],
        )

    def _table(self, caption: str, columns: Sequence[Column], rows: Sequence[dict[str, Cell]], name: str) -> DataTable:
        return DataTable(caption, columns, rows, language=self.language, identity=name, stacked=len(columns) > 5)

    def _residents(self) -> DataTable | None:
        found, said = self.made.residents, self.said
        if found.basis is None:
            return None
        everybody = found.of(EVERYBODY).value
        spans = dict.fromkeys([*found.bands, *(span for span in GROUPS if found.of(span).flag != "missing")])
        notes = self._notes()
        rows: list[dict[str, Cell]] = []
        for span in spans:
            count = found.of(span)
            share: Cell = _cell(count)
            if count.value is not None:
                share = count.value / everybody if everybody else None
            rows.append({"ages": age_band(span, self.language), "count": _cell(count), "share": share,
                         "note": notes.get(count.flag, "")})  # fmt: skip
        columns = [
            Column("ages", said("Alter in Jahren"), header=True),
            Column("count", said("Einwohner"), Kind.NUMBER),
            Column("share", said("Anteil an allen"), Kind.PERCENT, decimals=1),
        ]
        if any(row["note"] for row in rows):
            columns.append(Column("note", said("Anmerkung")))
        caption = said("Einwohner von {area} nach Alter").format(area=self.made.area.area_name)
        return self._table(f"{caption}{self._when()}", columns, rows, "tabelle-einwohner")

    def _when(self) -> str:
        period = self.made.residents.period
        return f" ({period_text(period, self.language)})" if period else ""

    def _ages(self, table: DataTable | None) -> Picture | None:
        found, said = self.made.residents, self.said
        if table is None or not found.bands:
            return None
        # All others together would be so many that the young could not be told apart.
        young = [span for span in found.bands if span.end <= YOUNG]
        several = len(young) > 1
        title = said("Junge Menschen nach Alter") if several else said("Einwohner nach Alter")
        title = f"{title}{self._when()}"
        values = {span: _value(found.of(span)) for span in (young if several else found.bands)}
        described = ", ".join(f"{age_band(span, self.language)}: {self._told(value)}" for span, value in values.items())
        chart = BarChart(
            title, described, said("Einwohner, Alter in Jahren"), [said("Einwohner")],
            [Bar(age_band(span, self.language), [value]) for span, value in values.items()],
            width=_CHART_PX, wording=self._wording(),
        )  # fmt: skip
        return chart_picture("bild-alter", chart, table)

    def _told(self, value: Value) -> str:
        if isinstance(value, float):
            return str(self.writes["number"](value))
        return self.said("nicht veröffentlicht") if value is SUPPRESSED else self.said("fehlt")

    def _trend(self) -> Picture | None:
        found, said = self.made.residents, self.said
        spans = found.trends()
        if not spans:
            return None
        bands = [span for span in spans if span in found.bands and span not in GROUPS]
        drawn = (bands if len(bands) > 1 else spans)[:_MOST_LINES]
        title = said("Entwicklung der Zahl junger Menschen")
        lines = [
            Series(age_band(span, self.language), [_value(count) for _period, count in found.series(span)])
            for span in drawn
        ]
        described = "; ".join(f"{line.title}: {self._ends(line, found.periods)}" for line in lines)
        chart = SeriesChart(
            title, described, said("Einwohner, Alter in Jahren"),
            [period_tick(period, self.language) for period in found.periods], lines, width=_CHART_PX, height=270,
            wording=self._wording(), times=[when(period) for period in found.periods],
        )  # fmt: skip
        columns = [
            Column("period", said("Zeitraum"), header=True),
            *(Column(str(number), age_band(span, self.language), Kind.NUMBER) for number, span in enumerate(spans)),
        ]
        series = {span: dict(found.series(span)) for span in spans}
        rows: list[dict[str, Cell]] = [
            {
                "period": period_text(period, self.language),
                **{str(number): _cell(series[span][period]) for number, span in enumerate(spans)},
                "note": self._doubts([series[span][period] for span in spans]),
            }
            for period in reversed(found.periods)
        ]
        if any(row["note"] for row in rows):
            columns.append(Column("note", said("Anmerkung")))
        caption = said("Einwohner von {area} nach Alter und Zeitraum").format(area=self.made.area.area_name)
        table = DataTable(caption, columns, rows, language=self.language, identity="tabelle-entwicklung")
        return chart_picture("bild-entwicklung", chart, table)

    def _doubts(self, counts: Sequence[Count]) -> str:
        """Return what is to be said of one or more of the figures of a row."""
        flags = {count.flag for count in counts}
        given = [word for flag, word in self._notes().items() if flag in flags]
        return self.said("zum Teil {doubt}").format(doubt=self.writes["listed"](given)) if given else ""

    def _ends(self, line: Series, periods: Sequence[str]) -> str:
        known = [(period, value) for period, value in zip(periods, line.values, strict=True) if value is not None]
        ends = [known[0], *known[-1:]] if len(known) > 1 else known
        return ", ".join(f"{period_text(period, self.language)}: {self._told(value)}" for period, value in ends)

    def _categories(self) -> DataTable | None:
        said = self.said
        area = self.made.area
        if area.geometry is None:
            return None
        columns = [
            Column("category", said("Kategorie"), header=True),
            Column("places", said("Orte"), Kind.NUMBER),
            Column("offers", said("Angebote"), Kind.NUMBER),
            Column("supply", said("Plätze"), Kind.PLAIN, decimals=1),
            Column("hours", said("Stunden je Woche"), Kind.PLAIN, decimals=1),
            Column("unstated", said("Ohne Angabe"), Kind.NUMBER),
        ]
        rows: list[dict[str, Cell]] = []
        for one in self.made.categories:
            title = said(TITLES[one.category])
            query = [("area", f"{area.area_level}:{area.area_key}"), ("category", one.category)]
            if self.language != SOURCE_LANGUAGE:
                query.append(("lang", self.language))
            supply, hours = _stated(one)
            rows.append({
                "category": Link(title, address("/angebote", query)) if one.places else title, "places": one.places,
                "offers": one.offers, "supply": supply, "hours": hours, "unstated": one.unstated,
            })  # fmt: skip
        caption = said("Einrichtungen in {area} nach Kategorie").format(area=area.area_name)
        return self._table(caption, columns, rows, "tabelle-einrichtungen")

    def _city(self) -> str:
        return self.made.city or self.said("ganze Stadt")

    def _compared(self) -> Picture | None:
        rows = self.made.compared
        if not rows:
            return None
        said, here = self.said, self.made.area.area_name
        groups: list[tuple[str, str, Callable[[Compared], Level | None]]] = [("here", here, lambda one: one.here)]
        if any(one.city is not None for one in rows):
            groups.append(("city", self._city(), lambda one: one.city))
        if any(one.peers_together is not None for one in rows):
            groups.append(("peers", said("Vergleichsgebiete"), lambda one: one.peers_together))
        columns = [Column("category", said("Kategorie"), header=True), Column("ages", said("Alter in Jahren"))]
        reach = said("In {minutes} Minuten erreicht: {area}")
        columns += [
            Column(f"reach_{code}", reach.format(minutes=self.made.minutes, area=title), Kind.PERCENT, decimals=1)
            for code, title, _of in groups
        ]
        supply = said("Kapazität je 1.000: {area}")
        columns += [
            Column(f"supply_{code}", supply.format(area=title), Kind.PLAIN, decimals=1) for code, title, _of in groups
        ]
        columns.append(Column("unit", said("Kapazität gezählt in")))
        columns.append(Column("unstated", said("Einrichtungen ohne Angabe: {area}").format(area=here), Kind.NUMBER))
        units = {"places": said("Plätze"), "hours_per_week": said("Stunden je Woche")}
        cells: list[dict[str, Cell]] = []
        bars = []
        for one in rows:
            levels = {code: of(one) for code, _title, of in groups}
            title = said(TITLES[one.category])
            shares = {code: None if level is None else level.reach_share for code, level in levels.items()}
            cells.append({
                "category": title, "ages": age_band(one.ages, self.language), "unit": units[one.supply_unit],
                "unstated": one.here.without_supply,
                **{f"reach_{code}": share for code, share in shares.items()},
                **{f"supply_{code}": None if level is None else level.supply_per_1000
                   for code, level in levels.items()},
            })  # fmt: skip
            bars.append(Bar(title, [None if share is None else 100 * share for share in shares.values()]))
        title = said("Wer eine Einrichtung in {minutes} Minuten erreicht").format(minutes=self.made.minutes)
        names = [name for _code, name, _of in groups]
        described = "; ".join(f"{bar.title}: {self._shares(names, bar.values)}" for bar in bars)
        chart = BarChart(
            title, described, said("Anteil der Altersgruppe in %"), names, bars, decimals=1,
            suffix="\N{NO-BREAK SPACE}%", width=_CHART_PX, wording=self._wording(),
        )  # fmt: skip
        caption = said("Versorgung von {area} im Vergleich").format(area=here)
        table = self._table(caption, columns, cells, "tabelle-versorgung")
        return chart_picture("bild-versorgung", chart, table)

    def _shares(self, names: Sequence[str], values: Sequence[Value]) -> str:
        percent = self.writes["number"]
        return ", ".join(
            f"{name} {percent(value, 1)} %" if isinstance(value, float) else f"{name} {self.said('fehlt')}"
            for name, value in zip(names, values, strict=True)
        )

    def _peers(self) -> DataTable | None:
        made, said = self.made, self.said
        if not made.peers:
            return None
        columns = [
            Column("area", said("Gebiet"), header=True),
            Column("distance", said("Abstand"), Kind.NUMBER, decimals=2),
            *(Column(one.category, self._reach_title(one), Kind.PERCENT, decimals=1) for one in made.compared),
        ]
        own: dict[str, Cell] = {"area": made.area.area_name, "distance": Mark.NOT_APPLICABLE}
        own |= {one.category: one.here.reach_share for one in made.compared}
        rows = [own]
        for peer in made.peers:
            href = area_address(peer.area.level, peer.area.key, self.language)
            row: dict[str, Cell] = {"area": Link(peer.area.name, href), "distance": peer.distance}
            for one in made.compared:
                row[one.category] = next(
                    (other.level.reach_share for other in one.peers if other.area_key == peer.area.key), None
                )
            rows.append(row)
        caption = said("Vergleichbare Gebiete: Anteil, der eine Einrichtung in {minutes} Minuten erreicht")
        return self._table(caption.format(minutes=made.minutes), columns, rows, "tabelle-vergleich")

    def _reach_title(self, one: Compared) -> str:
        return f"{self.said(TITLES[one.category])}, {age_band(one.ages, self.language)}"


def _cell(count: Count) -> Cell:
    if count.value is not None:
        return round(count.value)
    return Mark.SUPPRESSED if count.flag == "suppressed" else None


def _value(count: Count) -> Value:
    if count.value is not None:
        return float(round(count.value))
    return SUPPRESSED if count.flag == "suppressed" else None


def _stated(one: CategoryCount) -> tuple[Cell, Cell]:
    """Return places and hours: a category that states the other alone has none of these to state."""
    if not one.offers:
        return 0, 0
    supply: Cell = one.places_stated
    hours: Cell = one.hours_stated
    if supply is None and hours is not None:
        supply = Mark.NOT_APPLICABLE
    elif hours is None and supply is not None:
        hours = Mark.NOT_APPLICABLE
    return supply, hours


def downloads_of(made: Profile, language: str, *, max_rows: int) -> list[Download]:
    """Return what can be taken along: the profile as PDF, its tables as a workbook, its places and its border.

    ``max_rows``: so many rows the API gives at once.
    """
    said = texts(language).gettext
    level, key = made.area.area_level, made.area.area_key
    here = f"/gebiete/{level}/{key}"
    files = [Download(said("Profil als PDF"), address(f"{here}.pdf")),
             Download(said("Alle Tabellen (Excel)"), address(f"{here}.xlsx"))]  # fmt: skip
    if made.area.facilities:
        asked = [("area", f"{level}:{key}"), ("limit", str(max_rows))]
        for code, title in (("xlsx", said("Angebote (Excel)")), ("geojson", said("Angebote (GeoJSON)"))):
            files.append(Download(title, address("/api/v1/facilities", [*asked, ("format", code)])))
    if made.area.geometry is not None:
        files.append(
            Download(said("Grenze (GeoJSON)"), address(f"/api/v1/areas/{level}/{key}", [("format", "geojson")]))
        )
    return files
