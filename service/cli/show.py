"""Commands that report: the datasets and their versions, the settings."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

import typer

from geodata.viewer import Role, Viewer
from service.cli.common import chosen_stock, load_settings, say, say_json
from service.instance import opened
from service.labels import ROW_LABELS
from service.settings import describe

AsJson = Annotated[bool, typer.Option("--json", help="Als JSON ausgeben.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="Name des Bestands, etwa areas.stadtteil.")]

datasets = typer.Typer(
    invoke_without_command=True, help="Bestände auflisten, Fassungen vergleichen und zurücknehmen."
)  # fmt: skip


@datasets.callback()
def list_if_alone(context: typer.Context, as_json: AsJson = False) -> None:
    """List the datasets where no command is given."""
    if context.invoked_subcommand is None:
        list_datasets(None, as_json)


@datasets.command("list")
def list_datasets(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Nur dieser Bestand.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the datasets with Stand, last import, last look at the source and last failure."""
    from geodata.database import Access, reading  # noqa: PLC0415 - only where it is needed
    from geodata.datasets import datasets as ask  # noqa: PLC0415
    from geodata.errors import NotFoundError  # noqa: PLC0415
    from service.context import today  # noqa: PLC0415

    settings = load_settings()
    with opened(settings, chosen_stock()) as instance:
        engine = instance.serving_engine(settings)
        # Whoever runs commands on the machine administers it: the counts are theirs to see.
        with reading(engine, Access(Viewer(Role.ADMIN))) as session:
            answer = ask(session, on=today())
        engine.dispose()
    rows = [row for row in answer.rows if name in {None, row.dataset}]
    if name is not None and not rows:
        known = ", ".join(row.dataset for row in answer.rows) or "keiner"
        raise NotFoundError(f"Den Bestand „{name}“ gibt es nicht. Vorhanden: {known}.")
    if as_json:
        say_json({"meta": asdict(answer.meta), "rows": [asdict(row) for row in rows]})
        return
    if answer.meta.notice:
        say(answer.meta.notice)
    for row in rows:
        stand = row.as_of.strftime("%d.%m.%Y") if row.as_of else "nicht angegeben"
        say(
            f"{row.dataset}: {row.title}, {row.rows_loaded} Zeilen, Stand {stand}, "
            f"importiert {row.imported_at:%d.%m.%Y}, Quelle geprüft {_days(row.age_days)}"
        )
        if row.failed_at:
            why = f": {row.failure}" if row.failure else "; den Grund sieht die Verwaltung."
            say(f"  Erneuern zuletzt gescheitert am {row.failed_at:%d.%m.%Y}{why}")
    for warning in answer.meta.warnings:
        if "noch nie" in warning and name is None:
            say(warning)


def _days(days: int) -> str:
    return {0: "heute", 1: "gestern"}.get(days, f"vor {days} Tagen")


@datasets.command("diff")
def diff_versions(
    name: Name,
    as_json: AsJson = False,
    limit: Annotated[int, typer.Option(min=0, help="Höchstens so viele Änderungen je Art von Zeile.")] = 1000,
) -> None:
    """Tell what the visible version changed against the one before."""
    from geodata.database import writing  # noqa: PLC0415
    from geodata.versions import diff  # noqa: PLC0415

    with (
        opened(load_settings(), chosen_stock()) as instance,
        instance.writing_engine() as engine,
        writing(engine) as session,  # only the writing group reads the version before
    ):
        found = diff(session, name, limit=limit)
    if as_json:
        say_json(asdict(found))
        return
    for field, (before, after) in found.notes.items():
        say(f"{ROW_LABELS.get(field, field)}: {_shown(before)} → {_shown(after)}")
    for title, counts in found.counts.items():
        say(f"{title}: {counts['added']} neu, {counts['changed']} geändert, {counts['removed']} entfallen")
    words = {"added": "neu", "changed": "geändert", "removed": "entfallen"}
    for change in found.changes:
        say(f"  {words[change.change]}: {change.key}{_fields(change.fields)}")
    if len(found.changes) < sum(number for counts in found.counts.values() for number in counts.values()):
        say(f"  … weitere (--limit, bisher {limit} je Art von Zeile)")


def _fields(fields: Mapping[str, tuple[Any, Any]]) -> str:
    said = [f"{ROW_LABELS.get(name, name)}: {_shown(old)} → {_shown(new)}" for name, (old, new) in fields.items()]
    return f" ({'; '.join(said)})" if said else ""


def _shown(value: object) -> str:
    return "–" if value is None else str(value)


@datasets.command("rollback")
def roll_back(
    name: Name,
    as_json: AsJson = False,
    allow_orphans: Annotated[bool, typer.Option(help="Auch Gebiete entfernen, auf die sich andere beziehen.")] = False,
) -> None:
    """Make the version before visible again; once more, and the newer one is back."""
    from geodata.database import lock_writers, writing  # noqa: PLC0415
    from geodata.versions import rollback  # noqa: PLC0415

    with (
        opened(load_settings(), chosen_stock()) as instance,
        instance.writing_engine() as engine,
        writing(engine) as session,
    ):
        lock_writers(session)
        done = rollback(session, name, allow_orphans=allow_orphans)
    if as_json:
        say_json(asdict(done))
        return
    imported = dt.datetime.fromisoformat(done.imported_at)
    stand = f"Stand {dt.date.fromisoformat(done.as_of):%d.%m.%Y}, " if done.as_of else ""
    say(f"{name}: Sichtbar ist wieder die Fassung vom {imported:%d.%m.%Y} ({stand}{done.rows} Zeilen).")


def settings(as_json: AsJson = False) -> None:
    """Print all settings with value, source and help; secrets are masked."""
    rows = describe(load_settings())
    if as_json:
        say_json(rows)
        return
    for row in rows:
        say(f"{row['name']} = {row['value'] or '–'}   [{row['source']}] {row['help']}")
