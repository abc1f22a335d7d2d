"""The tables of published figures of helps: derived from ``observation``, with what disclosure control leaves out.

Figures that tell of helps are for everyone only where ``observation_published`` has them. It is rebuilt by
``geodata.figure_pattern`` and applied by the view ``observation_visible``; an import that was not derived from has
nothing in it, and then nothing is published.
"""

from sqlalchemy import CheckConstraint, Double, Index, Integer, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from geodata.tables import Base, one_of

REASONS = ("placements", "period", "counting", "level", "ties")


class ObservationPublished(Base):
    """An observation that everyone may see; ``suppressed``: that it is there, not its value."""

    __tablename__ = "observation_published"
    __table_args__ = (Index("observation_published_asked", "indicator", "level", "period", "import_id"),)

    import_id: Mapped[int] = mapped_column(primary_key=True)
    level: Mapped[str] = mapped_column(Text, primary_key=True)
    area_key: Mapped[str] = mapped_column(Text, primary_key=True)
    indicator: Mapped[str] = mapped_column(Text, primary_key=True)
    position: Mapped[str] = mapped_column(Text, primary_key=True)
    period: Mapped[str] = mapped_column(Text, primary_key=True)
    scenario: Mapped[str] = mapped_column(Text, primary_key=True)
    suppressed: Mapped[bool] = mapped_column()


class ObservationGuarded(Base):
    """An indicator of an import whose figures rest on counts of helps, besides those that always do."""

    __tablename__ = "observation_guarded"

    import_id: Mapped[int] = mapped_column(primary_key=True)
    indicator: Mapped[str] = mapped_column(Text, primary_key=True)


class FigurePattern(Base):
    """What was computed for the figures of one family, counting (empty: nobody says) and period, from what.

    ``loss`` is the weight of the ``suppressed`` of the ``cells``.
    """

    __tablename__ = "figure_pattern"

    family: Mapped[str] = mapped_column(Text, primary_key=True)
    counting: Mapped[str] = mapped_column(Text, primary_key=True)
    period: Mapped[str] = mapped_column(Text, primary_key=True)
    digest: Mapped[str] = mapped_column(Text)
    cells: Mapped[int] = mapped_column(Integer)
    suppressed: Mapped[int] = mapped_column(Integer)
    loss: Mapped[float] = mapped_column(Double)


class FigureWithheld(Base):
    """That figures of a family stay with the office at a level, counting and period, and why."""

    __tablename__ = "figure_withheld"
    __table_args__ = (CheckConstraint(one_of("reason", REASONS), name="figure_withheld_reason_known"),)

    family: Mapped[str] = mapped_column(Text, primary_key=True)
    counting: Mapped[str] = mapped_column(Text, primary_key=True)
    period: Mapped[str] = mapped_column(Text, primary_key=True)
    level: Mapped[str] = mapped_column(Text, primary_key=True)
    reason: Mapped[str] = mapped_column(Text, primary_key=True)


class FigureState(Base):
    """One row: what everything here was derived from, as a text that changes whenever that does."""

    __tablename__ = "figure_state"
    __table_args__ = (CheckConstraint("one_row", name="figure_state_one_row"),)

    one_row: Mapped[bool] = mapped_column(primary_key=True, server_default=text("true"))
    signature: Mapped[str] = mapped_column(Text)
