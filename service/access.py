"""Who is asking: the viewer of a request, from a session cookie; everyone else is the public.

Until sign-in against the office's directory exists, ``serve`` on loopback offers one-time links: a random
code, good for one use, opens a session of one role. Codes and sessions live in the process's memory only.
"""

import secrets
import threading
import time
from dataclasses import dataclass, field

from fastapi import Request

from geodata.viewer import PUBLIC, Viewer

COOKIE = "srk_session"


@dataclass(slots=True)
class Sessions:
    """One-time codes and open sessions. ``lifetime_s`` is in seconds."""

    lifetime_s: float
    _codes: dict[str, Viewer] = field(default_factory=dict)
    _open: dict[str, tuple[Viewer, float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def offer(self, viewer: Viewer) -> str:
        """Return a new one-time code for this viewer."""
        code = secrets.token_urlsafe(24)
        with self._lock:
            self._codes[code] = viewer
        return code

    def redeem(self, code: str) -> str | None:
        """Use up a code; return the token of the session it opens, None for a wrong or used one."""
        with self._lock:
            viewer = self._codes.pop(code, None)
            if viewer is None:
                return None
            token = secrets.token_urlsafe(32)
            self._open[token] = (viewer, time.monotonic() + self.lifetime_s)
            return token

    def viewer(self, token: str | None) -> Viewer:
        """Return whose session this is; the public for none, an unknown or an expired one."""
        with self._lock:
            found = self._open.get(token or "")
            if found is None:
                return PUBLIC
            viewer, until = found
            if time.monotonic() > until:
                del self._open[token or ""]
                return PUBLIC
            return viewer

    def close(self, token: str | None) -> None:
        """End a session."""
        with self._lock:
            self._open.pop(token or "", None)


def viewer_of(request: Request) -> Viewer:
    """Return the viewer of a request."""
    sessions: Sessions = request.app.state.srk.sessions
    return sessions.viewer(request.cookies.get(COOKIE))
