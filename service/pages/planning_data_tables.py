"""The tables of the pages on data: datasets, their imports, findings of a report, what a file would change."""

from collections.abc import Mapping, Sequence
from typing import Any

from geodata import words
from geodata.answer import Meta
from geodata.datasets import DatasetRow, NeverLoaded
from geodata.import_reports import ImportRow, State
from geodata.version_preview import Counts, Difference, Fate
from importers.report import Severity
from service.formats import Table
from service.pages.components import Cell, Column, DataTable, Kind, Lines, Link, Mark, Pager
from service.pages.frame import address
from service.pages.planning_data_words import border_text, change_text, distance, field_text, moment, short
from service.uploads.fields import KIND_TITLES
from service.uploads.sentences import in_form_words

ROOT = "/planung/daten"
_PER_PAGE = 100
FATES = {Fate.ADDED: "neu", Fate.MOVED: "verlegt", Fate.CHANGED: "geändert", Fate.REMOVED: "entfällt"}
_STATES = {State.VISIBLE: "sichtbar", State.BEFORE: "davor, aufgehoben", State.GONE: "nicht mehr aufgehoben"}
_CALLED = {Severity.REJECT: "Zurückweisungen", Severity.WARNING: "Warnungen", Severity.INFO: "Hinweisen"}
# A list of reasons helps where each stands for several rows.
_MOST_REASONS = 10


def dataset_href(name: str) -> str:
    """Return where a dataset's page is."""
    return address(f"{ROOT}/bestand/{name}")


def report_href(import_id: int, ending: str = "") -> str:
    """Return where the report of an import is, as a page or as a file."""
    return f"{ROOT}/bericht/{import_id}{ending}"


def datasets_table(rows: Sequence[DatasetRow], never: Sequence[NeverLoaded]) -> DataTable:
    """Return the datasets in the order of their kinds; ``never``: sources that have not come in yet, at the end."""
    kinds = list(KIND_TITLES)
    listed = sorted(rows, key=lambda row: (kinds.index(row.kind), row.dataset))
    return DataTable(
        "Bestände mit Stand, Lizenz und letztem Import",
        [
            Column("title", "Bestand", header=True),
            Column("kind", "Art"),
            Column("as_of", "Stand", Kind.DATE),
            Column("licence", "Lizenz"),
            Column("imported", "Importiert"),
            Column("rows", "Zeilen", Kind.NUMBER),
            Column("rejected", "Zurückgewiesen", Kind.NUMBER),
            Column("checked", "Quelle geprüft"),
            Column("failure", "Störung"),
        ],
        [
            {
                "title": Lines([Link(row.title, dataset_href(row.dataset)), row.dataset]),
                "kind": KIND_TITLES[row.kind],
                "as_of": row.as_of,
                "licence": row.licence,
                "imported": moment(row.imported_at),
                "rows": row.rows_loaded,
                "rejected": row.rows_rejected,
                "checked": {0: "heute", 1: "gestern"}.get(row.age_days, f"vor {row.age_days} Tagen"),
                "failure": _failure(row, "nicht erneuern") if row.failed_at else "keine",
            }
            for row in listed
        ]
        + [
            {
                "title": one.dataset,
                **dict.fromkeys(("kind", "as_of", "licence", "imported", "rows", "rejected"), Mark.NOT_APPLICABLE),
                "checked": "noch nie",
                "failure": _failure(one, "nicht laden"),
            }
            for one in never
        ],
        empty="Es sind noch keine Daten geladen.",
        stacked=True,
    )


def _failure(row: DatasetRow | NeverLoaded, what: str) -> str:
    """Return how renewing failed; the reason may quote the source and is for the administration."""
    assert row.failed_at is not None  # noqa: S101 - asked for rows that failed only
    if row.failure is None:
        return f"Ließ sich am {moment(row.failed_at)} {what}; den Grund sieht die Verwaltung."
    return f"{moment(row.failed_at)}: {row.failure}"


def imports_table(rows: Sequence[ImportRow]) -> DataTable:
    """Return the imports of a dataset, newest first, each leading to its report."""
    return DataTable(
        "Importe, der neueste zuerst",
        [
            Column("at", "Importiert am", header=True),
            Column("state", "Fassung"),
            Column("source", "Datei oder Adresse"),
            Column("as_of", "Stand", Kind.DATE),
            Column("read", "Gelesen", Kind.NUMBER),
            Column("loaded", "Übernommen", Kind.NUMBER),
            Column("rejected", "Zurückgewiesen", Kind.NUMBER),
        ],
        [
            {
                "at": Link(moment(row.imported_at), report_href(row.import_id)),
                "state": _STATES[row.state],
                "source": short(row.source),
                "as_of": row.as_of,
                "read": row.rows_read,
                "loaded": row.rows_loaded,
                "rejected": row.rows_rejected,
            }
            for row in rows
        ],
        empty="Noch kein Import.",
        stacked=True,
    )


def findings_of(report: Mapping[str, Any], severity: Severity) -> list[Mapping[str, Any]]:
    """Return the findings of one severity of a report, as plain data."""
    return [finding for finding in report.get("findings", []) if finding["severity"] == severity.value]


def reasons(report: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Return why rows were rejected and how often, most frequent first; empty where that says no more than the rows."""
    found: Mapping[str, int] = report.get("reasons", {}).get(Severity.REJECT.value, {})
    often = sorted(((reason, number) for reason, number in found.items() if number > 1), key=lambda one: -one[1])
    return [(in_form_words(reason), number) for reason, number in often[:_MOST_REASONS]] if len(found) > 1 else []


def cut_short(report: Mapping[str, Any], severity: Severity) -> str | None:
    """Return what is to be said where a report lists fewer findings than there were, None where it lists all."""
    listed, there = len(findings_of(report, severity)), sum(report.get("reasons", {}).get(severity.value, {}).values())
    if not listed or there <= listed:
        return None
    return (
        f"Aufgeführt sind {words.number(listed)} von {words.number(there)} {_CALLED[severity]}; "
        "von jedem Grund nur die ersten."
    )


def findings_table(
    caption: str, found: Sequence[Mapping[str, Any]], page: int, parameter: str
) -> tuple[DataTable, Pager]:
    """Return one page of findings."""
    pager = Pager.of(page, len(found), _PER_PAGE, parameter)
    advised = any(finding.get("advice") for finding in found)
    columns = [
        Column("row", "Zeile", header=True),
        Column("field", "Feld"),
        Column("value", "Wert"),
        Column("reason", "Befund"),
        *([Column("advice", "Was zu tun ist")] if advised else []),
    ]
    shown = found[pager.first - 1 : pager.last] if found else []
    # On a phone a row stands for itself: its number then needs the word that is else in the heading.
    numbered = [{"data-zeile": str(one["row"])} if one.get("row") is not None else {} for one in shown]
    table = DataTable(
        caption, columns, [_finding(one) for one in shown], attributes=numbered, identity=parameter, stacked=True
    )
    return table, pager


def _finding(one: Mapping[str, Any]) -> dict[str, Cell]:
    return {
        "row": str(one["row"]) if one.get("row") is not None else "ganze Datei",
        "field": field_text(one["field"]) if one.get("field") else Mark.NOT_APPLICABLE,
        "value": short(one["value"]) if one.get("value") not in {None, ""} else Mark.NOT_APPLICABLE,
        "reason": in_form_words(one["reason"]),
        "advice": in_form_words(one.get("advice") or "") or Mark.NOT_APPLICABLE,
    }


def rejects_file(report: Mapping[str, Any], meta: Meta) -> Table:
    """Return the rejected rows as a table for CSV and Excel."""
    columns = ("row", "field", "value", "reason", "advice")
    rows = [
        {
            "row": one.get("row"),
            "field": one.get("field"),
            "value": one.get("value"),
            "reason": in_form_words(one["reason"]),
            "advice": in_form_words(one.get("advice") or ""),
        }
        for one in findings_of(report, Severity.REJECT)
    ]
    return Table(meta, "zurueckgewiesen", columns, rows, None)


def counts_table(counts: Sequence[Counts]) -> DataTable:
    """Return how many rows of each kind come, move, change, go and stay."""
    order = (Fate.ADDED, Fate.MOVED, Fate.CHANGED, Fate.REMOVED)
    moved = any(one.fates[Fate.MOVED] for one in counts)
    shown = [fate for fate in order if fate is not Fate.MOVED or moved]
    return DataTable(
        "Was sich gegenüber der sichtbaren Fassung ändern würde",
        [
            Column("title", "Was", header=True),
            *(Column(fate.value, FATES[fate], Kind.NUMBER) for fate in shown),
            Column("same", "unverändert", Kind.NUMBER),
        ],
        [{"title": one.title, **{fate.value: one.fates[fate] for fate in shown}, "same": one.same} for one in counts],
        stacked=True,
    )


def differences_table(differences: Sequence[Difference], page: int, parameter: str) -> tuple[DataTable, Pager]:
    """Return one page of what differs, row by row, in the order of the preview."""
    pager = Pager.of(page, len(differences), _PER_PAGE, parameter)
    shown = differences[pager.first - 1 : pager.last] if differences else []
    table = DataTable(
        "Die Änderungen im Einzelnen",
        [
            Column("name", "Name", header=True),
            Column("fate", "Änderung"),
            Column("title", "Art"),
            Column("fields", "Was sich ändert"),
        ],
        [
            {
                "name": one.name or one.key,
                "fate": FATES[one.fate],
                "title": one.title,
                "fields": Lines(_fields(one)) if one.fields else Mark.NOT_APPLICABLE,
            }
            for one in shown
        ],
        identity=parameter,
        stacked=True,
    )
    return table, pager


def notes_lines(notes: Mapping[str, tuple[str | None, str | None]]) -> list[str]:
    """Return the footnotes that would change, one line each."""
    return [change_text(name, old, new) for name, (old, new) in notes.items()]


def _fields(one: Difference) -> list[str]:
    lines = []
    for name, (old, new) in one.fields.items():
        if name != "geom":
            lines.append(change_text(name, old, new))
        elif one.title == "Gebiete":
            lines.append(border_text(old, new))
        elif one.moved_m is not None:
            lines.append(f"Lage: um {distance(one.moved_m)} verlegt")
        elif old is None or new is None:
            lines.append("Lage: bisher unbekannt" if old is None else "Lage: künftig unbekannt")
        else:
            lines.append("Lage: um weniger als 1 m verschoben")
    return lines
