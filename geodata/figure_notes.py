"""What is said of figures of helps that are not shown: suppressed ones, and those that stay with the office."""

from collections.abc import Collection, Iterator

from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata import words
from geodata.figure_store import FAMILIES
from geodata.periods import accusative

SMALL_SUPPRESSED = (
    "Kleine Fallzahlen sind zum Schutz der Betroffenen nicht ausgewiesen (•): Fallzahlen unter {small} und solche, aus "
    "denen sie sich errechnen ließen, ebenso alles, was auf ihnen beruht."
)
_TITLES = {"cases": "Fallzahlen", "counselling": "Beratungen", "hours": "Stunden", "spending": "Ausgaben"}
_REASONS = {
    "placements": (
        "Für {periods} sind Fallzahlen unter Auswärtige Unterbringung veröffentlicht; beide zusammen ließen kleine "
        "Zahlen erkennen."
    ),
    "period": (
        "{what} für {periods} bleiben beim Jugendamt: Veröffentlicht ist ein längerer Zeitraum; die Differenz ließe "
        "kleine Zahlen erkennen."
    ),
    "counting": (
        "{what} für {periods} bleiben zum Teil beim Jugendamt: Veröffentlicht ist für denselben Zeitraum anders "
        "Gezähltes, und beides zusammen ließe kleine Zahlen erkennen."
    ),
    "level": "{what} dieser Ebene bleiben beim Jugendamt: Die Gebiete sind kleiner als die, die veröffentlicht werden.",
    "ties": (
        "{what} einiger Gebiete bleiben beim Jugendamt: Wie sie mit größeren Gebieten zusammenhängen, ist nicht "
        "bekannt."
    ),
}
_NAMED = 6


def small_suppressed(session: Session) -> str:
    """Return the footnote to what is suppressed."""
    small = session.execute(text("SELECT small FROM placement_rule_visible")).scalar_one()
    return SMALL_SUPPRESSED.format(small=small)


def kept_by_office(session: Session, level: str, codes: Collection[str]) -> Iterator[str]:
    """Yield what stays with the office of some indicators at a level, and why; nothing to an administrator."""
    families = [family for family, indicators in FAMILIES.items() if set(indicators) & set(codes)]
    found = session.execute(
        text("""
            SELECT reason, array_agg(DISTINCT family) AS families, array_agg(DISTINCT period) AS periods
            FROM figure_withheld_visible
            WHERE level = :level AND family = ANY (:families) AND srk_viewer_role() <> 'admin'
            GROUP BY reason ORDER BY reason
        """),
        {"level": level, "families": families},
    )
    for reason, mine, periods in found:
        what = words.listed([_TITLES[family] for family in FAMILIES if family in mine])
        said = words.listed([accusative(one) for one in sorted(periods)], _NAMED)
        yield _REASONS[reason].format(what=what, periods=said)
