"""Which database: the real one, the demo city's, or that of the published tables. They never mix."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Engine

from geodata.cluster import Cluster
from geodata.database import make_engine
from geodata.migrate import SERVING_LOGIN, prepare_private_database, revision_of
from geodata.schema_version import SCHEMA_VERSION
from service.settings import Settings


class Stock(StrEnum):
    """Which stock of data is addressed; the value is the database's name in the private cluster."""

    REAL = "srk"
    DEMO = "srk_demo"
    EXAMPLES = "srk_examples"


@dataclass(frozen=True, slots=True)
class Instance:
    """An open database: URLs for serving (least rights) and for writing (migration, import)."""

    stock: Stock
    serving_url: str
    writing_url: str
    private: bool

    def serving_engine(self, settings: Settings) -> Engine:
        """Return a pooled engine for answering questions."""
        return make_engine(self.serving_url, pool_size=settings.pool_size)

    @contextlib.contextmanager
    def writing_engine(self) -> Iterator[Engine]:
        """Open an engine for one import or maintenance."""
        engine = make_engine(self.writing_url, pool_size=2)
        try:
            yield engine
        finally:
            engine.dispose()


# The demo city and the published tables are Hamburg's, whatever the office's settings say.
_OWN_RULES = {
    "home_state": "Hamburg",
    "home_level": "bezirk",
    "small_counts_below": 3,
    "published_levels": ("stadtteil", "sozialraum"),
}


def settings_of(settings: Settings, stock: Stock) -> Settings:
    """Return the settings that hold for a stock of data: demo city and published tables have rules of their own."""
    return settings if stock is Stock.REAL else settings.model_copy(update=_OWN_RULES)


def cluster(settings: Settings) -> Cluster:
    """Return the private cluster of these settings, started or not."""
    return Cluster(settings.cluster_home())


def uses_private_cluster(settings: Settings, stock: Stock) -> bool:
    """Tell whether this stock lives in the private cluster; the demo city and the published tables always do."""
    return stock is not Stock.REAL or settings.database_url is None


@contextlib.contextmanager
def opened(settings: Settings, stock: Stock) -> Iterator[Instance]:
    """Open a stock of data for the length of the block.

    The private cluster is started if need be, its database created and migrated, and what is published derived anew
    after a migration. A database given by URL is used as it is: it is never started, and migrated only by
    ``db migrate``.
    """
    if not uses_private_cluster(settings, stock):
        assert settings.database_url is not None  # noqa: S101 - for the type checker
        serving = settings.database_url.get_secret_value()
        admin = settings.admin_database_url
        yield Instance(stock, serving, admin.get_secret_value() if admin else serving, private=False)
        return
    private = cluster(settings)
    with private.in_use():
        made = Instance(stock, private.url(stock.value, SERVING_LOGIN), private.url(stock.value), private=True)
        if revision_of(private, stock.value) != SCHEMA_VERSION:
            prepare_private_database(private, stock.value)
            from service.rules import apply_or_tell  # noqa: PLC0415 - only after a migration

            with made.writing_engine() as engine:
                apply_or_tell(engine, settings, stock, lambda _line: None)
        yield made
