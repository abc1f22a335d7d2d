"""``serve``, ``demo`` and ``examples``: the running service."""

import contextlib
import gc
import ipaddress
from collections.abc import Callable, Iterator
from typing import Annotated

import typer
from sqlalchemy import Engine

from geodata.viewer import Role, Viewer
from service.cli.common import choose_stock, chosen_stock, load_settings, tell
from service.instance import Instance, Stock, opened
from service.settings import Settings

Host = Annotated[str | None, typer.Option(help="Adresse (Voreinstellung SRK_HOST).")]
Port = Annotated[int | None, typer.Option(min=1, max=65535, help="Port (Voreinstellung SRK_PORT).")]
LoadOnly = Annotated[bool, typer.Option("--load-only", help="Nur laden, nicht starten.")]

# The demo city's office, so that its planner sees something of her own.
_DEMO_OFFICE = (("bezirk", "1"),)
_DEMO_PROVIDER = "beispiel-traeger-17"
# The offices whose tables are published: all of it is theirs.
_EXAMPLE_OFFICES = (("stadt", "HB"), ("stadt", "BHV"), ("stadt", "NOR"), ("bezirk", "1"))
_OFFICES = {Stock.DEMO: _DEMO_OFFICE, Stock.EXAMPLES: _EXAMPLE_OFFICES}


def serve(host: Host = None, port: Port = None) -> None:
    """Serve map and API."""
    settings = load_settings()
    with opened(settings, chosen_stock()) as instance:
        if instance.private:
            _apply_rules(settings, instance)
        _serve(settings, instance, host or settings.host, port or settings.port)


def demo(host: Host = None, port: Port = None, load_only: LoadOnly = False) -> None:
    """Make the demo city if it is not there yet, and serve it."""
    from service.demo import load_demo  # noqa: PLC0415 - heavy libraries

    _load_and_serve(Stock.DEMO, load_demo, host, port, load_only)


def examples(host: Host = None, port: Port = None, load_only: LoadOnly = False) -> None:
    """Load the published tables if they are not there yet, and serve them."""
    from service.examples import load_examples  # noqa: PLC0415 - heavy libraries

    _load_and_serve(Stock.EXAMPLES, load_examples, host, port, load_only)


def _load_and_serve(
    stock: Stock, load: Callable[[Engine, Callable[[str], None]], None], host: str | None, port: int | None,
    load_only: bool,
) -> None:  # fmt: skip
    choose_stock(stock)
    settings = load_settings()
    with opened(settings, stock) as instance:
        _apply_rules(settings, instance)
        with instance.writing_engine() as engine:
            load(engine, tell)
        if not load_only:
            _serve(settings, instance, host or settings.host, port or settings.port)


def _apply_rules(settings: Settings, instance: Instance) -> None:
    from service.rules import apply_or_tell  # noqa: PLC0415 - only where it may be written

    with instance.writing_engine() as engine:
        apply_or_tell(engine, settings, instance.stock, tell)


def _serve(settings: Settings, instance: Instance, host: str, port: int) -> None:
    import uvicorn  # noqa: PLC0415 - only the server pays for it

    from service import warming  # noqa: PLC0415
    from service.app import create_app  # noqa: PLC0415
    from service.logs import configure  # noqa: PLC0415

    configure(settings.log_level)
    with _engine(settings, instance) as engine:
        # Uploads need a right of their own to write: that of the private cluster, or the one named for it.
        may_write = instance.private or settings.admin_database_url is not None
        app = create_app(settings, engine, instance.writing_engine if may_write else None)
        shown = f"[{host}]" if ":" in host else host
        tell(f"Sozialraumkarte: http://{shown}:{port}")
        if _is_loopback(host):
            for title, code in _links(app.state.srk.sessions.offer, settings, instance.stock):
                tell(f"  Einmal-Link {title}: http://{shown}:{port}/anmelden?code={code}")
        gc.collect()
        gc.freeze()  # what is loaded now stays: no collection needs to walk it
        warming.start(engine)
        uvicorn.run(app, host=host, port=port, log_level="warning", access_log=False, server_header=False)


@contextlib.contextmanager
def _engine(settings: Settings, instance: Instance) -> Iterator[Engine]:
    engine = instance.serving_engine(settings)
    try:
        yield engine
    finally:
        engine.dispose()


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _links(offer: Callable[[Viewer], str], settings: Settings, stock: Stock) -> Iterator[tuple[str, str]]:
    """Yield a one-time link per role; a provider's only where it is known which."""
    office = settings.office() or _OFFICES.get(stock, ())
    yield "Planung", offer(Viewer(Role.PLANNER, office_areas=office))
    yield "Verwaltung", offer(Viewer(Role.ADMIN))
    if stock is Stock.DEMO:
        yield "Träger", offer(Viewer(Role.PROVIDER, provider_key=_DEMO_PROVIDER))
