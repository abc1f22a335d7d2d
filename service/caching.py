"""ETags and the in-process cache of finished answers, both by the same key."""

import datetime as dt
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Collection, Sequence
from importlib.metadata import version
from operator import itemgetter
from urllib.parse import quote, urlencode

from fastapi import Request

from geodata.answer import State
from geodata.viewer import Viewer

APP_VERSION = version("sozialraumkarte")


def canonical_request(request: Request, body: bytes = b"", only: Collection[str] | None = None) -> str:
    """Return path and query, parameters by name, and a digest of the body, so that equal questions have equal keys.

    Values of one name stay in their order: often the last one counts. ``only``: the parameters the answer depends on;
    None means all. Encoded again, so that different questions never share a key: a value may itself hold ``&`` and
    ``=``, but never ``#``.
    """
    given = [pair for pair in request.query_params.multi_items() if only is None or pair[0] in only]
    asked = quote(request.scope["path"]) + "?" + urlencode(sorted(given, key=itemgetter(0)))
    return f"{asked}#{hashlib.sha256(body).hexdigest()}" if body else asked


def cache_key(
    state: State, *, viewer: Viewer, request: str, format_name: str, settings_digest: str, today: dt.date
) -> str:
    """Return the key of an answer: a hash of everything it depends on."""
    parts = (
        state.instance_id,
        str(state.data_version),
        str(state.visibility_version),
        today.isoformat(),
        APP_VERSION,
        settings_digest,
        viewer.scope(),
        request,
        format_name,
    )
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]


def matches(if_none_match: str | None, key: str) -> bool:
    """Tell whether one of the client's ETags is this key, in whatever content coding it was sent."""
    if not if_none_match:
        return False
    tags = (tag.strip().removeprefix("W/").strip('"') for tag in if_none_match.split(","))
    return any(tag.split("-", 1)[0] == key for tag in tags)


class ByteCache:
    """A least-recently-used cache of bytes, bounded by their sum; safe for threads."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._entries: OrderedDict[tuple[str, str], bytes] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, key: str, coding: str) -> bytes | None:
        """Return the bytes under (key, content coding), None if they are not held."""
        with self._lock:
            found = self._entries.get((key, coding))
            if found is not None:
                self._entries.move_to_end((key, coding))
            return found

    def put(self, key: str, coding: str, body: bytes) -> None:
        """Hold bytes; what was used least recently goes when the sum grows too large."""
        if len(body) > self._max_bytes // 4:
            return
        with self._lock:
            self._bytes += len(body) - len(self._entries.pop((key, coding), b""))
            self._entries[key, coding] = body
            while self._bytes > self._max_bytes:
                _, dropped = self._entries.popitem(last=False)
                self._bytes -= len(dropped)


def qualities(header: str | None) -> dict[str, float]:
    """Return what an ``Accept…`` header names with its weight (1 where none is given, 0 where it is no number)."""
    accepted = {}
    for part in (header or "").split(","):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weight = next((p.removeprefix("q=") for p in parameters if p.startswith("q=")), "1")
        try:
            accepted[name] = float(weight)
        except ValueError:
            accepted[name] = 0.0
    return accepted


def preferred_coding(accept_encoding: str | None, available: Sequence[str] = ("br", "gzip")) -> str:
    """Return the content coding to answer with: the first available one the client accepts, else identity."""
    accepted = qualities(accept_encoding)
    return next((coding for coding in available if accepted.get(coding, 0.0) > 0), "identity")
