"""What the browser tests share: the real service on a free port, a browser, and a visit that notes all complaints."""

import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright
from sqlalchemy import Engine

from service.app import create_app
from service.settings import Settings
from service.uploads.work import Writing

FLAGS = [
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    # A page of another site may embed the service, which listens on loopback here.
    "--disable-features=LocalNetworkAccessChecks",
]
SIZES = [(1280, 800), (375, 667)]
# One width each in `make test`, where a page is used most; the other one in `make test-long`.
PHONE_FIRST = [pytest.param(SIZES[0], marks=pytest.mark.long), SIZES[1]]
DESK_FIRST = [SIZES[0], pytest.param(SIZES[1], marks=pytest.mark.long)]
DRAWN = ".srk-marker, .srk-cluster"


@contextmanager
def running(engine: Engine, *, writing: Writing | None = None, **given: Any) -> Iterator[tuple[str, Any]]:
    """Serve a database on a free port of loopback, with ``writing`` for uploads; yields its address and the app."""
    app = create_app(Settings(_env_file=None, **given), engine, writing)  # type: ignore[call-arg]
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False, lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        until = time.monotonic() + 20
        while not server.started:
            assert time.monotonic() < until, "the service did not start"
            time.sleep(0.02)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", app
        server.should_exit = True
        thread.join(20)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = os.environ.get("SRK_CHROMIUM") or shutil.which("chromium")
    if not path:
        pytest.fail("no Chromium; set SRK_CHROMIUM")
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*sandbox, *FLAGS])
        yield browser
        browser.close()


class Visit:
    """A page, what it asked for, and what it complained about."""

    def __init__(self, browser: Browser, base: str, size: tuple[int, int] = SIZES[0], **options: Any) -> None:
        width, height = size
        self.base = base
        self.context = browser.new_context(
            viewport={"width": width, "height": height}, has_touch=width < 600, reduced_motion="reduce", **options
        )
        self.page: Page = self.context.new_page()
        self.asked: list[str] = []
        self.errors: list[str] = []
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.errors.append(message.text)

    def _request(self, request: Request) -> None:
        self.asked.append(request.url)

    def calm(self) -> None:
        assert self.errors == []
        assert [url for url in self.asked if not url.startswith((self.base + "/", "data:"))] == []
        assert self.page.evaluate("window.hacked") is None


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Callable[..., Visit]]:
    opened: list[Visit] = []

    def go(base: str, size: tuple[int, int] = SIZES[0], *, path: str = "/", **options: Any) -> Visit:
        made = Visit(chromium, base, size, **options)
        opened.append(made)
        answer = made.page.goto(base + path)
        assert answer
        assert answer.status == 200
        return made

    yield go
    for made in opened:
        made.context.close()
