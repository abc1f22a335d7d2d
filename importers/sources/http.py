"""Files over HTTP: limits, retries, redirects followed by hand, and no content believed before it is whole."""

import contextlib
import datetime as dt
import email.utils
import hashlib
import http.client
import shutil
import tempfile
import threading
import time
import weakref
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

import requests
import urllib3
from urllib3.connection import HTTPConnection

from importers.errors import SourceError
from importers.sources.addresses import WatchedAdapter, require_http, require_public, same_origin, shown
from importers.sources.base import MAX_FILE_BYTES

_BLOCK_BYTES = 64 * 1024
_MAX_WAIT_S = 30.0
_MAX_ERROR_BYTES = 64 * 1024
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_BROKEN = (requests.RequestException, urllib3.exceptions.HTTPError, http.client.HTTPException, OSError, ValueError)
_FINAL = {
    401: "verlangt eine Anmeldung (401); bitte Zugangsdaten in der Adresse angeben oder den Betreiber fragen.",
    403: "verweigert den Zugriff (403); bitte den Betreiber des Dienstes fragen.",
    404: "kennt diese Adresse nicht (404); bitte die Adresse prüfen.",
    410: "hat diese Daten nicht mehr (410); bitte die Adresse prüfen.",
}


@dataclass(frozen=True, slots=True)
class HttpRules:
    """The limits of a conversation with a server.

    ``read_timeout_s``: between two pieces of an answer; ``total_timeout_s``: for one answer with all attempts at it.
    ``max_bytes``: of an answer, unpacked. ``attempts``: in all, the first included; before the second ``backoff_s``
    pass, and twice as long before each further one.
    """

    connect_timeout_s: float = 10.0
    read_timeout_s: float = 60.0
    max_bytes: int = MAX_FILE_BYTES
    attempts: int = 4
    backoff_s: float = 0.5
    allow_private_redirects: bool = False
    max_redirects: int = 5
    total_timeout_s: float = 1800.0


@dataclass(frozen=True, slots=True)
class Validators:
    """What a server said to recognise an answer by; given back to it, it can answer that nothing changed."""

    etag: str | None = None
    last_modified: str | None = None


class NotModified(Exception):  # noqa: N818 - good news, no error
    """The source is as it was when its validators were noted."""


class HttpStatusError(SourceError):
    """The server refused with a status; ``body`` is the beginning of what it said."""

    def __init__(self, message: str, status: int, body: bytes) -> None:
        super().__init__(message)
        self.status = status
        self.body = body


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer, whole, in a private file.

    ``url``: where it came from after redirects. ``content_type``: in lower case, without parameters. ``digest``:
    SHA-256 of the unpacked content. ``validators`` is None where the server named none.
    """

    path: Path
    content_type: str
    headers: Mapping[str, str]
    url: str
    validators: Validators | None
    digest: str


class _AgainError(Exception):
    """This attempt failed; another may succeed after ``wait_s`` seconds. ``said``: what to tell if none does."""

    def __init__(self, said: SourceError, wait_s: float = 0.0) -> None:
        super().__init__()
        self.said = said
        self.wait_s = wait_s


class _NoAuth(requests.auth.AuthBase):
    """Sends no credentials; without it requests would look for some in the user's .netrc."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


class _Clock:
    """Cuts the connections when the time is up, however slowly a server keeps talking."""

    def __init__(self, seconds: float) -> None:
        self._connections: weakref.WeakSet[HTTPConnection] = weakref.WeakSet()
        self._seconds = seconds
        self._end = 0.0

    def watch(self, connection: HTTPConnection) -> None:
        self._connections.add(connection)

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        self._end = time.monotonic() + self._seconds
        timer = threading.Timer(self._seconds, self._cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _cut(self) -> None:
        for connection in list(self._connections):
            if connection.sock is not None:
                with contextlib.suppress(OSError, ValueError):
                    connection.sock.shutdown(2)

    @property
    def left_s(self) -> float:
        return self._end - time.monotonic()


class Fetcher:
    """Fetches for one source; not for several threads at once. Its files go when it is closed or forgotten."""

    def __init__(self, rules: HttpRules | None = None) -> None:
        self.rules = rules or HttpRules()
        self._folder = Path(tempfile.mkdtemp(prefix="srk-"))
        self._remove = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._clock = _Clock(self.rules.total_timeout_s)
        self._open = self._session(guarded=False)
        self._guarded = self._session(guarded=True)
        self._files = 0

    def _session(self, *, guarded: bool) -> requests.Session:
        made = requests.Session()
        adapter = WatchedAdapter(self._clock.watch, guarded=guarded)
        made.mount("http://", adapter)
        made.mount("https://", adapter)
        made.headers["User-Agent"] = "sozialraumkarte"
        made.headers["Accept-Encoding"] = "gzip"
        return made

    def __enter__(self) -> "Fetcher":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the connections and remove the files."""
        self._open.close()
        self._guarded.close()
        self._remove()

    def get(
        self,
        url: str,
        *,
        accept: str = "*/*",
        known: Validators | None = None,
        origin: str | None = None,
        max_bytes: int | None = None,
    ) -> Fetched:
        """Fetch a URL into a file.

        ``known``: what was noted at an earlier answer; ``NotModified`` is raised if that still holds. ``origin``: the
        URL the operator gave, where ``url`` comes from a server's answer and is not to be trusted. ``max_bytes``: less
        than the rules allow. Raises ``SourceError`` with a German sentence, ``HttpStatusError`` where the server
        refuses.
        """
        require_http(url)
        given = origin or url
        limit = min(max_bytes or self.rules.max_bytes, self.rules.max_bytes)
        with self._clock.running():
            for attempt in range(1, self.rules.attempts + 1):
                try:
                    return self._once(url, given, accept, known, limit)
                except _AgainError as again:
                    said = again.said
                    wait_s = min(max(self.rules.backoff_s * 2 ** (attempt - 1), again.wait_s), _MAX_WAIT_S)
                if self._clock.left_s <= wait_s:
                    raise self._late(url) from None
                if attempt < self.rules.attempts:
                    time.sleep(wait_s)
        raise said from None

    def _late(self, url: str) -> SourceError:
        return SourceError(
            f"„{shown(url)}“ war in {self.rules.total_timeout_s:g} Sekunden nicht vollständig zu lesen; "
            "bitte später noch einmal versuchen."
        )

    def _once(self, url: str, given: str, accept: str, known: Validators | None, limit: int) -> Fetched:
        headers = {"Accept": accept}
        if known is not None and known.etag:
            headers["If-None-Match"] = known.etag
        if known is not None and known.last_modified:
            headers["If-Modified-Since"] = known.last_modified
        target = url
        for _step in range(self.rules.max_redirects + 1):
            try:
                response = self._ask(target, given, headers)
            except SourceError:
                raise
            except _BROKEN as error:
                raise self._broken(target, error) from None
            with response:
                if response.status_code not in _REDIRECTS:
                    return self._answer(response, target, known, limit)
                target = self._redirected(response, target)
        raise SourceError(
            f"„{shown(url)}“ leitet mehr als {self.rules.max_redirects}-mal weiter; bitte die Adresse prüfen."
        )

    def _ask(self, url: str, given: str, headers: dict[str, str]) -> requests.Response:
        """Send the request; credentials go to the server the operator named and to no other."""
        ours = same_origin(url, given)
        free = ours or self.rules.allow_private_redirects
        if not free:
            require_http(url)
            require_public(url)
        whole, named = urlsplit(url), urlsplit(given)
        bare = urlunsplit((whole.scheme, whole.netloc.rpartition("@")[2], whole.path or "/", whole.query, ""))
        auth: Any = _NoAuth()
        if ours and named.username is not None:
            auth = (unquote(named.username).encode(), unquote(named.password or "").encode())
        return (self._open if free else self._guarded).get(
            bare,
            headers=headers,
            auth=auth,
            allow_redirects=False,
            stream=True,
            timeout=(self.rules.connect_timeout_s, self.rules.read_timeout_s),
        )

    def _redirected(self, response: requests.Response, at: str) -> str:
        location = response.headers.get("Location", "")
        try:
            target = urljoin(at, header_text(location))
        except ValueError:
            target = ""
        if not target or not location:
            raise SourceError(f"„{shown(at)}“ leitet weiter, ohne zu sagen, wohin; bitte die Adresse prüfen.")
        refuse_step(target, at)
        return target

    def _broken(self, url: str, error: Exception) -> Exception:
        """Return what to raise for a connection that failed: again, but not when the time is up."""
        if self._clock.left_s <= 0:
            return self._late(url)
        if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.InvalidSchema | UnicodeError):
            return SourceError(f"„{shown(url)}“ ist keine gültige Adresse.")
        if isinstance(error, requests.exceptions.SSLError) and "CERTIFICATE" in str(error).upper():
            return SourceError(
                f"Die verschlüsselte Verbindung zu „{shown(url)}“ ist nicht vertrauenswürdig (Zertifikat); "
                "bitte den Betreiber des Dienstes fragen."
            )
        slow = isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError | TimeoutError)
        what = "antwortet nicht rechtzeitig" if slow else "ist nicht erreichbar oder bricht die Verbindung ab"
        return _AgainError(SourceError(f"Der Server von „{shown(url)}“ {what}; bitte später noch einmal versuchen."))

    def _answer(self, response: requests.Response, url: str, known: Validators | None, limit: int) -> Fetched:
        status = response.status_code
        if status == 304 and known is not None:
            raise NotModified
        if status in {200, 203}:
            return self._stored(response, url, limit)
        server = f"Der Server von „{shown(url)}“"
        if status == 429 or status >= 500:
            what = "ist überlastet" if status in {429, 503} else "meldet einen Fehler"
            said = HttpStatusError(f"{server} {what} ({status}); bitte später noch einmal versuchen.", status, b"")
            raise _AgainError(said, _retry_after_s(response.headers.get("Retry-After", "")))
        body = b""
        with contextlib.suppress(*_BROKEN):
            body = response.raw.read1(_MAX_ERROR_BYTES, decode_content=True)
        if status in _FINAL:
            raise HttpStatusError(f"{server} {_FINAL[status]}", status, body)
        what = "lehnt die Anfrage ab" if status >= 400 else "antwortet unerwartet"
        raise HttpStatusError(f"{server} {what} ({status}); bitte die Adresse prüfen.", status, body)

    def _stored(self, response: requests.Response, url: str, limit: int) -> Fetched:
        self._files += 1
        path = self._folder / str(self._files) / "inhalt"
        path.parent.mkdir()
        declared = response.headers.get("Content-Length", "")
        if declared.isascii() and declared.isdecimal() and int(declared) > limit:
            raise _too_large(url, limit)
        digest = hashlib.sha256()
        size = 0
        try:
            with path.open("wb") as file:
                for block in self._blocks(response, url):
                    size += len(block)
                    if size > limit:
                        raise _too_large(url, limit)
                    digest.update(block)
                    file.write(block)
        except OSError:
            raise SourceError(f"Für „{shown(url)}“ reicht der Platz im Ordner für Zwischendateien nicht.") from None
        etag, modified = response.headers.get("ETag"), response.headers.get("Last-Modified")
        return Fetched(
            path=path,
            content_type=response.headers.get("Content-Type", "").partition(";")[0].strip().lower(),
            headers=response.headers,
            url=url,
            validators=Validators(etag, modified) if etag or modified else None,
            digest=digest.hexdigest(),
        )

    def _blocks(self, response: requests.Response, url: str) -> Iterator[bytes]:
        """Yield the body unpacked, in small pieces however much they unpack to; what ends early is an attempt lost."""
        coding = response.headers.get("Content-Encoding", "identity").strip().lower()
        if coding not in {"identity", "", "gzip", "x-gzip"}:
            raise SourceError(f"„{shown(url)}“ kommt in einer Packung („{coding}“), nach der nicht gefragt war.")
        packed = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16) if "gzip" in coding else None
        while True:
            try:
                # One piece at a time: a server that drips would else keep the call from returning for hours.
                block = response.raw.read1(_BLOCK_BYTES, decode_content=False)
                if self._clock.left_s <= 0:
                    raise TimeoutError
                if not block:
                    break
                if packed is None:
                    yield block
                    continue
                while block and not packed.eof:
                    yield packed.decompress(block, _BLOCK_BYTES)
                    block = packed.unconsumed_tail
            except (*_BROKEN, zlib.error) as error:
                if isinstance(error, SourceError):
                    raise
                raise self._broken(url, error) from None
        if packed is not None and not packed.eof:
            raise self._broken(url, EOFError())


def header_text(value: str) -> str:
    """Return a header's value as its server meant it: the bytes arrive as Latin-1, servers write UTF-8."""
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return value


def refuse_step(target: str, at: str) -> None:
    """Raise ``SourceError`` if a link from ``at`` leads out of the web, or from an encrypted to an open connection."""
    require_http(target)
    if urlsplit(at).scheme == "https" and urlsplit(target).scheme == "http":
        raise SourceError(
            f"Der Server verweist von einer verschlüsselten Verbindung auf die offene Adresse „{shown(target)}“; "
            "das wird nicht gelesen."
        )


def _too_large(url: str, limit: int) -> SourceError:
    unit, name = (1024**3, "GiB") if limit >= 1024**3 else (1024**2, "MiB") if limit >= 1024**2 else (1024, "KiB")
    size = f"{limit / unit:.3g}".replace(".", ",")
    return SourceError(f"„{shown(url)}“ ist größer als {size} {name}; das wird nicht gelesen.")


def _retry_after_s(value: str) -> float:
    """Return the seconds a server asks to wait, said as a number or as a time of day; 0 where it says nothing."""
    if value.strip().isdecimal():
        return float(value)
    try:
        moment = email.utils.parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return 0.0
    if moment.tzinfo is None:
        return 0.0
    return max((moment - dt.datetime.now(dt.UTC)).total_seconds(), 0.0)
