"""The one transactional loader: a version becomes visible complete, or nothing changes, whatever happens.

Everything an import does, its derivations included, runs inside one writing transaction under the advisory
lock of the writers. Readers never wait: they see the version before until the commit.
"""

import contextlib
import datetime as dt
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

import orjson
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from geodata.database import lock_writers, writing
from geodata.versions import TABLES, content_digest
from importers.errors import MappingError, RefusedError
from importers.report import Report, Severity
from importers.sources import Provenance

if TYPE_CHECKING:
    from importers.mapping import DatasetInfo

_DATASET_NAME = re.compile(r"[a-z0-9_]+(\.[a-z0-9_-]+)*")


@dataclass(frozen=True, slots=True)
class Limit:
    """How many rejects are borne: a number, or a share of the rows read (``5%`` is 0.05)."""

    number: int | None = None
    share: float | None = None

    @classmethod
    def parse(cls, value: str, option: str) -> "Limit":
        """Read ``10`` or ``5%``; raise ``MappingError`` naming the option."""
        body = value.strip().removesuffix("%").strip().replace(",", ".")
        try:
            if value.strip().endswith("%"):
                share = float(body) / 100
                if 0 <= share <= 1:
                    return cls(share=share)
            elif body.isdecimal():
                return cls(number=int(body))
        except ValueError:
            pass
        raise MappingError(f"{option} braucht eine Zahl oder einen Anteil wie „5%“, nicht „{value}“.")

    def allows(self, rejected: int, read: int) -> bool:
        """Tell whether that many rejects are borne (equal to the limit is)."""
        if self.number is not None:
            return rejected <= self.number
        return rejected <= (self.share or 0.0) * read

    def words(self) -> str:
        """Return the limit as a reader writes it."""
        return str(self.number) if self.number is not None else f"{100 * (self.share or 0):g} %"


@dataclass(frozen=True, slots=True)
class Footnotes:
    """What is said of a source, for the footnotes of every answer; None: nothing is said."""

    title: str | None = None
    licence: str | None = None
    attribution: str | None = None
    as_of: dt.date | None = None

    def over(self, info: "DatasetInfo", usual: "str | Footnotes") -> "Footnotes":
        """Return these footnotes; where they say nothing those of the mapping, else the usual ones (or title)."""
        last = Footnotes(usual) if isinstance(usual, str) else usual
        return Footnotes(
            self.title or info.title or last.title,
            self.licence or info.licence or last.licence,
            self.attribution or info.attribution or last.attribution,
            self.as_of or info.as_of or last.as_of,
        )


NOTHING_SAID = Footnotes()


@dataclass(frozen=True, slots=True)
class Counting:
    """How the figures of an import count (see ``figure_tables``); ``release`` whether everyone may see them."""

    counting: str | None = None
    unit: str | None = None
    scope: str | None = None
    population_period: str | None = None
    release: str = "public"


@dataclass(frozen=True, slots=True)
class Rules:
    """The limits an import must keep, and whether it is a rehearsal.

    ``unattended``: nobody looks on, so content that a rollback took back is not brought again, and offers become more
    widely visible only with ``allow_wider_release``. ``inspect`` is called
    inside the transaction once all is written, before it is committed or, of a rehearsal, taken back; whatever it
    raises takes the import back. It is not called where nothing is new.
    """

    max_rejects: Limit
    max_shrink: Limit = field(default_factory=lambda: Limit(share=0.3))
    allow_orphans: bool = False
    dry_run: bool = False
    unattended: bool = False
    allow_wider_release: bool = False
    inspect: "Callable[[Job], None] | None" = None


@dataclass(slots=True)
class Job:
    """An import under way. ``previous_id`` is the version visible so far."""

    session: Session
    dataset_id: int
    import_id: int
    previous_id: int | None
    report: Report
    rules: Rules


class _TakenBack(Exception):  # noqa: N818 - no error: it takes the transaction back, of a rehearsal or without news
    pass


@contextlib.contextmanager
def importing(
    engine: Engine,
    report: Report,
    provenance: Provenance,
    notes: Footnotes,
    rules: Rules,
    counting: Counting | None = None,
) -> Iterator[Job]:
    """Open an import of ``report.dataset``; commit when the block ends well (unless it is a dry run).

    The block loads rows under ``job.import_id``, notes findings in the report and calls ``publish``; the
    report is stored after the block, with all that was noted. Where ``publish`` finds nothing new it ends the block:
    no new version is made, and the report says so (``unchanged``).
    """
    if not _DATASET_NAME.fullmatch(report.dataset):
        raise MappingError(
            f"„{report.dataset}“ taugt nicht als Name eines Bestands; erlaubt sind Kleinbuchstaben a–z, Ziffern, "
            "Unterstrich und Punkte dazwischen, etwa „facilities.okja“."
        )
    report.source = provenance.source
    report.checksum = provenance.checksum
    report.format = provenance.format
    report.encoding = provenance.encoding
    report.dry_run = rules.dry_run
    says = counting or Counting()
    with contextlib.suppress(_TakenBack), writing(engine) as session:
        lock_writers(session)
        dataset_id, previous_id = _dataset(session, report)
        import_id = session.execute(
            text("""
                INSERT INTO import_run (dataset_id, source, checksum, title, licence, attribution, as_of,
                                        counting, unit, scope, population_period, release,
                                        rows_read, rows_loaded, rows_rejected, report)
                VALUES (:dataset_id, :source, :checksum, :title, :licence, :attribution, :as_of,
                        :counting, :unit, :scope, :population_period, CAST(:release AS release_level), 0, 0, 0, '{}')
                RETURNING id
            """),
            {
                "dataset_id": dataset_id,
                "source": provenance.source,
                "checksum": provenance.checksum,
                "title": notes.title or report.dataset,
                "licence": notes.licence,
                "attribution": notes.attribution,
                "as_of": notes.as_of,
                **asdict(says),
            },
        ).scalar_one()
        job = Job(session, dataset_id, import_id, previous_id, report, rules)
        yield job
        _record(job)
        _note_success(session, report.dataset)
        if rules.inspect is not None:
            rules.inspect(job)
        if rules.dry_run:
            raise _TakenBack
    if report.unchanged and not rules.dry_run:
        with writing(engine) as session:
            _note_success(session, report.dataset)


def _note_success(session: Session, dataset: str) -> None:
    """Write down that the source was read and found well; what is known of an earlier answer of it is void."""
    session.execute(
        text("""
            INSERT INTO source_state (dataset, checked_at) VALUES (:dataset, now())
            ON CONFLICT (dataset) DO UPDATE SET checked_at = now(), failed_at = NULL, failure = NULL, recipe = NULL,
                                                etag = NULL, last_modified = NULL
        """),
        {"dataset": dataset},
    )


def _dataset(session: Session, report: Report) -> tuple[int, int | None]:
    session.execute(
        text("INSERT INTO dataset (name, kind) VALUES (:name, :kind) ON CONFLICT (name) DO NOTHING"),
        {"name": report.dataset, "kind": report.kind},
    )
    row = session.execute(
        text("SELECT id, kind, current_import_id FROM dataset WHERE name = :name"), {"name": report.dataset}
    ).one()
    if row.kind != report.kind:
        raise MappingError(f"Der Bestand „{report.dataset}“ ist von anderer Art und wird nicht überschrieben.")
    return row.id, row.current_import_id


def check_rejects(job: Job) -> None:
    """Refuse the source if more rows were rejected than the limit bears, or nothing is left."""
    report, limit = job.report, job.rules.max_rejects
    if report.rows_read == 0:
        raise RefusedError("Die Quelle enthält keine Zeilen; nichts wurde geändert.", report)
    if limit.allows(report.rows_rejected, report.rows_read) and report.rows_rejected < report.rows_read:
        return
    reason, count = report.reasons(Severity.REJECT)[0]
    first = next(report.of(Severity.REJECT))
    raise RefusedError(
        f"{report.rows_rejected} von {report.rows_read} Zeilen wurden zurückgewiesen (erlaubt: {limit.words()}); "
        f"nichts wurde geändert. Häufigster Grund ({count}-mal): {reason} Zuerst in Zeile {first.row}.",
        report,
    )


def check_shrink(job: Job, before: int, after: int) -> None:
    """Refuse a source that lost more rows against the version before than the limit bears."""
    job.report.before = before
    if before and not job.rules.max_shrink.allows(before - after, before):
        raise RefusedError(
            f"Der Bestand würde von {before} auf {after} Zeilen schrumpfen (erlaubt: höchstens "
            f"{job.rules.max_shrink.words()} weniger, --max-shrink); nichts wurde geändert.",
            job.report,
        )


def publish(job: Job, *, loaded: int) -> None:
    """Make the loaded version the visible one, drop the version before the previous, raise the data version.

    Ends the import without a new version where rows and footnotes are those of the visible one.
    """
    session, report = job.session, job.report
    report.rows_loaded = loaded
    values = {"dataset_id": job.dataset_id, "import_id": job.import_id, "previous_id": job.previous_id}
    _require_news(job)
    session.execute(
        text("""
            UPDATE dataset SET current_import_id = :import_id, previous_import_id = :previous_id, refused_digest = NULL
            WHERE id = :dataset_id
        """),
        values,
    )
    for table in TABLES[report.kind]:
        session.execute(
            text(f"""
                DELETE FROM {table.table} WHERE import_id IN (
                    SELECT id FROM import_run
                    WHERE dataset_id = :dataset_id AND id <> :import_id AND id IS DISTINCT FROM :previous_id)
            """),  # noqa: S608 - table names are constants
            values,
        )
    raised = session.execute(
        text("UPDATE instance_state SET data_version = data_version + 1 RETURNING data_version")
    ).scalar_one()
    report.data_version = None if job.rules.dry_run else raised


def _require_news(job: Job) -> None:
    digest = content_digest(job.session, job.report.kind, job.import_id)
    before, refused = job.session.execute(
        text("""
            SELECT (SELECT content_digest FROM import_run WHERE id = :previous_id), refused_digest
            FROM dataset WHERE id = :dataset_id
        """),
        {"previous_id": job.previous_id, "dataset_id": job.dataset_id},
    ).one()
    if job.rules.unattended and digest == refused:
        job.report.info("Dieser Inhalt wurde zurückgenommen; er kommt erst wieder, wenn die Quelle sich ändert.")
    elif digest != before:
        job.session.execute(
            text("UPDATE import_run SET content_digest = :digest WHERE id = :import_id"),
            {"digest": digest, "import_id": job.import_id},
        )
        return
    job.report.unchanged = True
    raise _TakenBack


def _record(job: Job) -> None:
    """Write down what the import counted and found, when nothing more can be added to it."""
    report = job.report
    job.session.execute(
        text("""
            UPDATE import_run SET rows_read = :read, rows_loaded = :loaded, rows_rejected = :rejected,
                                  report = CAST(:report AS jsonb)
            WHERE id = :import_id
        """),
        {
            "import_id": job.import_id,
            "read": report.rows_read,
            "loaded": report.rows_loaded,
            "rejected": report.rows_rejected,
            "report": orjson.dumps(report.to_json()).decode(),
        },
    )
