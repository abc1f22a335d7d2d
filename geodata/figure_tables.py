"""The tables of figures: observations, placements, and the catalogue that says what they mean.

Rows carry the import that wrote them, as everywhere. ``area_key`` is a key of the registry, ``ohne`` (no area)
or the key of a merged area; it carries no foreign key, because none of the three tables alone could hold it.
"""

from datetime import date

from sqlalchemy import CheckConstraint, Date, Double, ForeignKey, Index, Integer, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from geodata.tables import STATES, Base, one_of

FLAGS = ("ok", "suppressed", "missing", "estimated", "provisional")
SCENARIOS = ("ist", "prognose", "plan")
COUNTINGS = ("stichtag", "mittel_12_stichtage", "kumuliert", "begonnen", "beendet")
UNITS = ("hilfen", "junge_menschen", "familien", "personen", "eur")
INDICATOR_KINDS = ("count", "share", "rate", "index")
AREA_ROLES = ("zustaendig", "herkunft")
PLACEMENT_COUNTINGS = ("stichtag", "begonnen")
ABROAD = "Ausland"
UNKNOWN_STATE = "ohne Angabe"
PROVIDER_STATES = (*STATES, ABROAD, UNKNOWN_STATE)
WITHOUT_AREA = "ohne"
# Indicators that count helps or young people, or are printed figures that rest on such counts. As SQL, for the index.
COUNTS_HELPS = ("cases", "hours", "spending_eur", "counselling_new", "counselling_followed")
PRINTED_OF_HELPS = (
    "hilfedichte",
    "kosten_je_jew_eur",
    "hilfequotient",
    "anteil_folgehilfen_pct",
    "quotient_beratungen",
)
PRINTED_CHANGES_OF_HELPS = ("ausgaben_veraenderung_%", "faelle_veraenderung_%")
TELLS_OF_HELPS = f"indicator IN ({', '.join(repr(code) for code in (*COUNTS_HELPS, *PRINTED_OF_HELPS))})" + "".join(
    f" OR indicator LIKE {pattern!r}" for pattern in PRINTED_CHANGES_OF_HELPS
)
# How people go to what a standard speaks of.
STANDARD_MODES = ("walk", "bike", "line")
# More than this per 1,000 residents is no standard but a slip of the pen.
MOST_PER_1000 = 1_000_000


class MergedArea(Base):
    """Several areas that statistics report as one; ``key`` is the members' keys joined by ``+``. Imports only add."""

    __tablename__ = "merged_area"

    level: Mapped[str] = mapped_column(ForeignKey("level.level"), primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    members: Mapped[list[str]] = mapped_column(ARRAY(Text))


class Observation(Base):
    """One figure: area, indicator, position, period, scenario. ``value`` NULL: suppressed or missing (see ``flag``).

    ``starts`` and ``ends`` are the first and last day of the period. Counting and unit are the import's.
    """

    __tablename__ = "observation"
    __table_args__ = (
        CheckConstraint(one_of("flag", FLAGS), name="observation_flag_known"),
        CheckConstraint(one_of("scenario", SCENARIOS), name="observation_scenario_known"),
        CheckConstraint("(value IS NULL) = (flag IN ('suppressed', 'missing'))", name="observation_value_fits_flag"),
        CheckConstraint("value > '-Infinity' AND value < 'Infinity'", name="observation_value_finite"),
        CheckConstraint("starts <= ends", name="observation_period_ordered"),
        Index("observation_asked", "indicator", "level", "period", "import_id"),
        Index("observation_of_helps", "import_id", "indicator", postgresql_where=text(TELLS_OF_HELPS)),
    )

    import_id: Mapped[int] = mapped_column(ForeignKey("import_run.id"), primary_key=True)
    level: Mapped[str] = mapped_column(Text, primary_key=True)
    area_key: Mapped[str] = mapped_column(Text, primary_key=True)
    indicator: Mapped[str] = mapped_column(Text, primary_key=True)
    position: Mapped[str] = mapped_column(Text, primary_key=True, server_default=text("''"))
    period: Mapped[str] = mapped_column(Text, primary_key=True)
    scenario: Mapped[str] = mapped_column(Text, primary_key=True, server_default=text("'ist'"))
    value: Mapped[float | None] = mapped_column(Double)
    flag: Mapped[str] = mapped_column(Text)
    starts: Mapped[date] = mapped_column(Date)
    ends: Mapped[date] = mapped_column(Date)


class ObservationSplit(Base):
    """Derived: a count of residents of a merged area, split over its members by residents. Sums are exact."""

    __tablename__ = "observation_split"

    import_id: Mapped[int] = mapped_column(primary_key=True)
    level: Mapped[str] = mapped_column(Text, primary_key=True)
    area_key: Mapped[str] = mapped_column(Text, primary_key=True)
    indicator: Mapped[str] = mapped_column(Text, primary_key=True)
    position: Mapped[str] = mapped_column(Text, primary_key=True)
    period: Mapped[str] = mapped_column(Text, primary_key=True)
    scenario: Mapped[str] = mapped_column(Text, primary_key=True)
    merged_key: Mapped[str] = mapped_column(Text)
    value: Mapped[float] = mapped_column(Double)


class Indicator(Base):
    """What an indicator means: unit, kind, and from which counts a share is rebuilt.

    ``numerator`` and ``denominator`` are ``indicator`` or ``indicator:position``; their quotient times ``factor``
    is the value. ``residents``: a count of residents, which may be spread by the population surface.
    """

    __tablename__ = "indicator"
    __table_args__ = (CheckConstraint(one_of("kind", INDICATOR_KINDS), name="indicator_kind_known"),)

    import_id: Mapped[int] = mapped_column(ForeignKey("import_run.id"), primary_key=True)
    code: Mapped[str] = mapped_column(Text, primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    unit: Mapped[str | None] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    numerator: Mapped[str | None] = mapped_column(Text)
    denominator: Mapped[str | None] = mapped_column(Text)
    factor: Mapped[float] = mapped_column(Double, server_default=text("1"))
    residents: Mapped[bool] = mapped_column(server_default=text("false"))
    description: Mapped[str | None] = mapped_column(Text)


class HelpType(Base):
    """A Hilfeart as the office counts it: code, title, paragraphs, variant, groups, and the unit counted."""

    __tablename__ = "help_type"

    import_id: Mapped[int] = mapped_column(ForeignKey("import_run.id"), primary_key=True)
    code: Mapped[str] = mapped_column(Text, primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    paragraphs: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    variant: Mapped[str | None] = mapped_column(Text)
    groups: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    unit: Mapped[str | None] = mapped_column(Text)


class HelpGroup(Base):
    """A group of Hilfearten, such as ``ambulant``; what it is composed of differs between offices."""

    __tablename__ = "help_group"

    import_id: Mapped[int] = mapped_column(ForeignKey("import_run.id"), primary_key=True)
    code: Mapped[str] = mapped_column(Text, primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    composition: Mapped[str | None] = mapped_column(Text)


class Standard(Base):
    """A Richtwert with its source, Beschluss and date: so much supply per 1,000, or a share reached, or an index.

    ``minutes`` and ``mode`` say within which way; NULL for supply, ``mode`` NULL: however people go.
    """

    __tablename__ = "standard"
    __table_args__ = (
        CheckConstraint("minutes BETWEEN 1 AND 120", name="standard_minutes_bounded"),
        CheckConstraint(one_of("mode", STANDARD_MODES), name="standard_mode_known"),
    )

    import_id: Mapped[int] = mapped_column(ForeignKey("import_run.id"), primary_key=True)
    code: Mapped[str] = mapped_column(Text, primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    category: Mapped[str] = mapped_column(Text)
    measure: Mapped[str] = mapped_column(Text)
    value: Mapped[float] = mapped_column(Double)
    unit: Mapped[str] = mapped_column(Text)
    age_from: Mapped[int | None] = mapped_column(Integer)
    age_to: Mapped[int | None] = mapped_column(Integer)
    source: Mapped[str] = mapped_column(Text)
    resolution: Mapped[str] = mapped_column(Text)
    resolved_on: Mapped[date] = mapped_column(Date)
    minutes: Mapped[int | None] = mapped_column(Integer)
    mode: Mapped[str | None] = mapped_column(Text)


class DatasetRank(Base):
    """Which of two datasets with the same figures is shown: the lower ``rank``."""

    __tablename__ = "dataset_rank"

    import_id: Mapped[int] = mapped_column(ForeignKey("import_run.id"), primary_key=True)
    dataset: Mapped[str] = mapped_column(Text, primary_key=True)
    rank: Mapped[int] = mapped_column(Integer)


class Placement(Base):
    """Cases of placement: counts only, no person. Empty text: provider's area or the home's state is not given."""

    __tablename__ = "placement"
    __table_args__ = (
        CheckConstraint(one_of("area_role", AREA_ROLES), name="placement_role_known"),
        CheckConstraint(one_of("counting", PLACEMENT_COUNTINGS), name="placement_counting_known"),
        CheckConstraint(one_of("provider_state", PROVIDER_STATES), name="placement_provider_state_known"),
        CheckConstraint(one_of("place_state", ("", *PROVIDER_STATES)), name="placement_place_state_known"),
        CheckConstraint("cases >= 0", name="placement_cases_counted"),
    )

    import_id: Mapped[int] = mapped_column(ForeignKey("import_run.id"), primary_key=True)
    level: Mapped[str] = mapped_column(Text, primary_key=True)
    period: Mapped[str] = mapped_column(Text, primary_key=True)
    paragraph: Mapped[str] = mapped_column(Text, primary_key=True)
    area_key: Mapped[str] = mapped_column(Text, primary_key=True)
    area_role: Mapped[str] = mapped_column(Text, primary_key=True)
    counting: Mapped[str] = mapped_column(Text, primary_key=True)
    provider_state: Mapped[str] = mapped_column(Text, primary_key=True)
    provider_area_level: Mapped[str] = mapped_column(Text, primary_key=True, server_default=text("''"))
    provider_area_key: Mapped[str] = mapped_column(Text, primary_key=True, server_default=text("''"))
    place_state: Mapped[str] = mapped_column(Text, primary_key=True, server_default=text("''"))
    cases: Mapped[int] = mapped_column(Integer)


class PlacementDelivery(Base):
    """For which areas of a level a delivery of placements speaks: inside, absent combinations are 0; outside, missing.

    ``scope_level`` NULL: for the areas of the level that occur in it.
    """

    __tablename__ = "placement_delivery"
    __table_args__ = (
        CheckConstraint("(scope_level IS NULL) = (scope_key IS NULL)", name="placement_delivery_scope_whole_or_null"),
    )

    import_id: Mapped[int] = mapped_column(ForeignKey("import_run.id"), primary_key=True)
    level: Mapped[str] = mapped_column(Text, primary_key=True)
    period: Mapped[str] = mapped_column(Text, primary_key=True)
    scope_level: Mapped[str | None] = mapped_column(Text)
    scope_key: Mapped[str | None] = mapped_column(Text)
