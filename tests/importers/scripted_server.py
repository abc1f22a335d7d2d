"""A web server that says exactly what a test wants it to, and notes what it was asked."""

import contextlib
import http.server
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson

Handler = http.server.BaseHTTPRequestHandler


@dataclass
class Answer:
    """One answer. ``cut``: send only so many bytes of the body and hang up; ``raw``: do it all by hand."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    raw: Callable[[Handler], None] | None = None


def said(document: Any, kind: str = "application/geo+json", **more: Any) -> Answer:
    headers = {"Content-Type": kind, **more.pop("headers", {})}
    body = document if isinstance(document, bytes) else orjson.dumps(document)
    return Answer(body, headers=headers, **more)


Reply = Answer | Callable[[Handler], Answer]


class Scripted:
    """``answers``: path without query -> replies in turn, the last one for ever. ``asked``: (path, headers)."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.answers: dict[str, list[Reply]] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.ended = threading.Event()

    def paths(self) -> list[str]:
        return [path for path, _headers in self.asked]

    def put(self, path: str, *replies: Reply) -> str:
        """Let a path answer so; return its address."""
        self.answers[path] = list(replies)
        return self.url + path

    def reply(self, handler: Handler) -> None:
        self.asked.append((handler.path, {name.lower(): value for name, value in handler.headers.items()}))
        replies = self.answers.get(handler.path.partition("?")[0], [Answer(b"nichts", 404)])
        reply = replies.pop(0) if len(replies) > 1 else replies[0]
        answer = reply if isinstance(reply, Answer) else reply(handler)
        if answer.raw is not None:
            answer.raw(handler)
            handler.close_connection = True
            return
        handler.send_response(answer.status)
        if "Transfer-Encoding" not in answer.headers:
            handler.send_header("Content-Length", str(len(answer.body)))
        for name, value in answer.headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(answer.body[: answer.cut])
        if answer.cut is not None:
            handler.close_connection = True


@contextmanager
def scripted_server() -> Iterator[Scripted]:
    """Run the server on a free port of this machine."""

    class Talking(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            with contextlib.suppress(ConnectionError):
                script.reply(self)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            pass

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True
        # Those who still drip when the test is over are not waited for.
        block_on_close = False

    with Server(("127.0.0.1", 0), Talking) as server:
        script = Scripted(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, args=(0.005,))
        thread.start()
        try:
            yield script
        finally:
            script.ended.set()
            server.shutdown()
            thread.join()
