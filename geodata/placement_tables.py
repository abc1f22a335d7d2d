"""The tables of published placements: derived from the raw ones, with what disclosure control leaves out of them.

``placement`` (raw) is read by nobody who serves. What is here is rebuilt by ``geodata.placement_pattern`` and read
through the views ``placement_visible``, ``placement_sheet_visible``, ``placement_near_visible``,
``placement_local_visible`` and ``placement_rule_visible``.
"""

from datetime import date

from sqlalchemy import BigInteger, CheckConstraint, Date, Double, Integer, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from geodata.figure_tables import AREA_ROLES, PLACEMENT_COUNTINGS
from geodata.tables import STATES, Base, one_of

# Categories besides the provider's states: all of them outside the home state together, and all cases.
OUTSIDE = "außerhalb"
TOTAL = "gesamt"


class PlacementRuleRow(Base):
    """By what rules placements are published; one row. See ``geodata.placement_rule.PlacementRule``."""

    __tablename__ = "placement_rule"
    __table_args__ = (
        CheckConstraint("one_row", name="placement_rule_one_row"),
        CheckConstraint(one_of("home_state", STATES), name="placement_rule_home_state_known"),
        CheckConstraint("small >= 2", name="placement_rule_small_bounded"),
    )

    one_row: Mapped[bool] = mapped_column(primary_key=True, server_default=text("true"))
    home_state: Mapped[str] = mapped_column(Text, server_default=text("'Hamburg'"))
    home_level: Mapped[str] = mapped_column(Text, server_default=text("'bezirk'"))
    origin_levels: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{stadtteil,sozialraum}'"))
    small: Mapped[int] = mapped_column(Integer, server_default=text("3"))


class PlacementPattern(Base):
    """What was computed for one (period, paragraph, counting): by which rules, from what (``digest``), how well.

    ``published`` False: the period is no quarter or a dataset is not public, its placements stay with the office.
    ``loss`` is the weight of the ``suppressed`` of the ``cells``, no pattern that keeps the promise loses less than
    ``bound``; NULL where nothing was published.
    """

    __tablename__ = "placement_pattern"

    period: Mapped[str] = mapped_column(Text, primary_key=True)
    paragraph: Mapped[str] = mapped_column(Text, primary_key=True)
    counting: Mapped[str] = mapped_column(Text, primary_key=True)
    digest: Mapped[str] = mapped_column(Text)
    home_state: Mapped[str] = mapped_column(Text)
    home_level: Mapped[str] = mapped_column(Text)
    small: Mapped[int] = mapped_column(Integer)
    published: Mapped[bool] = mapped_column()
    cells: Mapped[int] = mapped_column(Integer)
    suppressed: Mapped[int] = mapped_column(Integer)
    loss: Mapped[float | None] = mapped_column(Double)
    bound: Mapped[float | None] = mapped_column(Double)


class PlacementSheet(Base):
    """A level that has placements by one role for one (period, paragraph, counting).

    ``summed``: nobody delivered it, it is the sum of the home level's areas. ``datasets``: whose figures they are.
    """

    __tablename__ = "placement_sheet"
    __table_args__ = (
        CheckConstraint(one_of("area_role", AREA_ROLES), name="placement_sheet_role_known"),
        CheckConstraint(one_of("counting", PLACEMENT_COUNTINGS), name="placement_sheet_counting_known"),
    )

    level: Mapped[str] = mapped_column(Text, primary_key=True)
    area_role: Mapped[str] = mapped_column(Text, primary_key=True)
    paragraph: Mapped[str] = mapped_column(Text, primary_key=True)
    counting: Mapped[str] = mapped_column(Text, primary_key=True)
    period: Mapped[str] = mapped_column(Text, primary_key=True)
    starts: Mapped[date] = mapped_column(Date)
    ends: Mapped[date] = mapped_column(Date)
    published: Mapped[bool] = mapped_column()
    summed: Mapped[bool] = mapped_column()
    datasets: Mapped[list[str]] = mapped_column(ARRAY(Text))


class PlacementCell(Base):
    """One count: an area's cases in a category, which is a provider's state, ``außerhalb`` or ``gesamt``.

    Every area of a sheet has a row ``gesamt``; another category without a row is 0. ``published``: for everyone,
    unless ``suppressed``; else only the own office reads it.
    """

    __tablename__ = "placement_cell"
    __table_args__ = (
        CheckConstraint("value >= 0", name="placement_cell_counted"),
        CheckConstraint("published OR NOT suppressed", name="placement_cell_suppressed_is_published"),
    )

    level: Mapped[str] = mapped_column(Text, primary_key=True)
    area_role: Mapped[str] = mapped_column(Text, primary_key=True)
    paragraph: Mapped[str] = mapped_column(Text, primary_key=True)
    counting: Mapped[str] = mapped_column(Text, primary_key=True)
    period: Mapped[str] = mapped_column(Text, primary_key=True)
    area_key: Mapped[str] = mapped_column(Text, primary_key=True)
    category: Mapped[str] = mapped_column(Text, primary_key=True)
    value: Mapped[int] = mapped_column(BigInteger)
    published: Mapped[bool] = mapped_column(server_default=text("false"))
    suppressed: Mapped[bool] = mapped_column(server_default=text("false"))


class PlacementNear(Base):
    """How near an area's young people (by origin) are placed; read by the own office only.

    ``placed``: cases with a provider's area that has borders, on which ``distance_km`` rests (mean, as the crow flies,
    between points in the two areas). ``own_area_share``: placed in the area itself, of the cases whose provider's
    state is known; NULL where of a case in the home state the provider's area is not known.
    """

    __tablename__ = "placement_near"

    level: Mapped[str] = mapped_column(Text, primary_key=True)
    paragraph: Mapped[str] = mapped_column(Text, primary_key=True)
    counting: Mapped[str] = mapped_column(Text, primary_key=True)
    period: Mapped[str] = mapped_column(Text, primary_key=True)
    area_key: Mapped[str] = mapped_column(Text, primary_key=True)
    placed: Mapped[int] = mapped_column(BigInteger)
    distance_km: Mapped[float | None] = mapped_column(Double)
    own_area_share: Mapped[float | None] = mapped_column(Double)


class PlacementLocal(Base):
    """How many of an area's cases are with providers in the area itself; read by the own office only.

    Only of areas for which provider's areas are given. ``known``: cases whose provider's state is known; ``local`` of
    them are with a provider in the area; NULL where of a case in the home state the provider's area is not known.
    """

    __tablename__ = "placement_local"
    __table_args__ = (
        CheckConstraint(one_of("area_role", AREA_ROLES), name="placement_local_role_known"),
        CheckConstraint("local >= 0 AND local <= known", name="placement_local_part_of_known"),
    )

    level: Mapped[str] = mapped_column(Text, primary_key=True)
    area_role: Mapped[str] = mapped_column(Text, primary_key=True)
    paragraph: Mapped[str] = mapped_column(Text, primary_key=True)
    counting: Mapped[str] = mapped_column(Text, primary_key=True)
    period: Mapped[str] = mapped_column(Text, primary_key=True)
    area_key: Mapped[str] = mapped_column(Text, primary_key=True)
    known: Mapped[int] = mapped_column(BigInteger)
    local: Mapped[int | None] = mapped_column(BigInteger)
