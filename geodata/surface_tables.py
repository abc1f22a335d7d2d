"""The tables of people and ways: the census grid, the population surface, crosswalks, networks, addresses.

All geometry is EPSG:25832 (metres). What is derived carries no foreign keys: one function writes it whole.
"""

from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import BigInteger, Boolean, CheckConstraint, Double, ForeignKey, Index, Integer, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from geodata.tables import SRID, Base, one_of

MODES = ("walk", "bike")


def _point() -> Geometry:
    return Geometry("POINT", srid=SRID, spatial_index=False)


class PopulationCell(Base):
    """A cell of the 100 m census grid: its midpoint and residents as published; NULL: not stated.

    Columns by age, lower bound inclusive, upper exclusive. Parts do not add to the total (perturbed by the publisher).
    """

    __tablename__ = "population_cell"
    __table_args__ = (
        CheckConstraint(
            "total >= 0 AND under_18 >= 0 AND from_18_to_30 >= 0 AND from_30_to_50 >= 0 AND from_50_to_65 >= 0 "
            "AND from_65 >= 0",
            name="population_cell_counted",
        ),
    )

    import_id: Mapped[int] = mapped_column(ForeignKey("import_run.id"), primary_key=True)
    cell_id: Mapped[str] = mapped_column(Text, primary_key=True)
    total: Mapped[int | None] = mapped_column(Integer)
    under_18: Mapped[int | None] = mapped_column(Integer)
    from_18_to_30: Mapped[int | None] = mapped_column(Integer)
    from_30_to_50: Mapped[int | None] = mapped_column(Integer)
    from_50_to_65: Mapped[int | None] = mapped_column(Integer)
    from_65: Mapped[int | None] = mapped_column(Integer)
    geom: Mapped[Any] = mapped_column(_point(), nullable=False)


class Surface(Base):
    """Derived, one row: what the population surface was made from.

    ``basis``: ``grid`` (census cells) or ``area`` (spread evenly over the areas). ``level``, ``period`` and
    ``dataset`` name the official totals it keeps; NULL: uncalibrated grid. ``notes``: sentences for footnotes.
    """

    __tablename__ = "surface"
    __table_args__ = (
        CheckConstraint("one_row", name="surface_one_row"),
        CheckConstraint(one_of("basis", ("grid", "area")), name="surface_basis_known"),
    )

    one_row: Mapped[bool] = mapped_column(Boolean, primary_key=True, server_default=text("true"))
    basis: Mapped[str] = mapped_column(Text)
    level: Mapped[str | None] = mapped_column(Text)
    period: Mapped[str | None] = mapped_column(Text)
    dataset: Mapped[str | None] = mapped_column(Text)
    notes: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))


class SurfaceBand(Base):
    """Derived: the age bands of the surface in order; ``number`` (from 1) indexes ``surface_cell.people``."""

    __tablename__ = "surface_band"

    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    age_from: Mapped[int] = mapped_column(Integer)
    age_to: Mapped[int | None] = mapped_column(Integer)


class SurfaceCell(Base):
    """Derived: a point of the population surface with its residents per age band (fractions of people occur)."""

    __tablename__ = "surface_cell"
    __table_args__ = (Index("surface_cell_geom_gist", "geom", postgresql_using="gist"),)

    cell: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    geom: Mapped[Any] = mapped_column(_point(), nullable=False)
    people: Mapped[list[float]] = mapped_column(ARRAY(Double))
    calibrated: Mapped[bool] = mapped_column(Boolean)


class SurfaceArea(Base):
    """Derived: the area of each level in which a cell lies (on a border: the lowest key)."""

    __tablename__ = "surface_area"
    __table_args__ = (Index("surface_area_area", "level", "area_key"),)

    cell: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    level: Mapped[str] = mapped_column(Text, primary_key=True)
    area_key: Mapped[str] = mapped_column(Text)


class Crosswalk(Base):
    """Derived: the share of a source area's residents that lie in a target area, over all ages and per band.

    ``band_weights`` follow ``surface_band``; NULL in it: the source has no residents of that band. ``weight`` NULL:
    the source has no residents at all.
    """

    __tablename__ = "crosswalk"
    __table_args__ = (Index("crosswalk_target", "target_level", "target_key"),)

    source_level: Mapped[str] = mapped_column(Text, primary_key=True)
    source_key: Mapped[str] = mapped_column(Text, primary_key=True)
    target_level: Mapped[str] = mapped_column(Text, primary_key=True)
    target_key: Mapped[str] = mapped_column(Text, primary_key=True)
    weight: Mapped[float | None] = mapped_column(Double)
    band_weights: Mapped[list[float | None]] = mapped_column(ARRAY(Double))


class NetworkNode(Base):
    """A node of the walking and cycling network; ``component`` 0 is the largest connected part (walking)."""

    __tablename__ = "network_node"
    __table_args__ = (Index("network_node_geom_gist", "geom", postgresql_using="gist"),)

    import_id: Mapped[int] = mapped_column(ForeignKey("import_run.id"), primary_key=True)
    node: Mapped[int] = mapped_column(Integer, primary_key=True)
    osm_id: Mapped[int | None] = mapped_column(BigInteger)
    component: Mapped[int] = mapped_column(Integer)
    geom: Mapped[Any] = mapped_column(_point(), nullable=False)


class NetworkEdge(Base):
    """A stretch between two nodes, in metres; walked both ways, cycled as the two flags say."""

    __tablename__ = "network_edge"
    __table_args__ = (CheckConstraint("length_m >= 0 AND length_m < 'Infinity'", name="network_edge_length_finite"),)

    import_id: Mapped[int] = mapped_column(ForeignKey("import_run.id"), primary_key=True)
    edge: Mapped[int] = mapped_column(Integer, primary_key=True)
    u: Mapped[int] = mapped_column(Integer)
    v: Mapped[int] = mapped_column(Integer)
    length_m: Mapped[float] = mapped_column(Double)
    walk: Mapped[bool] = mapped_column(Boolean)
    bike_forward: Mapped[bool] = mapped_column(Boolean)
    bike_backward: Mapped[bool] = mapped_column(Boolean)


class FacilitySnap(Base):
    """Derived: the network node nearest to a place, per mode, and how far it is."""

    __tablename__ = "facility_snap"

    import_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    facility_id: Mapped[str] = mapped_column(Text, primary_key=True)
    mode: Mapped[str] = mapped_column(Text, primary_key=True)
    node: Mapped[int] = mapped_column(Integer)
    distance_m: Mapped[float] = mapped_column(Double)


class CellSnap(Base):
    """Derived: the network node nearest to a cell of the surface, per mode, and how far it is."""

    __tablename__ = "cell_snap"

    cell: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    mode: Mapped[str] = mapped_column(Text, primary_key=True)
    node: Mapped[int] = mapped_column(Integer)
    distance_m: Mapped[float] = mapped_column(Double)


class Address(Base):
    """An address with its point: the local geocoder. ``street_plain`` and ``number_plain`` are what is compared."""

    __tablename__ = "address"
    __table_args__ = (
        Index("address_exact", "import_id", "street_plain", "number_plain"),
        Index(
            "address_street_trgm",
            "street_plain",
            postgresql_using="gin",
            postgresql_ops={"street_plain": "gin_trgm_ops"},
        ),
    )

    import_id: Mapped[int] = mapped_column(ForeignKey("import_run.id"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    street: Mapped[str] = mapped_column(Text)
    house_number: Mapped[str] = mapped_column(Text)
    postcode: Mapped[str | None] = mapped_column(Text)
    city: Mapped[str | None] = mapped_column(Text)
    street_plain: Mapped[str] = mapped_column(Text)
    number_plain: Mapped[str] = mapped_column(Text)
    geom: Mapped[Any] = mapped_column(_point(), nullable=False)
