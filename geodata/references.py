"""Who names an area: what would hang in the air if a version of areas without it became visible."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

# Rows (what, key) that name areas of :level: areas as their parent, figures, placements. Parents that were derived
# follow by themselves.
REFERENCES = """
    SELECT 'Gebiete' AS what, child.parent_key AS key FROM area child
    JOIN dataset d ON d.current_import_id = child.import_id
    WHERE child.parent_level = :level AND NOT child.parent_derived
    UNION ALL
    SELECT 'Beobachtungen', o.area_key FROM observation o JOIN dataset d ON d.current_import_id = o.import_id
    WHERE o.level = :level
    UNION ALL
    SELECT 'Unterbringungen', p.area_key FROM placement p JOIN dataset d ON d.current_import_id = p.import_id
    WHERE p.level = :level
    UNION ALL
    SELECT 'Unterbringungen', p.provider_area_key FROM placement p JOIN dataset d ON d.current_import_id = p.import_id
    WHERE p.provider_area_level = :level
"""


_ONE = {"Gebiete": "1 anderes Gebiet", "Beobachtungen": "1 Beobachtung", "Unterbringungen": "1 Unterbringung"}
_MORE = {"Gebiete": "andere Gebiete"}


@dataclass(frozen=True, slots=True)
class Orphans:
    """Areas that go although something names them: how many, and how many of what."""

    areas: int
    users: tuple[tuple[str, int], ...]

    def sentence(self) -> str:
        """Return a German half sentence: which areas go, and what still refers to them."""
        named = " und ".join(_ONE[what] if number == 1 else f"{number} {_MORE.get(what, what)}"
                             for what, number in self.users)  # fmt: skip
        some = "1 Gebiet fällt weg, auf das" if self.areas == 1 else f"{self.areas} Gebiete fallen weg, auf die"
        alone = len(self.users) == 1 and self.users[0][1] == 1
        return f"{some} sich noch {named} {'bezieht' if alone else 'beziehen'}"


def orphans_between(session: Session, level: str, before: int, after: int) -> Orphans | None:
    """Return what the change from one version of a level's areas to another would orphan; None where nothing."""
    found = session.execute(
        text(f"""
            WITH lost AS MATERIALIZED (
                SELECT old.key FROM area old WHERE old.import_id = :before AND old.level = :level
                AND NOT EXISTS (SELECT FROM area new WHERE new.import_id = :after AND new.level = :level
                                AND new.key = old.key))
            SELECT r.what, count(*) AS number, count(DISTINCT r.key) AS areas
            FROM lost JOIN ({REFERENCES}) r USING (key) GROUP BY GROUPING SETS ((r.what), ()) ORDER BY r.what
        """),
        {"before": before, "after": after, "level": level},
    ).all()
    *users, whole = found
    return Orphans(whole.areas, tuple((row.what, row.number) for row in users)) if whole.number else None
