"""How a command answers a question of the field: whose eyes, which database, printed or written to a file."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import typer
from typer.core import TyperGroup

from geodata.answer import Meta
from geodata.errors import ParameterError, SrkError
from geodata.viewer import Role, Version, Viewer
from service.cli import tables
from service.cli.common import chosen_stock, load_settings, say, say_json, tell, working
from service.instance import Instance, Stock, opened
from service.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from service.formats import Format

Made = TypeVar("Made", bound=Any)
Given = TypeVar("Given")


# Where an option is named differently from the parameter.
_OPTIONS = {"geometry": "--polygon"}


class Questions(TyperGroup):
    """Commands that ask as the API does: what is wrong with a parameter is said with the name of its option."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - typer's own context
        """Run the command."""
        try:
            return super().invoke(ctx)
        except ParameterError as error:
            option = _OPTIONS.get(error.parameter, f"--{error.parameter.replace('_', '-')}")
            command = self.commands[ctx.invoked_subcommand]
            if option in str(error) or not any(option in parameter.opts for parameter in command.params):
                raise
            said = f"{str(error).removesuffix('.')} (Option {option})."
            raise ParameterError(error.parameter, said, error.allowed) from error


class OutputError(SrkError):
    """A file cannot be read or written; the sentence says which."""


@dataclass(frozen=True, slots=True)
class Output:
    """Where an answer goes: to the terminal as a table, as JSON, or into a file; and in which version.

    ``command`` is the command with its options, for the record of what was taken along.
    """

    as_json: bool
    out: Path | None
    version: Version
    command: str

    @classmethod
    def of(cls, context: typer.Context, as_json: bool, out: Path | None, version: str | None) -> "Output":
        """Return what the options say; raise ``ParameterError`` for a version there is not."""
        from service.api.parameters import version_query  # noqa: PLC0415 - not for --help

        options = (
            f"--{name.replace('_', '-')}={value}"
            for name, value in context.params.items()
            if value is not None and value is not False
        )
        return cls(as_json, out, version_query(version), " ".join([context.command_path, *options]))

    @property
    def geometry(self) -> bool:
        """Whether the rows need their geometry."""
        return self.out is not None and self.out.suffix.lower() in {".geojson", ".gpkg"}

    def format(self, offered: Iterable["Format"]) -> "Format | None":
        """Return the format of the file; raise ``OutputError`` where it cannot be written."""
        if self.out is None:
            return None
        by_ending = {f".{wanted.value}": wanted for wanted in offered}
        wanted = by_ending.get(self.out.suffix.lower())
        if wanted is None:
            raise OutputError(f"Das Format richtet sich nach der Endung der Datei: {', '.join(by_ending)} (--out).")
        check_writable(self.out)
        return wanted


def answer(
    output: Output,
    question: Callable[["Session"], Made],
    render: Callable[[Made, "Format"], bytes],
    show: Callable[[Made], Iterable[str]],
    offered: "Iterable[Format] | None" = None,
) -> None:
    """Answer a question and give it out: rendered as the API does, or shown in lines under its title.

    Whoever runs commands on the machine administers it; by default they too get what the public may see.
    """
    from service.formats import Format  # noqa: PLC0415 - not for --help

    wanted = output.format(Format if offered is None else offered)
    made = ask(output, question)
    if wanted is not None and output.out is not None:
        write_file(output.out, render(made, wanted))
        tell(f"Geschrieben: {output.out}")
    if output.as_json:
        import orjson  # noqa: PLC0415 - only here

        say_json(orjson.loads(render(made, Format.JSON)))
    elif wanted is None:
        for line in _shown(made.meta, show(made)):
            say(line)


def ask(output: Output, question: Callable[["Session"], Made]) -> Made:
    """Return the answer to a question of the stock addressed; who takes the Interne Fassung along is recorded."""
    settings = load_settings()
    with opened(settings, chosen_stock()) as instance:
        _load_missing(instance)
        with working("Die Auswertung läuft …"):
            return _asked(settings, instance, output, question)


def _shown(meta: Meta, lines: Iterable[str]) -> Iterable[str]:
    shown = list(lines)
    yield tables.printable(meta.title)
    yield ""
    yield from shown
    yield ""
    yield from tables.legend(shown)
    yield from tables.footnotes(meta)


def _asked(settings: Settings, instance: Instance, output: Output, question: Callable[["Session"], Made]) -> Made:
    from geodata import audit  # noqa: PLC0415 - not for --help
    from geodata.database import Access, reading  # noqa: PLC0415

    viewer = Viewer(Role.ADMIN).seeing(output.version)
    engine = instance.serving_engine(settings)
    try:
        if output.version is Version.INTERNAL:
            audit.record(engine, viewer, "intern", {"request": output.command})
        access = Access(viewer, settings.release_level)
        with reading(engine, access, statement_timeout_ms=settings.statement_timeout_ms) as session:
            return question(session)
    finally:
        engine.dispose()


def _load_missing(instance: Instance) -> None:
    """Load what is missing of the demo city or the published tables: whoever asks them need not know the order."""
    if instance.stock is Stock.REAL:
        return
    if instance.stock is Stock.DEMO:
        from service.demo import load_demo as load  # noqa: PLC0415 - heavy libraries
    else:
        from service.examples import load_examples as load  # noqa: PLC0415 - heavy libraries
    with instance.writing_engine() as engine:
        load(engine, tell)


def check_writable(path: Path) -> None:
    """Raise ``OutputError`` where a file cannot be written: before the work, so that it does not fail after it."""
    folder = path.absolute().parent
    if path.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        raise OutputError(f"Nach „{path}“ lässt sich nicht schreiben (--out).")


def write_file(path: Path, body: bytes) -> None:
    """Write a file; raise ``OutputError`` where that fails."""
    try:
        path.write_bytes(body)
    except OSError as error:
        raise OutputError(f"Nach „{path}“ lässt sich nicht schreiben: {error.strerror} (--out).") from error


def read_file(path: Path, most_bytes: int) -> bytes:
    """Return what a file holds; raise ``OutputError`` where it cannot be read or is larger than that."""
    try:
        with path.open("rb") as file:
            body = file.read(most_bytes + 1)
    except OSError as error:
        raise OutputError(f"„{path}“ lässt sich nicht lesen: {error.strerror}.") from error
    if len(body) > most_bytes:
        raise OutputError(f"„{path}“ ist größer als {most_bytes // 1024**2} MiB.")
    return body


def stated_only(**given: Any) -> dict[str, Any]:  # noqa: ANN401 - options by name
    """Return the options that are given; what is left open has its default in the request."""
    return {name: value for name, value in given.items() if value is not None}


def said(value: Given | None, parameter: str, sentence: str) -> Given:
    """Return what must be said; raise ``ParameterError`` where it is not."""
    if value is None or value == "":
        raise ParameterError(parameter, sentence)
    return value
