"""Errors of the field: small classes that carry a German sentence for the person who asked.

``geodata`` raises them, ``service`` maps them to HTTP status codes and exit codes. The sentence is the
whole message: it names what is wrong and, where there is a choice, what would be allowed.
"""

from collections.abc import Sequence


class SrkError(Exception):
    """Base of all expected failures; ``str(error)`` is a complete German sentence."""


class ParameterError(SrkError, ValueError):
    """A request names a value that cannot be used.

    ``parameter`` is the name as the outside knows it, ``allowed`` the values that would do (may be empty).
    """

    def __init__(self, parameter: str, message: str, allowed: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.parameter = parameter
        self.allowed = tuple(allowed)


class TooLargeError(ParameterError):
    """What was sent is larger than what is read."""


class NotFoundError(SrkError, LookupError):
    """What the request names does not exist, or the viewer may not see it; the two are not told apart."""


class ForbiddenError(SrkError, PermissionError):
    """The viewer's role does not allow this."""


class ConflictError(SrkError, RuntimeError):
    """The request is right, but what is loaded cannot answer it (yet)."""


class BusyError(SrkError, RuntimeError):
    """Too much of the same is being made at once; later it will do."""


class DatabaseStateError(SrkError, RuntimeError):
    """The database is missing, not migrated, or cannot be started."""
