"""Commands that report: the datasets, the settings."""

from dataclasses import asdict
from typing import Annotated

import typer

from geodata.viewer import Role, Viewer
from service.cli.common import chosen_stock, load_settings, say, say_json
from service.instance import opened
from service.settings import describe

AsJson = Annotated[bool, typer.Option("--json", help="Als JSON ausgeben.")]


def datasets(as_json: AsJson = False) -> None:
    """List the datasets with Stand and last import."""
    from geodata.database import Access, reading  # noqa: PLC0415 - only where it is needed
    from geodata.datasets import datasets as ask  # noqa: PLC0415

    settings = load_settings()
    with opened(settings, chosen_stock()) as instance:
        engine = instance.serving_engine(settings)
        # Whoever runs commands on the machine administers it: the counts are theirs to see.
        with reading(engine, Access(Viewer(Role.ADMIN))) as session:
            answer = ask(session)
        engine.dispose()
    if as_json:
        say_json({"meta": asdict(answer.meta), "rows": [asdict(row) for row in answer.rows]})
        return
    if answer.meta.notice:
        say(answer.meta.notice)
    for row in answer.rows:
        stand = row.as_of.strftime("%d.%m.%Y") if row.as_of else "nicht angegeben"
        say(
            f"{row.dataset}: {row.title}, {row.rows_loaded} Zeilen, Stand {stand}, "
            f"importiert {row.imported_at:%d.%m.%Y}"
        )


def settings(as_json: AsJson = False) -> None:
    """Print all settings with value, source and help; secrets are masked."""
    rows = describe(load_settings())
    if as_json:
        say_json(rows)
        return
    for row in rows:
        say(f"{row['name']} = {row['value'] or '–'}   [{row['source']}] {row['help']}")
