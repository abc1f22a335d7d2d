"""What the running service holds: one object on ``app.state.srk``, read by routes and pages."""

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from fastapi import Request
from sqlalchemy import Engine

from service.access import Sessions
from service.caching import ByteCache
from service.settings import Settings

_GERMANY = ZoneInfo("Europe/Berlin")


@dataclass(frozen=True, slots=True)
class Context:
    """Settings, database, sessions and cache of one running service."""

    settings: Settings
    engine: Engine
    sessions: Sessions
    cache: ByteCache

    @classmethod
    def of(cls, settings: Settings, engine: Engine) -> "Context":
        """Return a fresh context."""
        return cls(settings, engine, Sessions(settings.session_hours * 3600.0), ByteCache(settings.cache_max_bytes))


def context_of(request: Request) -> Context:
    """Return the context of the service that got this request."""
    found: Context = request.app.state.srk
    return found


def today() -> dt.date:
    """Return today's date in Germany: the day on which offers must be valid."""
    return dt.datetime.now(tz=_GERMANY).date()
