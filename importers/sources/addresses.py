"""Which addresses may be asked: what a server we were sent to by another server must not be, and what a URL may show.

A server named by the operator is trusted as it is, also inside the house's own network. A server that only a redirect
or a paging link names is not: it must lie in the public network, else a foreign server could make this machine ask the
house's own services.
"""

import ipaddress
import re
import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from importers.errors import SourceError

_PORTS = {"http": 80, "https": 443}
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_SECRET = re.compile(
    r"token|secret|passw|pwd|signature|credential|session|auth|key$|^(pass|sig|sid|user|username|code)$", re.IGNORECASE
)
_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f-\x9f\\]")


def shown(url: str) -> str:
    """Return a URL fit for messages, reports and footnotes: without user, password, fragment and secret values."""
    try:
        parts = urlsplit(url)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
        place = f"{host}:{parts.port}" if parts.port else host
    except ValueError:
        return "(unlesbare Adresse)"
    query = parts.query
    pairs = parse_qsl(query, keep_blank_values=True)
    if any(_SECRET.search(name) for name, _value in pairs):
        query = "&".join(
            f"{quote(name)}={'***' if _SECRET.search(name) else quote(value, safe='/:,')}" for name, value in pairs
        )
    return _UNPRINTABLE.sub("", urlunsplit((parts.scheme, place, parts.path, query, "")))


def secrets(url: str) -> list[tuple[str, str]]:
    """Return the query parameters of a URL that look like secrets: every request to its server needs them."""
    return [pair for pair in parse_qsl(urlsplit(url).query) if _SECRET.search(pair[0])]


def with_secrets(url: str, given: str) -> str:
    """Return a link of the server the operator named with those secrets of the operator's URL that it lacks."""
    parts = urlsplit(url)
    there = {name for name, _value in parse_qsl(parts.query, keep_blank_values=True)}
    lacking = [pair for pair in secrets(given) if pair[0] not in there]
    if not lacking or not same_origin(url, given):
        return url
    return urlunsplit(parts._replace(query="&".join(filter(None, [parts.query, urlencode(lacking)]))))


def require_http(url: str) -> None:
    """Raise ``SourceError`` if this is no address of a web server."""
    try:
        parts = urlsplit(url)
        fine = parts.scheme in _PORTS and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        fine = False
    if not fine or _UNPRINTABLE.search(url):
        raise SourceError(
            f"„{shown(url)}“ ist keine Adresse, die gelesen wird; sie muss mit http:// oder https:// beginnen."
        )


def same_origin(url: str, given: str) -> bool:
    """Tell whether a URL leads to the server the operator named (its step from http to https included)."""
    a, b = urlsplit(url), urlsplit(given)
    ports = a.port or _PORTS.get(a.scheme), b.port or _PORTS.get(b.scheme)
    upgrade = (b.scheme, a.scheme, *ports) == ("http", "https", 443, 80)
    return a.hostname == b.hostname and ((a.scheme == b.scheme and ports[0] == ports[1]) or upgrade)


def is_private(address: str) -> bool:
    """Tell whether an IP address lies anywhere but in the public network (addresses that hide another one included)."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        hidden = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if hidden is None and ip in _NAT64:
            hidden = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if hidden is not None:
            return is_private(str(hidden))
    return not ip.is_global or ip.is_multicast or ip.is_reserved


def refusal(url: str) -> SourceError:
    """Return the error that says that a link leads into a private network."""
    return SourceError(
        f"Der Server verweist auf „{shown(url)}“; das liegt in einem privaten Netz und wird nicht gelesen. "
        "Wenn das so sein soll, bitte diese Adresse selbst angeben."
    )


def require_public(url: str) -> bool:
    """Raise ``SourceError`` if any address of the host is private; return False if the name has no address here."""
    parts = urlsplit(url)
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port or _PORTS[parts.scheme], type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    if any(is_private(str(entry[4][0])) for entry in found):
        raise refusal(url)
    return True


class WatchedAdapter(HTTPAdapter):
    """Connects for a session; hands every connection to ``watch``, and refuses private ones where ``guarded``.

    The address that was really connected to is what is checked: a name may have had another one a moment ago.
    """

    def __init__(self, watch: Callable[[HTTPConnection], None], *, guarded: bool) -> None:
        self._watch = watch
        self._guarded = guarded
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - passed on as they are
        """Make the pools, with connections that are watched."""
        super().init_poolmanager(*args, **kwargs)
        watch, guarded = self._watch, self._guarded

        def checked(connection: HTTPConnection, made: socket.socket) -> socket.socket:
            watch(connection)
            if guarded and is_private(made.getpeername()[0]):
                made.close()
                raise refusal(f"http://{connection.host}/")
            return made

        class Plain(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                return checked(self, super()._new_conn())

        class Tls(HTTPSConnection):
            def _new_conn(self) -> socket.socket:
                return checked(self, super()._new_conn())

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class TlsPool(HTTPSConnectionPool):
            ConnectionCls = Tls

        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": TlsPool}
