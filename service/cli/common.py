"""What the commands share: which stock is addressed, settings, and how results are printed."""

import contextlib
import sys
import threading
from collections.abc import Iterator
from typing import Any

import orjson

from service.instance import Stock, settings_of
from service.settings import Settings

_LONG_WORK_S = 10.0

_chosen: list[Stock] = [Stock.REAL]


def choose_stock(stock: Stock) -> None:
    """Address this stock of data with all that follows."""
    _chosen[0] = stock


def chosen_stock() -> Stock:
    """Return the stock of data this call addresses."""
    return _chosen[0]


def load_settings() -> Settings:
    """Read the settings from environment and ``.env``, with what the addressed stock of data fixes."""
    return settings_of(Settings(), chosen_stock())


def say(line: str) -> None:
    """Print one line of the result."""
    sys.stdout.write(line + "\n")


def tell(line: str) -> None:
    """Print one line about what is going on, beside the result."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


@contextlib.contextmanager
def working(what: str) -> Iterator[None]:
    """Show on a terminal that long work goes on, with the time it takes; elsewhere say so in a plain line.

    Short work elsewhere says nothing: a failure is to be the one sentence on stderr.
    """
    if not sys.stderr.isatty():
        patience = threading.Timer(_LONG_WORK_S, tell, [what])
        patience.daemon = True
        patience.start()
        try:
            yield
        finally:
            patience.cancel()
        return
    from rich.console import Console  # noqa: PLC0415 - only on a terminal
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    # What is shown may hold a file's name: markup in it is text.
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        progress.add_task(what, total=None)
        yield


def say_json(value: Any) -> None:  # noqa: ANN401 - anything JSON can hold
    """Print the result as JSON."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS
    sys.stdout.write(orjson.dumps(value, default=str, option=options).decode() + "\n")
