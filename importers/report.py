"""The one report object of an import: terminal, JSON and later a page are made from it."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

MAX_FINDINGS_PER_REASON = 1000
_MAX_VALUE_CHARS = 200


class Severity(StrEnum):
    """``reject``: the row is not taken. ``warning``: taken, but look. ``info``: what was decided on the way."""

    REJECT = "reject"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding.

    ``row`` as a spreadsheet counts (features from 1), None for the whole source; ``advice``: what to do.
    """

    severity: Severity
    row: int | None
    field: str | None
    value: str | None
    reason: str
    advice: str = ""


@dataclass(slots=True)
class Report:
    """Everything an import has to say. Counts are in rows (areas, Angebote)."""

    dataset: str
    kind: str
    source: str
    checksum: str = ""
    format: str = ""
    encoding: str | None = None
    crs: str | None = None
    rows_read: int = 0
    rows_loaded: int = 0
    before: int | None = None
    dry_run: bool = False
    unchanged: bool = False
    data_version: int | None = None
    counts: dict[str, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    _rejected: set[int] = field(default_factory=set)
    _per_reason: Counter[tuple[Severity, str, str | None]] = field(default_factory=Counter)

    @property
    def rows_rejected(self) -> int:
        """Number of distinct rows not taken."""
        return len(self._rejected)

    def rejected_rows(self) -> frozenset[int]:
        """Return the numbers of the rows not taken."""
        return frozenset(self._rejected)

    def reject(self, row: int, field: str | None, value: object, reason: str, advice: str = "") -> None:
        """Note a row that is not taken. Its first reason counts for the limits; all are listed."""
        self._rejected.add(row)
        self._add(Finding(Severity.REJECT, row, field, _short(value), reason, advice))

    def warn(self, reason: str, *, row: int | None = None, field: str | None = None, value: object = None) -> None:
        """Note what was taken but should be looked at."""
        self._add(Finding(Severity.WARNING, row, field, _short(value), reason))

    def info(self, reason: str, *, row: int | None = None, field: str | None = None, value: object = None) -> None:
        """Note a decision made on the way (encoding, dropped height, repaired border)."""
        self._add(Finding(Severity.INFO, row, field, _short(value), reason))

    def _add(self, finding: Finding) -> None:
        key = (finding.severity, finding.reason, finding.field)
        self._per_reason[key] += 1
        if self._per_reason[key] <= MAX_FINDINGS_PER_REASON:
            self.findings.append(finding)

    def of(self, severity: Severity) -> Iterator[Finding]:
        """Yield the listed findings of one severity."""
        return (finding for finding in self.findings if finding.severity is severity)

    def reasons(self, severity: Severity) -> list[tuple[str, int]]:
        """Return the reasons of one severity with how often each occurred, most frequent first."""
        totals: Counter[str] = Counter()
        for (kind, reason, _field), count in self._per_reason.items():
            if kind is severity:
                totals[reason] += count
        return totals.most_common()

    def taken(self) -> str:
        """Return how many rows are taken and how many not, in the sentence a planner reads first."""
        return f"{self.rows_loaded} von {self.rows_read} Zeilen übernommen, {self.rows_rejected} zurückgewiesen."

    def headline(self) -> str:
        """Return the same for a terminal: of which dataset, and whether anything was changed by it."""
        changed = " (Inhalt wie bisher, keine neue Fassung)" if self.unchanged else ""
        changed = " (Probelauf, nichts geändert)" if self.dry_run else changed
        return f"{self.dataset}: {self.taken().removesuffix('.')}{changed}."

    def lines(self, most: int = 20) -> Iterable[str]:
        """Yield the report for a terminal: headline, counts, reasons, then at most ``most`` findings each."""
        yield self.headline()
        for name, count in self.counts.items():
            yield f"  {name}: {count}"
        words = {Severity.REJECT: "zurückgewiesen", Severity.WARNING: "Warnung", Severity.INFO: "Hinweis"}
        for severity, word in words.items():
            for shown, finding in enumerate(self.of(severity)):
                if shown == most:
                    yield f"  … weitere unter „{word}“ im Bericht (--report)"
                    break
                where = f"Zeile {finding.row}, " if finding.row is not None else ""
                what = f"{finding.field}={finding.value!r}: " if finding.field else ""
                advice = f" {finding.advice}" if finding.advice else ""
                yield f"  {word}: {where}{what}{finding.reason}{advice}"

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain data for JSON."""
        return {
            "dataset": self.dataset,
            "kind": self.kind,
            "source": self.source,
            "checksum": self.checksum,
            "format": self.format,
            "encoding": self.encoding,
            "crs": self.crs,
            "dry_run": self.dry_run,
            "unchanged": self.unchanged,
            "rows_read": self.rows_read,
            "rows_loaded": self.rows_loaded,
            "rows_rejected": self.rows_rejected,
            "rows_before": self.before,
            "data_version": self.data_version,
            "counts": self.counts,
            "reasons": {severity.value: dict(self.reasons(severity)) for severity in Severity},
            "findings": [asdict(finding) for finding in self.findings],
        }


def _short(value: object) -> str | None:
    if value is None:
        return None
    text = str(value)
    return text if len(text) <= _MAX_VALUE_CHARS else text[:_MAX_VALUE_CHARS] + "…"
