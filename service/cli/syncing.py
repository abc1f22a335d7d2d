"""``sozialraumkarte sync``: bring all sources of a list up to date, as every night."""

import datetime as dt
import os
import time
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Annotated

import orjson
import typer

from geodata.errors import SrkError
from importers.errors import MappingError
from importers.sync import Outcome, Status, sync
from importers.sync_file import read_plan
from importers.sync_kinds import Home
from service.cli.common import chosen_stock, load_settings, say, say_json, working
from service.cli.common import tell as explain
from service.instance import opened
from service.rules import apply_or_tell


class NotAllRenewedError(SrkError, RuntimeError):
    """Some sources failed; the others came in."""


def renew(
    sources: Annotated[
        Path, typer.Argument(metavar="SOURCES.toml", help="Liste der Quellen, etwa sources/hamburg.toml.")
    ],
    only: Annotated[str | None, typer.Option(help="Nur diese Bestände, durch Komma getrennt.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Nur prüfen und berichten.")] = False,
    report: Annotated[Path | None, typer.Option(help="Ordner für die Berichte der Importe (JSON).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Ergebnis als JSON ausgeben.")] = False,
) -> None:
    """Renew all sources of a list; each fails alone, and what has not changed is not read again."""
    if report is not None and not (report.is_dir() and os.access(report, os.W_OK)):
        raise MappingError(f"„{report}“ ist kein Ordner, in den sich Berichte schreiben lassen (--report).")
    settings = load_settings()
    named = [name.strip() for name in (only or "").split(",") if name.strip()]
    plan = read_plan(sources, named, settings.home_level)
    started = time.monotonic()
    began = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")

    def tell(outcome: Outcome) -> None:
        if report is not None and outcome.report is not None:
            whole = orjson.dumps(outcome.report.to_json(), option=orjson.OPT_INDENT_2)
            (report / f"{outcome.name}.json").write_bytes(whole)
        if not as_json:
            say(outcome.line())

    with (
        opened(settings, chosen_stock()) as instance,
        instance.writing_engine() as engine,
        working(f"Erneuere {len(plan.tasks)} Quellen …"),
    ):
        if not dry_run:
            apply_or_tell(engine, settings, instance.stock, explain)
        home = Home(settings.home_level, settings.home_state)
        outcomes = sync(engine, plan, home, app_version=metadata.version("sozialraumkarte"), dry_run=dry_run, tell=tell)
    seconds = time.monotonic() - started
    counts = {status: sum(outcome.status is status for outcome in outcomes) for status in Status}
    if as_json:
        say_json(
            {"started_at": began, "seconds": round(seconds, 3), "dry_run": dry_run}
            | {status.value: count for status, count in counts.items()}
            | {"sources": [outcome.to_json() for outcome in outcomes]}
        )
    else:
        shown = f"{seconds:.1f}".replace(".", ",")
        say(f"{_summary(counts)} in {shown} s{' (Probelauf, nichts geändert)' if dry_run else ''}.")
    _require_all(outcomes)


def _summary(counts: dict[Status, int]) -> str:
    return (
        f"{counts[Status.IMPORTED]} übernommen, {counts[Status.UNCHANGED]} unverändert, "
        f"{counts[Status.FAILED]} gescheitert, {counts[Status.SKIPPED]} übersprungen"
    )


def _require_all(outcomes: Sequence[Outcome]) -> None:
    """Raise one sentence that names what failed."""
    failed = [outcome.name for outcome in outcomes if outcome.status is Status.FAILED]
    if failed:
        some = "Eine Quelle ließ" if len(failed) == 1 else f"{len(failed)} Quellen ließen"
        raise NotAllRenewedError(f"{some} sich nicht erneuern (von {len(outcomes)}): {', '.join(failed)}.")
