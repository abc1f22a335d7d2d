"""What can go wrong on the way in; each carries a German sentence for the planner who brought the file."""

from typing import TYPE_CHECKING

from geodata.errors import SrkError

if TYPE_CHECKING:
    from importers.report import Report


class SourceError(SrkError, ValueError):
    """The source cannot be read as what it claims to be; nothing was changed."""


class MappingError(SrkError, ValueError):
    """The mapping file or the options do not fit the source; nothing was changed."""


class RefusedError(SrkError, ValueError):
    """The source was read but is refused whole; nothing was changed. ``report`` says row by row why."""

    def __init__(self, message: str, report: "Report") -> None:
        super().__init__(message)
        self.report = report
