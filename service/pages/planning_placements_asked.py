"""What the view of placements is asked: from the address to the questions of the field and the choices of the form."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from fastapi import Request
from sqlalchemy.orm import Session

from geodata.controlling import parsed
from geodata.controlling_areas import read_tree
from geodata.errors import ParameterError
from geodata.home_gaps import HomeGapsRequest
from geodata.home_request import MOST_KM
from geodata.periods import kind_of, spoken, within
from geodata.placement_notes import ROLES
from geodata.placement_offer import PlacementOffer, comparable, placement_offers, usual_comparison
from geodata.placement_rule import read_rule
from geodata.placements import PlacementsRequest
from geodata.viewer import Version
from service.api import parameters as query
from service.area_names import area_pair
from service.context import today
from service.pages.components import Option
from service.pages.planning_view import given, options, version_of

PARAMETERS = (
    "level", "area", "paragraph", "period", "compare", "area_role", "counting", "show", "near_km", "flow", "sort",
    "method", "classes",
)  # fmt: skip
SHARE, PER_1000, CHANGE = "share", "per_1000", "change"
SHOWN = {
    SHARE: "Anteil außerhalb",
    PER_1000: "Fälle je 1.000 unter 21-Jährige",
    CHANGE: "Veränderung des Anteils",
}
COUNTINGS = {"stichtag": "am Stichtag", "begonnen": "im Zeitraum begonnen"}
_ORIGIN, _RESPONSIBLE = "herkunft", "zustaendig"
_PARAGRAPH, _NEAR_KM = "34", 5.0
_OTHER_BANDS = (10.0, 20.0)
_ANY_PERIOD = "Zeitraum"
_METRE = 3  # decimals of a km
_PERIOD_WORDS = {"0000-Q0": "Quartal", "0000": "Jahr"}
_NOTHING = "Es sind keine Unterbringungen geladen, die Sie sehen dürfen."

Area = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Wanted:
    """The parameters as they are given; None: left open."""

    level: str | None
    area: Area | None
    paragraph: str
    period: str | None
    compare: str | None
    area_role: str | None
    counting: str | None
    show: str
    near_km: float
    flow: Area | None
    version: Version


@dataclass(frozen=True, slots=True)
class PlacementView:
    """The parameters with everything filled in; ``offers``: all there is to ask for under the paragraph.

    ``names``: of all areas. ``hints``: what was asked for and is not there, when only a part of the question was
    changed: it is said so.
    """

    wanted: Wanted
    offers: Sequence[PlacementOffer]
    offer: PlacementOffer
    period: str
    compare: str | None
    home_level: str
    home_state: str
    names: Mapping[Area, str]
    hints: tuple[str, ...] = ()

    @property
    def show(self) -> str:
        """What is shown: cases per 1,000 only by origin, a change only where something came before."""
        lacking = self.wanted.show == PER_1000 and self.offer.area_role != _ORIGIN
        return SHARE if lacking or (self.wanted.show == CHANGE and self.compare is None) else self.wanted.show

    @property
    def subtitle(self) -> str:
        """What was counted, and what of it is shown (``nach Herkunft, am Stichtag; nur Hamburg-Mitte``)."""
        told = f"{ROLES[self.offer.area_role]}, {COUNTINGS[self.offer.counting]}"
        area = self.wanted.area
        return told if area is None else f"{told}; nur {self.names.get(area, area[1])}"

    @property
    def period_word(self) -> str:
        """What the periods to choose from are called in a form."""
        kinds = {kind_of(one) for one in self.offer.periods}
        return _PERIOD_WORDS.get(next(iter(kinds)), _ANY_PERIOD) if len(kinds) == 1 else _ANY_PERIOD

    def request(self, **changes: object) -> PlacementsRequest:
        """Return the question of placements; ``changes``: what else is asked instead."""
        asked: dict[str, object] = {
            "level": self.offer.level,
            "paragraph": self.offer.paragraph,
            "period": self.period,
            "compare": self.compare,
            "area_role": self.offer.area_role,
            "counting": self.offer.counting,
            "area": self.wanted.area,
            "home_state": self.home_state,
            "version": self.wanted.version,
        }
        return PlacementsRequest(**{**asked, **changes})  # type: ignore[arg-type]  # names and kinds are the request's

    def homes(self) -> HomeGapsRequest:
        """Return the question of places near."""
        return HomeGapsRequest(
            level=self.offer.level,
            on=today(),
            paragraph=self.offer.paragraph,
            period=self.period,
            area_role=self.offer.area_role,
            counting=self.offer.counting,
            area=self.wanted.area,
            bands_km=self.bands_km(),
            near_km=self.wanted.near_km,
            version=self.wanted.version,
        )

    def bands_km(self) -> tuple[float, ...]:
        """Return the distances homes are counted within; the one that counts as near is among them."""
        return tuple(sorted({self.wanted.near_km, *_OTHER_BANDS}))

    def parameters(self) -> dict[str, object]:
        """Return the API's parameters of the same question about placements."""
        return {
            "level": self.offer.level,
            "area": ":".join(self.wanted.area) if self.wanted.area else None,
            "paragraph": self.offer.paragraph,
            "period": self.period,
            "compare": self.compare,
            "area_role": self.offer.area_role,
            "counting": self.offer.counting,
        }

    def filled(self) -> dict[str, object]:
        """Return the view's own parameters with everything filled in: they ask for the same when there is more."""
        return {**self.parameters(), "show": self.show, "near_km": f"{self.wanted.near_km:g}"}

    def home_parameters(self) -> dict[str, object]:
        """Return the API's parameters of the same question about places near."""
        without = {name: value for name, value in self.parameters().items() if name != "compare"}
        return {**without, "bands_km": [f"{km:g}" for km in self.bands_km()], "near_km": f"{self.wanted.near_km:g}"}

    def whole(self) -> PlacementOffer | None:
        """Return the offer in which all areas of the answer are one, by the same role if there is such; else None."""
        counted = [one for one in self.offers if one.counting == self.offer.counting and self.period in one.periods]
        wide = [one for one in counted if one.level != self.offer.level]
        if self.wanted.area is not None:
            fitting = [one for one in wide if one.level == self.wanted.area[0]]
        else:
            levels = [one.level for one in self.offers]
            fitting = [one for one in wide if levels.index(one.level) < levels.index(self.offer.level)]
        return min(fitting, key=lambda one: one.area_role != self.offer.area_role, default=None)

    def by_state(self) -> list[PlacementOffer]:
        """Return the offers of which the providers' states are told, in this period, widest level first."""
        return [
            one
            for one in self.offers
            if one.area_role == _RESPONSIBLE and one.counting == self.offer.counting and self.period in one.periods
        ]

    def kept_in(self, offer: PlacementOffer) -> dict[str, str | None]:
        """Return period and comparison as a link to another offer has them; None: left out, for it lacks the period."""
        period = self.wanted.period if self.wanted.period in offer.periods else None
        there = comparable(period, offer.periods) if period is not None else []
        return {"period": period, "compare": self.wanted.compare if self.wanted.compare in there else None}

    def with_origin(self) -> PlacementOffer | None:
        """Return the offer by origin that the switch to cases per 1,000 leads to: of this level, else a narrower."""
        levels = [one.level for one in self.offers]
        here = levels.index(self.offer.level)
        origin = [one for one in self.offers if one.area_role == _ORIGIN and one.counting == self.offer.counting]
        return next((one for one in origin if levels.index(one.level) >= here), origin[0] if origin else None)


def wanted_of(request: Request) -> Wanted:
    """Return what is asked for; raise ``ParameterError`` for what is wrong whatever is loaded."""
    near = query.decimal_number("near_km", given(request, "near_km"), 0.1, MOST_KM)
    if near is not None and round(near, _METRE) != near:
        raise ParameterError("near_km", f"„near_km“ hat höchstens {_METRE} Nachkommastellen: Es wird auf den Meter "
                             "genau gemessen.")  # fmt: skip
    return Wanted(
        level=given(request, "level"),
        area=area_pair("area", given(request, "area")),
        paragraph=given(request, "paragraph") or _PARAGRAPH,
        period=_period("period", given(request, "period")),
        compare=_period("compare", given(request, "compare")),
        area_role=query.one_of("area_role", given(request, "area_role"), tuple(ROLES)),
        counting=query.one_of("counting", given(request, "counting"), tuple(COUNTINGS)),
        show=query.one_of("show", given(request, "show"), tuple(SHOWN)) or SHARE,
        near_km=_NEAR_KM if near is None else near,
        flow=area_pair("flow", given(request, "flow")),
        version=version_of(request),
    )


def _period(parameter: str, value: str | None) -> str | None:
    """Return a period as it is kept; raise ``ParameterError`` for what is none."""
    found = parsed(parameter, value)
    return None if found is None else found.text


def resolved(session: Session, wanted: Wanted, home_state: str) -> PlacementView:
    """Return the parameters filled in from what there is: the home level, its newest quarter, two years before.

    Raises ``ParameterError`` for what there is not.
    """
    every = placement_offers(session)
    if not every:
        raise ParameterError("level", _NOTHING)
    offers = [one for one in every if one.paragraph == wanted.paragraph]
    if not offers:
        known = list(dict.fromkeys(one.paragraph for one in every))
        raise ParameterError(
            "paragraph",
            f"Zu § {query.short(wanted.paragraph)} gibt es keine Unterbringungen. Vorhanden: {', '.join(known)}.",
            known,
        )
    rule = read_rule(session)
    offer, hints = _offer(offers, wanted, rule.home_level)
    there = {period for one in offers for period in one.periods}
    period = _shown_period(wanted, offer, there, hints)
    compare = _comparison(wanted, offer, period, there, hints)
    if wanted.show == CHANGE and compare is None:
        hints.append("Eine Veränderung gibt es nicht: Vor diesem Zeitraum ist keiner geladen. Gezeigt ist der Anteil.")
    names = read_tree(session).names
    return PlacementView(wanted, offers, offer, period, compare, rule.home_level, home_state, names, tuple(hints))


def _shown_period(wanted: Wanted, offer: PlacementOffer, known: Collection[str], hints: list[str]) -> str:
    """Return the period asked for, else the newest; of one that only another level has it is said.

    One that is nowhere stays, to be refused.
    """
    newest = offer.periods[-1]
    if wanted.period is None or wanted.period in offer.periods or wanted.period not in known:
        return wanted.period or newest
    hints.append(
        f"{within(wanted.period, start=True)} gibt es auf der Ebene {offer.title} keine Angaben. Gezeigt ist der "
        f"neueste Zeitraum: {spoken(newest)}."
    )
    return newest


def _comparison(
    wanted: Wanted, offer: PlacementOffer, period: str, known: Collection[str], hints: list[str]
) -> str | None:
    """Return the period a change is told against: the one asked for where it came before, else the usual one.

    The form sends both periods whichever of them was changed: what does not fit is said, not refused. One that is
    nowhere stays, to be refused.
    """
    if period not in offer.periods:
        return wanted.compare
    usual = usual_comparison(period, offer.periods)
    asked = wanted.compare
    if asked is None or asked in comparable(period, offer.periods):
        return asked or usual
    if asked not in known:
        return asked
    instead = "Davor ist kein solcher geladen" if usual is None else f"Verglichen ist mit: {spoken(usual)}"
    hints.append(
        "Verglichen wird nur mit einem früheren Zeitraum gleicher Länge, den es auf dieser Ebene gibt; "
        f"{spoken(asked)} ist keiner. {instead}."
    )
    return usual


def _offer(offers: Sequence[PlacementOffer], wanted: Wanted, home_level: str) -> tuple[PlacementOffer, list[str]]:
    """Return the offer that fits best, and what of the wishes it does not fulfil."""
    levels = list(dict.fromkeys(one.level for one in offers))
    level = wanted.level or (home_level if home_level in levels else levels[0])
    here = [one for one in offers if one.level == level]
    if not here:
        raise ParameterError(
            "level",
            f"Auf der Ebene „{query.short(level)}“ gibt es keine Unterbringungen. Vorhanden: {', '.join(levels)}.",
            levels,
        )
    role = wanted.area_role or (_ORIGIN if wanted.show == PER_1000 else None)
    fitting = [one for one in here if role in {None, one.area_role}]
    hints = []
    if not fitting:
        told = f"Auf der Ebene {here[0].title} sind die Fälle nur {ROLES[here[0].area_role]} angegeben."
        more = " Fälle je 1.000 unter 21-Jährige gibt es nur nach Herkunft." if wanted.show == PER_1000 else ""
        hints.append(told + more)
        fitting = here
    counted = [one for one in fitting if wanted.counting in {None, one.counting}]
    if not counted:
        hints.append(f"Gezählt sind die Fälle hier nur {COUNTINGS[fitting[0].counting]}.")
    return (counted or fitting)[0], hints


@dataclass(frozen=True, slots=True)
class Form:
    """The choices of the form, each by the name of its parameter; one with a single choice is not shown."""

    levels: list[Option]
    areas: list[Option]
    periods: list[Option]
    comparisons: list[Option]
    roles: list[Option]
    countings: list[Option]
    distances: list[Option]


def form_of(view: PlacementView) -> Form:
    """Return the choices, with those marked that are shown."""
    offer, wanted = view.offer, view.wanted
    level_titles = {one.level: one.title for one in view.offers}
    here = [one for one in view.offers if one.level == offer.level]
    names = view.names
    inside = {f"{level}:{key}": name for (level, key), name in sorted(names.items()) if level == view.home_level}
    if wanted.area is not None and ":".join(wanted.area) not in inside:
        inside[":".join(wanted.area)] = names.get(wanted.area, wanted.area[1])
    known = offer.periods
    km = sorted({wanted.near_km, 2.0, _NEAR_KM, *_OTHER_BANDS})
    return Form(
        levels=options(level_titles, offer.level),
        areas=options({"": "alle Gebiete", **inside}, ":".join(wanted.area) if wanted.area else ""),
        periods=options({one: spoken(one) for one in reversed(known)}, view.period),
        comparisons=options({one: spoken(one) for one in comparable(view.period, known)}, view.compare),
        roles=options({one.area_role: ROLES[one.area_role] for one in here}, offer.area_role),
        countings=options(
            {one.counting: COUNTINGS[one.counting] for one in here if one.area_role == offer.area_role}, offer.counting
        ),
        distances=options({f"{one:g}": f"{one:g} km".replace(".", ",") for one in km}, f"{wanted.near_km:g}"),
    )
