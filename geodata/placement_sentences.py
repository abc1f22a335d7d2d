"""What an answer about placements says in a few German sentences: the whole, the change, where it is highest."""

from collections.abc import Iterator, Sequence

from geodata import words
from geodata.figure_tables import WITHOUT_AREA
from geodata.home_request import HomeGapRow
from geodata.periods import since
from geodata.placement_figures import UNSECURED
from geodata.placement_notes import ROLES
from geodata.placements import PlacementRow

_SECURED = "Die Veränderung ist statistisch gesichert (95 %)."
_NAMED = 5
_POINTS = 1


def interval_text(low: float | None, high: float | None) -> str | None:
    """Return an interval of shares (0 to 1) in words (``48,9 bis 57,3 %``); None where it is not known."""
    if low is None or high is None:
        return None
    return f"{words.number(100 * low, 1)} bis {words.percent(high)}"


def change_interval_text(low: float | None, high: float | None) -> str | None:
    """Return an interval of a change in percentage points (``−3,0 bis +8,5``); None where it is not known."""
    return None if low is None or high is None else f"{signed(low)} bis {signed(high)}"


def signed(value: float, decimals: int = _POINTS) -> str:
    """Return a number with its sign (``+2,7``, ``−0,4``, ``0,0``)."""
    said = words.number(value, decimals)
    return f"+{said}" if value > 0 and said.strip("0,") else said


def share_sentence(row: PlacementRow, home_state: str, told: str = "") -> str:
    """Return how many of an area's cases are outside, with the interval; or what of it is not known.

    ``told``: by what the cases are the area's, where that is to be said.
    """
    name = f"{_name(row)} ({told})" if told else _name(row)
    if row.cases is None:
        said = (
            "zum Schutz kleiner Fallzahlen nicht ausgewiesen" if "cases" in row.suppressed_fields else "nicht bekannt"
        )
        return f"{name}: Die Zahl der Fälle ist {said}."
    under = f"nach §\N{NO-BREAK SPACE}{row.paragraph}"
    if not row.cases:
        return f"{name}: Es gibt keinen Fall {under}."
    if row.outside_share is None or row.outside_cases is None:
        why = "zum Schutz kleiner Fallzahlen nicht ausgewiesen" if row.suppressed_fields else "nicht bekannt"
        cases = words.counted(row.cases, "ein Fall", "Fälle")
        return f"{name}: {cases} {under}; der Anteil außerhalb ist {why}."
    cases = words.counted(row.cases - (row.unknown_cases or 0), "einem Fall", "Fällen")
    known = " mit bekanntem Bundesland" if row.unknown_cases else ""
    interval = interval_text(row.ci_low, row.ci_high)
    return (
        f"{name}: {words.number(row.outside_cases)} von {cases} {under}{known} bei Trägern außerhalb von {home_state} "
        f"({words.percent(row.outside_share)}; 95-%-Intervall {interval})."
    )


def change_sentence(row: PlacementRow, before: str | None) -> str | None:
    """Return how the share has changed since the period ``before``, and whether that is secured; None: not known."""
    if before is None or row.change_pp is None:
        return None
    points = words.number(abs(row.change_pp), _POINTS)
    if not points.strip("0,"):
        how = "ist der Anteil gleich geblieben"
    else:
        noun = "Prozentpunkt" if points == "1,0" else "Prozentpunkte"
        how = f"ist der Anteil um {points} {noun} {'gestiegen' if row.change_pp > 0 else 'gesunken'}"
    return f"{since(before, start=True)} {how}. {_SECURED if row.change_secured else UNSECURED}"


def highest_sentence(rows: Sequence[PlacementRow], *, per_1000: bool = False) -> str | None:
    """Return where the share outside (or the cases per 1,000) is highest; None with fewer than two areas that have it.

    How many areas are not in it, because their figure is suppressed or missing, is said with it.
    """
    field = "per_1000" if per_1000 else "outside_share"
    areas = [row for row in rows if row.area_key != WITHOUT_AREA]
    known = [(value, row) for row in areas if (value := getattr(row, field)) is not None]
    if len(known) < 2:
        return None
    # As it is shown: areas of the same figure share the place.
    shown = [(words.number(value, 2) if per_1000 else words.percent(value), row) for value, row in known]
    top = max(known, key=lambda pair: pair[0])[0]
    most = words.number(top, 2) if per_1000 else words.percent(top)
    names = words.listed([_name(row) for said, row in shown if said == most], _NAMED)
    what = "Die meisten Fälle je 1.000 unter 21-Jährige hat" if per_1000 else "Am höchsten ist der Anteil in"
    left = len(areas) - len(known)
    besides = (
        f" Nicht verglichen: {words.counted(left, 'ein Gebiet', 'Gebiete')} ohne ausgewiesenen Wert." if left else ""
    )
    return f"{what} {names} ({most}).{besides}"


def none_near_sentence(rows: Sequence[HomeGapRow], near_km: float, *, published: bool) -> str | None:
    """Return which areas with cases have no place near; None where nothing is known of any."""
    ranked = [row for row in rows if row.rank is not None]
    if not ranked:
        return None
    lacking = [row.area_name or row.area_key for row in ranked if row.none_near]
    within = f"im Umkreis von {words.plain(near_km, 3)} km"
    place = "freigegebenen Platz" if published else "Platz"
    if not lacking:
        if len(ranked) == 1:
            return f"{ranked[0].area_name or ranked[0].area_key} hat {within} oder im Gebiet einen {place}."
        return f"Alle {len(ranked)} Gebiete mit ausgewiesenen Fällen haben {within} oder im Gebiet einen {place}."
    count = "hat eines" if len(lacking) == 1 else f"haben {len(lacking)}"
    return (
        f"Von {len(ranked)} Gebieten mit ausgewiesenen Fällen {count} {within} und im Gebiet keinen {place}: "
        f"{words.listed(lacking, _NAMED)}."
    )


def answer_sentences(
    whole: PlacementRow | None, rows: Sequence[PlacementRow], before: str | None, home_state: str, *, per_1000: bool
) -> Iterator[str]:
    """Yield the answer: the ``whole`` (None: it is not told of), its change, and where it is highest among the rows."""
    first = whole if whole is not None else rows[0] if len(rows) == 1 else None
    if first is not None:
        other = any(row.area_role != first.area_role for row in rows)
        yield share_sentence(first, home_state, told=ROLES[first.area_role] if other else "")
        change = change_sentence(first, before)
        if change is not None:
            yield change
    highest = highest_sentence(rows, per_1000=per_1000)
    if highest is not None:
        yield highest


def _name(row: PlacementRow) -> str:
    return row.area_name or row.area_key
