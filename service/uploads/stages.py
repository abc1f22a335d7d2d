"""How far an upload is, and what there is to tell of it."""

import threading
import time
from dataclasses import dataclass, field
from enum import StrEnum

from geodata.version_preview import Preview
from geodata.viewer import Viewer
from importers.report import Report
from service.uploads.options import Wanted
from service.uploads.receiving import Received


class Stage(StrEnum):
    """How far an upload is. It is busy while it waits, is checked or imported; else it waits for a word.

    ``POSTPONED``: it could not be checked for reasons of the moment, and may be checked again.
    """

    WAITING = "waiting"
    CHECKING = "checking"
    CHECKED = "checked"
    POSTPONED = "postponed"
    REFUSED = "refused"
    IMPORTING = "importing"
    IMPORTED = "imported"

    @property
    def busy(self) -> bool:
        """Whether the service is at work on it, or will be without being asked."""
        return self in {Stage.WAITING, Stage.CHECKING, Stage.IMPORTING}

    @property
    def kept(self) -> bool:
        """Whether the file is still needed when the service is done with it for now."""
        return self in {Stage.CHECKED, Stage.POSTPONED}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What there is to tell at a stage. ``report`` and ``preview`` of the check; ``message``: why it was refused.

    ``changed_meanwhile``: it was to be imported, but the data had changed since its check, so it was checked again.
    ``import_id``: the version it has become, None as long as it is none.
    """

    stage: Stage
    report: Report | None = None
    preview: Preview | None = None
    message: str | None = None
    changed_meanwhile: bool = False
    import_id: int | None = None


@dataclass(slots=True)
class Upload:
    """One upload of a session. ``viewer``: who brought it. ``since``: begin of the stage, monotonic."""

    identity: str
    received: Received
    wanted: Wanted
    dataset: str
    viewer: Viewer
    outcome: Outcome = field(default_factory=lambda: Outcome(Stage.WAITING))
    since: float = field(default_factory=time.monotonic)
    dropped: bool = False
    expiry: threading.Timer | None = None
    settled: threading.Event = field(default_factory=threading.Event)


def opens_up(found: Preview | None) -> bool:
    """Tell whether a new version would show to more people what only some could see so far."""
    return found is not None and (found.loosened > 0 or found.notes.get("release") == ("internal", "public"))
