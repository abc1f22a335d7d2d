"""The uploads of all sessions: each has at most one; one thread checks and imports them, one at a time.

What is checked is rehearsed by the importers inside a transaction that is taken back. What is confirmed are the same
bytes with the same options against the same state of the data, or it is checked again.
"""

import contextlib
import queue
import secrets
import threading
import time
import zipfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import structlog
from sqlalchemy import Engine

from geodata.database import Access, QueryTimeoutError, reading
from geodata.errors import ConflictError, DatabaseStateError, NotFoundError, ParameterError, SrkError
from geodata.import_reports import ImportRow, State, imports
from geodata.version_preview import Preview, preview
from geodata.viewer import Viewer
from importers.errors import RefusedError, SourceError
from importers.load import Job
from importers.report import Report
from importers.sources.base import checksum
from importers.sync_kinds import Home
from service.uploads.folder import PrivateFolder
from service.uploads.options import Wanted, load
from service.uploads.receiving import Received
from service.uploads.sentences import in_form_words
from service.uploads.stages import Outcome, Stage, Upload, opens_up

Writing: TypeAlias = Callable[[], AbstractContextManager[Engine]]
"""Opens an engine that may write, for one import."""
Recording: TypeAlias = Callable[[Viewer, str, dict[str, Any]], None]
"""Writes down who did what."""

KEPT_S = 3600.0
# What a file may unpack to, as a multiple of what may be uploaded: tables compress by less than that.
_UNPACKED_TIMES = 10
_log = structlog.get_logger()


class _StaleError(Exception):
    """The data has changed since it was looked at."""


def visible_version(engine: Engine, viewer: Viewer, dataset: str) -> ImportRow | None:
    """Return the import of a dataset that is visible now."""
    with reading(engine, Access(viewer)) as session:
        return next((row for row in imports(session, dataset) if row.state is State.VISIBLE), None)


class Uploads:
    """The uploads of a running service. ``writing`` None: it has no right to write, uploads are switched off."""

    def __init__(
        self, writing: Writing | None, home: Home, *, most_bytes: int, record: Recording, kept_s: float = KEPT_S
    ) -> None:
        self._writing = writing
        self._record = record
        self._home = home
        self._kept_s = kept_s
        self.most_bytes = most_bytes
        self.secret = secrets.token_bytes(32)
        self._folder: PrivateFolder | None = None
        self._of: dict[str, Upload] = {}
        self._expired: set[str] = set()
        self._lock = threading.Lock()
        self._queue: queue.SimpleQueue[tuple[Upload, bool]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    @property
    def enabled(self) -> bool:
        """Whether files can be uploaded and versions taken back."""
        return self._writing is not None

    def writing(self) -> AbstractContextManager[Engine]:
        """Open an engine that may write; raise ``ConflictError`` where uploads are switched off."""
        if self._writing is None:
            raise ConflictError("Das Hochladen ist auf diesem Dienst abgeschaltet.")
        return self._writing()

    def folder(self) -> PrivateFolder:
        """Return the folder for uploaded files; it is made for the first one."""
        with self._lock:
            if self._folder is None:
                self._folder = PrivateFolder()
            return self._folder

    def of(self, session: str | None) -> Upload | None:
        """Return the upload of a session."""
        with self._lock:
            return self._of.get(session or "")

    def expired(self, session: str | None) -> bool:
        """Tell whether the last upload of a session went because nobody decided about it in time."""
        with self._lock:
            return (session or "") in self._expired

    def begin(self, session: str, received: Received, wanted: Wanted, viewer: Viewer) -> Upload:
        """Take a file in and have it checked; an earlier one of the session goes. Raises like ``discard``."""
        made = Upload(secrets.token_hex(8), received, wanted, wanted.dataset(), viewer)
        try:
            self.discard(session)
        except ConflictError:
            self.folder().remove(received.path)
            raise
        made.expiry = threading.Timer(self._kept_s, self._expire, (session, made))
        made.expiry.daemon = True
        with self._lock:
            self._of[session] = made
            self._expired.discard(session)
            self._start()
        made.expiry.start()
        self._queue.put((made, False))
        return made

    def _named(self, session: str, identity: str) -> Upload:
        """With the lock held: return the upload of a session that is meant, or raise ``NotFoundError``."""
        found = self._of.get(session)
        if found is None or found.identity != identity:
            raise NotFoundError("Diese Datei ist nicht mehr da; bitte noch einmal hochladen.")
        return found

    def confirm(self, session: str, identity: str, *, opened_up: bool = False) -> Upload:
        """Have a checked upload imported; once, however often it is asked for.

        ``opened_up``: whoever confirms knows that more becomes visible to more people. Raises ``NotFoundError`` for an
        upload that is no longer there, ``ConflictError`` for one that cannot be imported, ``ParameterError`` where
        ``opened_up`` is wanting.
        """
        with self._lock:
            found = self._named(session, identity)
            if found.outcome.stage in {Stage.IMPORTING, Stage.IMPORTED}:
                return found
            report = found.outcome.report
            if found.outcome.stage is not Stage.CHECKED or report is None or report.unchanged:
                raise ConflictError("Diese Datei kann gerade nicht übernommen werden; bitte den Stand ansehen.")
            if opens_up(found.outcome.preview) and not opened_up:
                raise ParameterError(
                    "freigabe", "Bitte mit dem Haken bestätigen, dass die weitere Freigabe gewollt ist."
                )
            self._turn(found, Outcome(Stage.IMPORTING, report, found.outcome.preview))
        self._queue.put((found, True))
        return found

    def check_again(self, session: str, identity: str) -> Upload:
        """Have an upload checked that could not be so far. Raises ``NotFoundError`` for one no longer there."""
        with self._lock:
            found = self._named(session, identity)
            if found.outcome.stage is not Stage.POSTPONED:
                return found
            self._turn(found, Outcome(Stage.WAITING))
        self._queue.put((found, False))
        return found

    def discard(self, session: str | None, identity: str | None = None) -> None:
        """Let a session's upload go, with its bytes; nothing happens where there is none.

        Raises ``ConflictError`` while it is being imported, ``NotFoundError`` where another one is meant.
        """
        with self._lock:
            found = self._of.get(session or "")
            if found is None:
                return
            if identity is not None and found.identity != identity:
                raise NotFoundError("Diese Datei ist nicht mehr da; inzwischen wurde eine andere hochgeladen.")
            if found.outcome.stage is Stage.IMPORTING:
                raise ConflictError("Die Datei wird gerade übernommen und lässt sich jetzt nicht verwerfen.")
            del self._of[session or ""]
            self._drop(found)

    def leave(self, session: str | None) -> None:
        """Let the upload of a session that ends go, if need be once the import under way is done."""
        with self._lock:
            found = self._of.pop(session or "", None)
            self._expired.discard(session or "")
            if found is not None:
                self._drop(found)

    def _expire(self, session: str, upload: Upload) -> None:
        with self._lock:
            if self._of.get(session) is upload:
                del self._of[session]
                # What was imported or refused waited for no decision any more.
                if upload.outcome.stage.busy or upload.outcome.stage.kept:
                    self._expired.add(session)
            self._drop(upload)

    def _drop(self, upload: Upload) -> None:
        """With the lock held: forget an upload; its file goes now, or when the thread is done with it."""
        upload.dropped = True
        if upload.expiry is not None:
            upload.expiry.cancel()
        if self._folder is not None and upload.outcome.stage not in {Stage.CHECKING, Stage.IMPORTING}:
            self._folder.remove(upload.received.path)

    def _turn(self, upload: Upload, outcome: Outcome) -> None:
        upload.outcome, upload.since = outcome, time.monotonic()
        if outcome.stage.busy:
            upload.settled.clear()
        else:
            upload.settled.set()

    def _start(self) -> None:
        if self._thread is None:
            # A daemon: the end of the service waits for no import, whose transaction then never was.
            self._thread = threading.Thread(target=self._work, name="uploads", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        while True:
            upload, confirmed = self._queue.get()
            with self._lock:
                if upload.dropped and not confirmed:
                    continue
                if not confirmed:
                    self._turn(upload, Outcome(Stage.CHECKING))
            outcome = self._import(upload) if confirmed else self._check(upload)
            with self._lock:
                self._turn(upload, outcome)
                if self._folder is not None and (upload.dropped or not outcome.stage.kept):
                    self._folder.remove(upload.received.path)

    def _check(self, upload: Upload) -> Outcome:
        seen: list[Preview] = []

        def inspect(job: Job) -> None:
            seen.append(preview(job.session, job.report.dataset))

        def checked(report: Report) -> Outcome:
            return Outcome(Stage.CHECKED, report, seen[0] if seen else None)

        while True:
            with contextlib.suppress(_StaleError):  # somebody came between: look anew
                return self._tried(upload, dry_run=True, inspect=inspect, then=checked)

    def _import(self, upload: Upload) -> Outcome:
        checked = upload.outcome.preview
        made: list[int] = []

        def inspect(job: Job) -> None:
            # Inside the transaction that holds the writers' lock: nothing can come between this look and the commit.
            if checked is None or job.report.data_version != checked.data_version + 1:
                raise _StaleError
            made.append(job.import_id)

        def imported(report: Report) -> Outcome:
            return Outcome(Stage.IMPORTED, report, checked, import_id=made[0] if made else None)

        before = upload.outcome.report
        try:
            outcome = self._tried(upload, dry_run=False, inspect=inspect, then=imported)
        except _StaleError:
            return replace(self._check(upload), changed_meanwhile=True)
        if outcome.stage is not Stage.IMPORTED and outcome.report is None:
            # Not the file is at fault but the moment (another import, the database): it may be tried again.
            return Outcome(Stage.CHECKED, before, checked, outcome.message)
        if outcome.import_id is not None:
            self._write_down(upload, outcome.import_id)
        return outcome

    def _write_down(self, upload: Upload, import_id: int) -> None:
        detail = {
            "dataset": upload.dataset,
            "import_id": import_id,
            "file": upload.received.name,
            "checksum": upload.received.checksum,
        }
        try:
            self._record(upload.viewer, "upload", detail)
        except Exception as error:  # the import stands, and is to be told as what it is
            _log.exception("upload not recorded", error=type(error).__name__, import_id=import_id)

    def _tried(
        self, upload: Upload, *, dry_run: bool, inspect: Callable[[Job], None], then: Callable[[Report], Outcome]
    ) -> Outcome:
        path = upload.received.path

        def inspected(job: Job) -> None:
            if job.previous_id != (held.import_id if held else None):
                raise _StaleError
            inspect(job)

        try:
            _require_sane_archive(path, _UNPACKED_TIMES * self.most_bytes)
            if checksum(path) != upload.received.checksum:
                raise SourceError("Die hochgeladene Datei hat sich verändert; bitte noch einmal hochladen.")
            with self.writing() as engine:
                held = visible_version(engine, upload.viewer, upload.dataset)
                report = load(engine, path, upload.wanted, self._home, held, dry_run=dry_run, inspect=inspected)
        except _StaleError:
            raise
        except (DatabaseStateError, QueryTimeoutError) as error:
            return Outcome(Stage.POSTPONED, message=str(error))
        except RefusedError as refused:
            return Outcome(Stage.REFUSED, refused.report, message=in_form_words(str(refused)))
        except SrkError as error:
            return Outcome(Stage.REFUSED, message=in_form_words(str(error)))
        except Exception as error:
            _log.exception("upload failed", error=type(error).__name__)
            return Outcome(
                Stage.REFUSED,
                message="Ein unerwarteter Fehler ist aufgetreten; er wurde protokolliert. Nichts wurde geändert.",
            )
        return then(report)


def _require_sane_archive(path: Path, most_bytes: int) -> None:
    """Refuse an archive (a workbook is one) that unpacks to far more than a table holds."""
    size = 0
    with contextlib.suppress(zipfile.BadZipFile, OSError, ValueError, NotImplementedError):  # the readers' to say
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                size = sum(info.file_size for info in archive.infolist())
    if size > most_bytes:
        raise SourceError(
            f"„{path.name}“ wäre entpackt größer als {most_bytes / 1024**2:.0f} MB und wird nicht gelesen."
        )
