"""The entry point: one program, its commands, and what every command does alike.

Exit codes: 0 done; 1 refused or failed, with one plain sentence on stderr; 2 wrong usage. ``--demo`` on any
command addresses the demo city's database, ``--examples`` that of the published tables.
"""

import gc
import signal
import sys
from typing import NoReturn

import typer
from pydantic import ValidationError

from geodata.errors import SrkError
from service.cli import analysing, database, doctor, exporting, importing, serving, show, syncing
from service.cli.common import choose_stock
from service.instance import Stock

# What pydantic says in English of the kinds of settings there are.
_SAID = {
    "int_parsing": "Das ist keine ganze Zahl.",
    "int_from_float": "Das ist keine ganze Zahl.",
    "greater_than_equal": "Der Wert muss mindestens {ge} sein.",
    "less_than_equal": "Der Wert darf höchstens {le} sein.",
}

_STOCKS = {"--demo": Stock.DEMO, "--examples": Stock.EXAMPLES}

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Sozialraumkarte: Gebiete und Einrichtungen importieren, auswerten und zeigen. "
    "--demo an einem beliebigen Befehl meint die Beispielstadt, --examples die veröffentlichten Tabellen.",
)
app.add_typer(database.app, name="db")
app.add_typer(importing.app, name="import")
app.add_typer(analysing.app, name="analyse")
app.add_typer(exporting.app, name="export")
app.command("serve")(serving.serve)
app.command("demo")(serving.demo)
app.command("examples")(serving.examples)
app.add_typer(show.datasets, name="datasets")
app.command("sync")(syncing.renew)
app.command("settings")(show.settings)
app.command("doctor")(doctor.doctor)


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and exit."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    meant = [option for option in _STOCKS if option in given]
    if len(meant) > 1:
        sys.stderr.write("Fehler: --demo und --examples meinen verschiedene Datenbanken; bitte nur eines angeben.\n")
        sys.exit(2)
    for option in meant:
        given.remove(option)
        choose_stock(_STOCKS[option])
    # Rows by the ten thousand are made and dropped at once; the default thresholds make the garbage collector walk
    # all of them again and again (measured: more than half the time of a large answer).
    gc.set_threshold(200_000, 50, 100)
    # A supervisor ends the service with SIGTERM: leave as on Ctrl-C, so that what was started is stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        app(given, prog_name="sozialraumkarte")
    except SrkError as error:
        _fail(str(error))
    except ValidationError as error:
        first = error.errors()[0]
        where = f"SRK_{str(first['loc'][0]).upper()}: " if first["loc"] else ""
        said = _SAID.get(first["type"], first["msg"].removeprefix("Value error, ")).format(**first.get("ctx", {}))
        _fail(f"Einstellungen: {where}{said}")
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(0)


def _fail(sentence: str) -> NoReturn:
    sys.stderr.write(f"Fehler: {sentence}\n")
    sys.exit(1)
