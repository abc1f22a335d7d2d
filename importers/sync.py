"""``sync``: all sources of a list, fetched side by side, imported one after the other, each failing alone.

A source that says (by its validators, or a file by its content) that it is as it was, and is to be read as it was, is
not read again. What a source is read by, the areas it is placed in included, is its recipe; a changed recipe means
that everything is read anew.
"""

import hashlib
import json
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sqlalchemy import Engine

from geodata.discreet import discreet
from geodata.errors import SrkError
from importers.errors import MappingError, RefusedError
from importers.report import Report, Severity
from importers.sources import Source, open_source
from importers.sources.base import checksum
from importers.sync_file import HttpLimits, Plan, Task
from importers.sync_kinds import Home, load, reads_a_path
from importers.sync_state import Note, States, note

if TYPE_CHECKING:
    from importers.sources.http import Fetcher, Validators

_PARALLEL = 8
_log = logging.getLogger(__name__)

# What besides its own source a kind is read by; areas are read by those they lie in.
_READ_BY: dict[str, tuple[str, ...]] = {
    "facilities": ("areas", "addresses"),
    "statistics": ("areas", "catalogue"),
    "placements": ("areas", "catalogue"),
    "population": ("areas",),
    "addresses": ("areas",),
}


class Status(StrEnum):
    """How a source fared."""

    IMPORTED = "imported"
    UNCHANGED = "unchanged"
    FAILED = "failed"
    SKIPPED = "skipped"


_WORDS = {
    Status.IMPORTED: "übernommen",
    Status.UNCHANGED: "unverändert",
    Status.FAILED: "gescheitert",
    Status.SKIPPED: "übersprungen",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one source fared: rows of the import, and a German sentence. ``report`` is None where nothing was read.

    ``seconds``: spent on fetching and importing it, waiting for others left out.
    """

    name: str
    status: Status
    seconds: float
    sentence: str
    report: Report | None = None

    def line(self) -> str:
        """Return the line a terminal shows."""
        seconds = f"{self.seconds:.1f}".replace(".", ",")
        return f"{self.name}: {_WORDS[self.status]} ({seconds} s). {self.sentence}"

    def to_json(self) -> dict[str, Any]:
        """Return the outcome as plain data; counts are None where nothing was read."""
        report = self.report
        warnings = None if report is None else sum(count for _reason, count in report.reasons(Severity.WARNING))
        return {
            "name": self.name,
            "status": self.status.value,
            "seconds": round(self.seconds, 3),
            "rows": None if report is None else report.rows_loaded,
            "rejected": None if report is None else report.rows_rejected,
            "warnings": warnings,
            "sentence": self.sentence,
        }


@dataclass(slots=True)
class _Fetched:
    """A source opened, or known to be as it was. ``marks``: what recognises it next time (ETag, Last-Modified)."""

    rows: Source | Path | None
    marks: tuple[str | None, str | None] = (None, None)
    checksum: str | None = None
    seconds: float = 0.0
    fetcher: "Fetcher | None" = None

    def close(self) -> None:
        if self.fetcher is not None:
            self.fetcher.close()


@dataclass(slots=True)
class _Run:
    engine: Engine
    plan: Plan
    home: Home
    app_version: str
    dry_run: bool
    states: States
    done: dict[str, Status] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)


def sync(
    engine: Engine,
    plan: Plan,
    home: Home,
    *,
    app_version: str,
    dry_run: bool = False,
    tell: Callable[[Outcome], None] = lambda _outcome: None,
) -> list[Outcome]:
    """Bring all sources of the plan up to date; return how each fared, in the order of the work.

    ``tell`` hears of each as it is done. Each source fails alone, with its sentence; what needs areas that never came
    is skipped. ``app_version`` is part of every recipe. Raises ``DatabaseStateError`` where the database cannot be used
    at all.
    """
    run = _Run(engine, plan, home, app_version, dry_run, States.read(engine))
    outcomes: list[Outcome] = []
    waiting = list(plan.tasks)
    with ThreadPoolExecutor(_PARALLEL, thread_name_prefix="sync") as pool:
        recipes = {task.name: _recipe(run, task) for task in waiting}
        opening = {task.name: pool.submit(_open, run, task, recipes[task.name]) for task in waiting}
        try:
            while waiting:
                task = _next(waiting, opening)
                waiting.remove(task)
                outcome = _work(run, task, opening[task.name], recipes[task.name])
                run.done[task.name] = outcome.status
                outcomes.append(outcome)
                tell(outcome)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    if not dry_run:
        note(engine, run.notes)
    return outcomes


def _next(waiting: Sequence[Task], opening: dict[str, "Future[_Fetched]"]) -> Task:
    """Return the first source whose turn it is: what comes before is done, and it has arrived."""
    names = {task.name for task in waiting}
    turn = [task for task in waiting if not task.after & names]
    arrived = [task for task in turn if opening[task.name].done()]
    while not arrived:
        wait([opening[task.name] for task in turn], return_when=FIRST_COMPLETED)
        arrived = [task for task in turn if opening[task.name].done()]
    return arrived[0]


def _work(run: _Run, task: Task, opening: "Future[_Fetched]", recipe: str) -> Outcome:
    """Import one source that has arrived; tell how it fared and note what the next run is to know."""
    started = time.monotonic()
    fetched: _Fetched | None = None
    try:
        missing = _missing(run, task)
        if missing is not None:
            return Outcome(task.name, Status.SKIPPED, 0.0, missing)
        fetched = opening.result()
        now = _recipe(run, task)
        if fetched.rows is None and now != recipe:
            # Nothing new there, but here: read what was not sent.
            fetched = _open(run, task, now, anew=True)
        report = None if _as_it_was(run, task, fetched, now) else _import(run, task, fetched)
    except Exception as error:  # whatever it is, the other sources are to come in
        sentence = _sentence(task, error)
        run.notes.append(Note.failed(task.name, sentence))
        refused = error.report if isinstance(error, RefusedError) else None
        seconds = time.monotonic() - started + (fetched.seconds if fetched else 0.0)
        return Outcome(task.name, Status.FAILED, seconds, sentence, refused)
    finally:
        if opening.done() and not opening.cancelled() and opening.exception() is None:
            opening.result().close()
        if fetched is not None:
            fetched.close()
    run.notes.append(Note.succeeded(task.name, now, *fetched.marks, run.states.current(task.name)))
    seconds = time.monotonic() - started + fetched.seconds
    if report is None or report.unchanged:
        return Outcome(task.name, Status.UNCHANGED, seconds, "Der Inhalt ist wie bisher.", report)
    taken = f"{report.rows_loaded} von {report.rows_read} Zeilen, {report.rows_rejected} zurückgewiesen."
    return Outcome(task.name, Status.IMPORTED, seconds, taken, report)


def _missing(run: _Run, task: Task) -> str | None:
    """Return why there is no sense in trying: areas that failed in this run and were never there before."""
    for name in sorted(task.needs & run.done.keys()):
        if run.states.current(name) is None:
            if run.dry_run and run.done[name] is Status.IMPORTED:
                return f"Das lässt sich erst prüfen, wenn „{name}“ wirklich geladen ist."
            return f"„{name}“ ist noch nie geladen worden; ohne diese Gebiete geht es nicht."
    return None


def _as_it_was(run: _Run, task: Task, fetched: _Fetched, recipe: str) -> bool:
    """Tell whether reading the source again would give what is there: the same content, read in the same way."""
    if fetched.rows is None:
        return True
    return run.states.knows(task.name, recipe) and fetched.checksum == run.states.checksum(task.name)


def _import(run: _Run, task: Task, fetched: _Fetched) -> Report:
    assert fetched.rows is not None  # noqa: S101 - the caller asked
    report = load(run.engine, task, fetched.rows, run.home, dry_run=run.dry_run)
    if not report.unchanged and not run.dry_run:
        run.states = States.read(run.engine)
    return report


def _recipe(run: _Run, task: Task) -> str:
    """Return a digest of all that the result of an import depends on besides the source's content."""
    said = task.source.model_dump(mode="json", exclude={"enabled", "after"})
    kinds = _READ_BY.get(task.source.kind, ())
    around = run.states.digests(kinds, without=task.name)
    if task.source.kind == "areas":
        around = {name: digest for name, digest in run.states.digests(("areas",)).items() if name in task.after}
    whole = [said, hashlib.sha256(task.mapping_bytes).hexdigest(), asdict(run.home), run.app_version, around]
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()


def _open(run: _Run, task: Task, recipe: str, *, anew: bool = False) -> _Fetched:
    """Open a source; ``rows`` is None where it is as it was. ``anew``: do not ask whether it is."""
    if task.broken is not None:
        raise MappingError(task.broken)
    started = time.monotonic()
    known = None if anew else run.states.marks(task.name, recipe)
    if task.path is not None:
        made = _open_file(task, task.path, known)
    else:
        assert task.url is not None  # noqa: S101 - the list was checked
        made = _open_url(task, task.url, run.plan.http, known)
    made.seconds = time.monotonic() - started
    return made


def _open_file(task: Task, path: Path, known: tuple[str | None, str | None] | None) -> _Fetched:
    mark = _fingerprint(path)
    if mark is not None and known is not None and known[0] == mark:
        return _Fetched(None, known)
    source = task.mapping.source
    if reads_a_path(task):
        return _Fetched(path, (mark, None))
    rows = open_source(path, layer=task.source.layer or source.layer, layout=source.layout(path))
    # Its checksum may leave out parts of a Shapefile; the mark has them all.
    return _Fetched(rows, (mark, None))


def _fingerprint(path: Path) -> str | None:
    """Return what recognises a file's content, that of the parts of a Shapefile included; None if it cannot be read."""
    parts = sorted(path.parent.glob(f"{path.stem}.*")) if path.suffix.lower() == ".shp" else [path]
    try:
        sums = [f"{part.suffix}:{checksum(part)}" for part in parts]
    except OSError:
        return None
    return hashlib.sha256("\n".join(sums).encode()).hexdigest()


def _open_url(task: Task, url: str, limits: HttpLimits, known: tuple[str | None, str | None] | None) -> _Fetched:
    from importers.sources.http import Fetcher, HttpRules, NotModified, Validators  # noqa: PLC0415 - for the web only

    fetcher = Fetcher(HttpRules(**limits.model_dump(exclude_none=True)))
    try:
        validators = Validators(*known) if known is not None and any(known) else None
        made = _fetch(task, url, fetcher, validators)
    except NotModified:
        fetcher.close()
        return _Fetched(None, known or (None, None))
    except BaseException:
        fetcher.close()
        raise
    made.fetcher = fetcher
    return made


def _fetch(task: Task, url: str, fetcher: "Fetcher", known: "Validators | None") -> _Fetched:
    if reads_a_path(task):
        from importers.sources.remote import fetch_as_it_is  # noqa: PLC0415 - for the web only

        path, fetched = fetch_as_it_is(url, fetcher, known)
        marks = fetched.validators
        return _Fetched(path, (marks.etag, marks.last_modified) if marks else (None, None), fetched.digest)
    source = task.mapping.source
    layer = task.source.layer or source.layer
    rows = open_source(url, layer=layer, layout=source.layout(urlsplit(url).path), fetcher=fetcher, known=known)
    marks = getattr(rows, "validators", None)
    return _Fetched(rows, (marks.etag, marks.last_modified) if marks else (None, None), rows.provenance.checksum)


def _sentence(task: Task, error: Exception) -> str:
    if isinstance(error, SrkError):
        return str(error)
    _log.error("%s failed unexpectedly\n%s", task.name, discreet(error))
    return f"Beim Import ist ein unerwarteter Fehler aufgetreten ({type(error).__name__}); nichts wurde geändert."
