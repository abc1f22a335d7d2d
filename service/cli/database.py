"""``sozialraumkarte db``: the private cluster and migrations."""

import contextlib
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from geodata.errors import DatabaseStateError
from service.cli.common import chosen_stock, load_settings, say, say_json, tell, working
from service.instance import Stock, cluster, uses_private_cluster
from service.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

app = typer.Typer(no_args_is_help=True, help="Datenbank starten, anhalten, einrichten.")


def _require_private(settings: Settings, stock: Stock) -> None:
    if not uses_private_cluster(settings, stock):
        raise DatabaseStateError(
            "SRK_DATABASE_URL ist gesetzt: Diese Datenbank startet und stoppt die Sozialraumkarte nicht."
        )


@app.command()
def start() -> None:
    """Start the private PostGIS and leave it running."""
    settings = load_settings()
    _require_private(settings, chosen_stock())
    from geodata.migrate import prepare_private_database  # noqa: PLC0415 - only where it is needed
    from service.rules import apply_or_tell  # noqa: PLC0415

    private = cluster(settings)
    private.keep(True)
    private.start()
    prepare_private_database(private, chosen_stock().value)
    with _engine(private.url(chosen_stock().value)) as engine:
        apply_or_tell(engine, settings, chosen_stock(), tell)
    say(f"Die Datenbank läuft ({private.data}).")


@app.command()
def stop() -> None:
    """Stop the private PostGIS."""
    settings = load_settings()
    _require_private(settings, chosen_stock())
    private = cluster(settings)
    private.keep(False)
    say("Die Datenbank wurde angehalten." if private.stop() else "Die Datenbank lief nicht.")


@app.command()
def status(as_json: Annotated[bool, typer.Option("--json", help="Als JSON ausgeben.")] = False) -> None:
    """Tell whether the database runs and at which revision it is."""
    settings = load_settings()
    stock = chosen_stock()
    from geodata.migrate import revision_of, revision_of_url  # noqa: PLC0415
    from geodata.schema_version import SCHEMA_VERSION  # noqa: PLC0415

    if uses_private_cluster(settings, stock):
        private = cluster(settings)
        found = asdict(private.status())
        found["revision"] = revision_of(private, stock.value) if found["running"] else None
    else:
        assert settings.database_url is not None  # noqa: S101 - for the type checker
        found = {"revision": revision_of_url(settings.database_url.get_secret_value())}
    found["expected_revision"] = SCHEMA_VERSION
    if as_json:
        say_json(found)
        return
    for name, value in found.items():
        say(f"{name}: {'–' if value is None else value}")


@app.command()
def migrate(
    login: Annotated[
        str | None, typer.Option(help="Diesen Datenbank-Zugang mit reinen Leserechten anlegen (SRK_DB_APP_PASSWORD).")
    ] = None,
) -> None:
    """Bring the database to the revision this version of the service expects, and what is published up to date."""
    settings = load_settings()
    stock = chosen_stock()
    from geodata.migrate import make_serving_login, prepare_private_database  # noqa: PLC0415
    from geodata.migrate import migrate as bring  # noqa: PLC0415

    if uses_private_cluster(settings, stock):
        if login is not None:
            raise DatabaseStateError("Der eigene Cluster hat seinen Zugang schon; --login braucht SRK_DATABASE_URL.")
        private = cluster(settings)
        with private.in_use():
            prepare_private_database(private, stock.value)
            _publish_anew(settings, private.url(stock.value))
    else:
        url = settings.admin_database_url or settings.database_url
        assert url is not None  # noqa: S101 - for the type checker
        bring(url.get_secret_value())
        if login is not None:
            if settings.db_app_password is None:
                raise DatabaseStateError("--login braucht ein Kennwort in SRK_DB_APP_PASSWORD.")
            make_serving_login(url.get_secret_value(), login, settings.db_app_password.get_secret_value())
        # Last: what keeps it from being done is put right by an import, and must hold up nothing else.
        _publish_anew(settings, url.get_secret_value())
    say("Die Datenbank ist auf dem neuesten Stand.")


def _publish_anew(settings: Settings, url: str) -> None:
    """Apply the rules of disclosure control, and derive what is published and not up to date."""
    from service.rules import apply_rules  # noqa: PLC0415

    with _engine(url) as engine, working("Was veröffentlicht wird, wird neu bestimmt …"):
        counts = apply_rules(engine, settings, chosen_stock(), anew=True)
    if counts is not None:
        counted = "".join(f" {name[0].upper()}{name[1:]}: {number}." for name, number in counts.items())
        say(f"Die Regeln der Veröffentlichung sind angewandt.{counted}")


@contextlib.contextmanager
def _engine(url: str) -> "Iterator[Engine]":
    from geodata.database import make_engine  # noqa: PLC0415 - only where it is written

    engine = make_engine(url, pool_size=1)
    try:
        yield engine
    finally:
        engine.dispose()
