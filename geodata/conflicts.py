"""Conflicts: the same figure in two datasets, of which nobody has said which one counts."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata.errors import SrkError


class ConflictError(SrkError, ValueError):
    """A version must not become visible: another dataset has the same figures."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two datasets that have ``count`` figures in common; ``example`` names the first of them."""

    dataset: str
    other: str
    count: int
    example: str

    def sentence(self) -> str:
        """Return what a planner is told: which dataset, how much, one example, and what to do."""
        figures = f"{self.count} Werte stehen" if self.count > 1 else "Ein Wert steht"
        return (
            f"{figures} schon im Bestand „{self.other}“ (zum Beispiel {self.example}). Bitte denselben Bestand "
            f"erneuern (--dataset {self.other}) oder im Kennzahlenkatalog unter [[rank]] für beide Bestände eine "
            "Rangfolge festlegen."
        )


# Without :import_id all visible versions are compared with each other. Two datasets with different ranks do not
# conflict: the better one is shown (observation_current). Nor do figures that are counted differently.
_CONFLICTS = """
WITH version AS (
    SELECT d.id AS dataset_id, d.name, d.current_import_id AS import_id FROM dataset d
    WHERE d.kind = 'statistics' AND d.current_import_id IS NOT NULL
), own AS (
    SELECT d.id AS dataset_id, d.name, i.id AS import_id, i.counting
    FROM import_run i JOIN dataset d ON d.id = i.dataset_id
    WHERE CASE WHEN CAST(:import_id AS int) IS NULL THEN i.id IN (SELECT import_id FROM version)
               ELSE i.id = :import_id END
)
SELECT own.name AS dataset, v.name AS other, count(*) AS count,
       min(concat_ws(' · ', o.level, o.area_key, o.indicator, nullif(o.position, ''), o.period,
                     nullif(o.scenario, 'ist'))) AS example
FROM own
JOIN version v ON v.dataset_id <> own.dataset_id
    AND (CAST(:import_id AS int) IS NOT NULL OR own.dataset_id < v.dataset_id)
JOIN import_run i ON i.id = v.import_id AND i.counting IS NOT DISTINCT FROM own.counting
JOIN observation o ON o.import_id = own.import_id
JOIN observation other ON other.import_id = v.import_id AND other.level = o.level AND other.area_key = o.area_key
    AND other.indicator = o.indicator AND other.position = o.position AND other.period = o.period
    AND other.scenario = o.scenario
WHERE NOT EXISTS (
    SELECT FROM dataset_rank_visible a JOIN dataset_rank_visible b ON b.rank <> a.rank
    WHERE a.dataset = own.name AND b.dataset = v.name)
GROUP BY own.name, v.name ORDER BY own.name, v.name
"""


def conflicts(session: Session, import_id: int | None = None) -> list[Conflict]:
    """Return the conflicts of one version of statistics with the visible versions of the other datasets.

    Without ``import_id`` all visible versions are compared with each other. To be asked with the writing group's
    rights, before the version becomes visible.
    """
    return [Conflict(*row) for row in session.execute(text(_CONFLICTS), {"import_id": import_id})]


def require_no_conflicts(session: Session, import_id: int | None = None) -> None:
    """Raise ``ConflictError`` naming the other dataset, the number of figures and one of them."""
    found = conflicts(session, import_id)
    if found:
        raise ConflictError(found[0].sentence())
