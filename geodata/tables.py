"""The tables, as SQLAlchemy knows them. Migrations make them; a test holds the two against each other.

Version-ready: rows carry the import that wrote them, ``dataset.current_import_id`` names the visible one.
Areas are referred to by (level, key) through ``area_registry``, to which imports only add.
All geometry is EPSG:25832 (metres).
"""

import enum
from datetime import date, datetime
from typing import Any
from uuid import UUID

from geoalchemy2 import Geometry
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    Date,
    DateTime,
    Double,
    Enum,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    SmallInteger,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from geodata.categories import TITLES

SRID = 25832

CATEGORIES = tuple(TITLES)
KINDS = ("areas", "facilities", "statistics", "placements", "population", "network", "addresses", "catalogue")
SUPPLY_UNITS = ("places", "hours_per_week")
USE_UNITS = ("regular_users_per_week",)
SERVICE_AREAS = ("local", "citywide")
BARRIER_FREE = ("yes", "partly", "no")
STATES = (
    "Baden-Württemberg", "Bayern", "Berlin", "Brandenburg", "Bremen", "Hamburg", "Hessen", "Mecklenburg-Vorpommern",
    "Niedersachsen", "Nordrhein-Westfalen", "Rheinland-Pfalz", "Saarland", "Sachsen", "Sachsen-Anhalt",
    "Schleswig-Holstein", "Thüringen",
)  # fmt: skip


class ReleaseLevel(enum.Enum):
    """How far an offer may be shown, from widest to narrowest; the database compares them in this order."""

    public = "public"
    area_only = "area_only"
    internal = "internal"
    protected = "protected"


RELEASE_LEVEL = Enum(ReleaseLevel, name="release_level")


def one_of(column: str, values: tuple[str, ...]) -> str:
    """Return the SQL condition that ``column`` is NULL or one of ``values``."""
    listed = ", ".join(f"'{value}'" for value in values)
    return f"{column} IS NULL OR {column} IN ({listed})"


class Base(DeclarativeBase):
    """Base of all tables."""


class InstanceState(Base):
    """One row: the instance's id, the data version and the visibility version.

    ``identity_secret`` goes into derived ids, which would else give away the address they are made from.
    """

    __tablename__ = "instance_state"
    __table_args__ = (CheckConstraint("one_row", name="instance_state_one_row"),)

    one_row: Mapped[bool] = mapped_column(primary_key=True, server_default=text("true"))
    instance_id: Mapped[UUID] = mapped_column(server_default=func.gen_random_uuid())
    data_version: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    visibility_version: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    notice: Mapped[str | None] = mapped_column(Text)
    identity_secret: Mapped[UUID] = mapped_column(server_default=func.gen_random_uuid())


class Dataset(Base):
    """A named stock of data; ``current_import_id`` is the visible version, NULL before the first import.

    ``refused_digest``: the content a rollback took back; an unattended renewal does not bring it again.
    """

    __tablename__ = "dataset"
    __table_args__ = (
        CheckConstraint(one_of("kind", KINDS), name="dataset_kind_known"),
        CheckConstraint("name ~ '^[a-z0-9_]+(\\.[a-z0-9_-]+)*$'", name="dataset_name_plain"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    name: Mapped[str] = mapped_column(Text, unique=True)
    kind: Mapped[str] = mapped_column(Text)
    current_import_id: Mapped[int | None] = mapped_column(
        ForeignKey("import_run.id", use_alter=True, name="dataset_current_import_id_fkey"), index=True
    )
    previous_import_id: Mapped[int | None] = mapped_column(
        ForeignKey("import_run.id", use_alter=True, name="dataset_previous_import_id_fkey")
    )
    refused_digest: Mapped[str | None] = mapped_column(Text)


class ImportRun(Base):
    """One committed import: where it came from and what it counted. ``report`` holds the whole report.

    ``content_digest`` is equal for equal rows and footnotes. ``counting``, ``unit``, ``scope`` (what is left out, in
    words) and ``population_period`` say how figures count. ``release``: whether figures may be shown to everyone.
    """

    __tablename__ = "import_run"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    dataset_id: Mapped[int] = mapped_column(ForeignKey("dataset.id"), index=True)
    imported_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    source: Mapped[str] = mapped_column(Text)
    checksum: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)
    licence: Mapped[str | None] = mapped_column(Text)
    attribution: Mapped[str | None] = mapped_column(Text)
    as_of: Mapped[date | None] = mapped_column(Date)
    rows_read: Mapped[int] = mapped_column(Integer)
    rows_loaded: Mapped[int] = mapped_column(Integer)
    rows_rejected: Mapped[int] = mapped_column(Integer)
    report: Mapped[dict[str, Any]] = mapped_column(JSONB)
    content_digest: Mapped[str | None] = mapped_column(Text)
    counting: Mapped[str | None] = mapped_column(Text)
    unit: Mapped[str | None] = mapped_column(Text)
    scope: Mapped[str | None] = mapped_column(Text)
    population_period: Mapped[str | None] = mapped_column(Text)
    release: Mapped[ReleaseLevel] = mapped_column(RELEASE_LEVEL, server_default=text("'public'"))


class SourceState(Base):
    """What the unattended renewal knows of a dataset's source: when it was last found well, when and why it failed.

    ``recipe`` is a digest of how it is read; with it, ``etag`` and ``last_modified`` tell that nothing is new.
    """

    __tablename__ = "source_state"

    dataset: Mapped[str] = mapped_column(Text, primary_key=True)
    recipe: Mapped[str | None] = mapped_column(Text)
    etag: Mapped[str | None] = mapped_column(Text)
    last_modified: Mapped[str | None] = mapped_column(Text)
    checked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    failed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    failure: Mapped[str | None] = mapped_column(Text)


class Level(Base):
    """A level of areas; levels are data. ``parent_level`` is the level that contains it, if it nests."""

    __tablename__ = "level"
    __table_args__ = (CheckConstraint("level ~ '^[a-z][a-z0-9_]*$'", name="level_plain"),)

    level: Mapped[str] = mapped_column(Text, primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    parent_level: Mapped[str | None] = mapped_column(ForeignKey("level.level"))


class AreaRegistry(Base):
    """Every (level, key) ever imported and the one dataset it belongs to. Imports only add."""

    __tablename__ = "area_registry"

    level: Mapped[str] = mapped_column(ForeignKey("level.level"), primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    dataset_id: Mapped[int] = mapped_column(ForeignKey("dataset.id"), index=True)


class Area(Base):
    """One area in one version. ``geom`` NULL: an area without map. ``attributes``: what else the source said.

    ``parent_derived``: the parent is not the source's word but the largest overlap.
    """

    __tablename__ = "area"
    __table_args__ = (
        ForeignKeyConstraint(["level", "key"], ["area_registry.level", "area_registry.key"]),
        ForeignKeyConstraint(["parent_level", "parent_key"], ["area_registry.level", "area_registry.key"]),
        CheckConstraint("geom IS NULL OR (ST_IsValid(geom) AND NOT ST_IsEmpty(geom))", name="area_geom_valid_or_null"),
        CheckConstraint("(parent_level IS NULL) = (parent_key IS NULL)", name="area_parent_whole_or_null"),
        CheckConstraint("key <> '' AND name <> ''", name="area_key_and_name_given"),
        Index("area_geom_gist", "geom", postgresql_using="gist"),
        Index("area_parent", "parent_level", "parent_key", postgresql_where=text("parent_key IS NOT NULL")),
    )

    import_id: Mapped[int] = mapped_column(ForeignKey("import_run.id"), primary_key=True)
    level: Mapped[str] = mapped_column(Text, primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    parent_level: Mapped[str | None] = mapped_column(Text)
    parent_key: Mapped[str | None] = mapped_column(Text)
    parent_derived: Mapped[bool] = mapped_column(server_default=text("false"))
    attributes: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    geom: Mapped[Any | None] = mapped_column(Geometry("MULTIPOLYGON", srid=SRID, spatial_index=False))


class Provider(Base):
    """A provider organisation (Träger). Authorisation uses ``key`` only; imports only add."""

    __tablename__ = "provider"

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)


class ProviderAlias(Base):
    """Spelling of a provider's name (normalised) to its key: how rows without a key find theirs."""

    __tablename__ = "provider_alias"

    alias: Mapped[str] = mapped_column(Text, primary_key=True)
    provider_key: Mapped[str] = mapped_column(ForeignKey("provider.key"), index=True)


class Place(Base):
    """A place (Einrichtung) in one version. ``geom`` NULL: no point known.

    ``location_quality`` (0 to 1): how well the address matched where the point comes from the geocoder; else NULL.
    ``spelt``: name and provider in the spelling in which they are searched; ``spelt_address``: so the address.
    """

    __tablename__ = "place"
    __table_args__ = (
        CheckConstraint(one_of("barrier_free", BARRIER_FREE), name="place_barrier_free_known"),
        CheckConstraint(one_of("state", STATES), name="place_state_known"),
        CheckConstraint("facility_id <> '' AND name <> ''", name="place_id_and_name_given"),
        CheckConstraint("geom IS NULL OR NOT ST_IsEmpty(geom)", name="place_geom_not_empty"),
        Index("place_geom_gist", "geom", postgresql_using="gist"),
    )

    import_id: Mapped[int] = mapped_column(ForeignKey("import_run.id"), primary_key=True)
    facility_id: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    provider: Mapped[str | None] = mapped_column(Text)
    provider_key: Mapped[str | None] = mapped_column(ForeignKey("provider.key"))
    street: Mapped[str | None] = mapped_column(Text)
    house_number: Mapped[str | None] = mapped_column(Text)
    postcode: Mapped[str | None] = mapped_column(Text)
    city: Mapped[str | None] = mapped_column(Text)
    state: Mapped[str | None] = mapped_column(Text)
    barrier_free: Mapped[str | None] = mapped_column(Text)
    phone: Mapped[str | None] = mapped_column(Text)
    email: Mapped[str | None] = mapped_column(Text)
    website: Mapped[str | None] = mapped_column(Text)
    location_quality: Mapped[float | None] = mapped_column(Double)
    geom: Mapped[Any | None] = mapped_column(Geometry("POINT", srid=SRID, spatial_index=False))
    spelt: Mapped[str | None] = mapped_column(
        Text, Computed("srk_spelt(name || ' ' || COALESCE(provider, ''))", persisted=True)
    )
    spelt_address: Mapped[str | None] = mapped_column(
        Text,
        Computed(
            "srk_spelt(COALESCE(street, '') || ' ' || COALESCE(house_number, '') || ' ' || "
            "COALESCE(postcode, '') || ' ' || COALESCE(city, ''))",
            persisted=True,
        ),
    )


class Offer(Base):
    """An offer (Angebot) of a place. Ages are ``age_from`` inclusive to ``age_to`` exclusive; NULL ``age_to``: open."""

    __tablename__ = "offer"
    __table_args__ = (
        ForeignKeyConstraint(["import_id", "facility_id"], ["place.import_id", "place.facility_id"]),
        CheckConstraint(one_of("category", CATEGORIES), name="offer_category_known"),
        CheckConstraint("age_from >= 0 AND (age_to IS NULL OR age_from < age_to)", name="offer_ages_ordered"),
        CheckConstraint("age_to IS NULL OR age_from IS NOT NULL", name="offer_ages_whole"),
        CheckConstraint(
            "supply >= 0 AND supply < 'Infinity' AND (supply IS NULL OR supply_unit IS NOT NULL)",
            name="offer_supply_has_unit",
        ),
        CheckConstraint(one_of("supply_unit", SUPPLY_UNITS), name="offer_supply_unit_known"),
        CheckConstraint(
            '"use" >= 0 AND "use" < \'Infinity\' AND ("use" IS NULL OR use_unit IS NOT NULL)', name="offer_use_has_unit"
        ),
        CheckConstraint(one_of("use_unit", USE_UNITS), name="offer_use_unit_known"),
        CheckConstraint(one_of("service_area", SERVICE_AREAS), name="offer_service_area_known"),
        CheckConstraint("valid_from <= valid_to", name="offer_validity_ordered"),
        CheckConstraint("offer_id <> ''", name="offer_id_given"),
        Index("offer_place", "import_id", "facility_id"),
    )

    import_id: Mapped[int] = mapped_column(primary_key=True)
    offer_id: Mapped[str] = mapped_column(Text, primary_key=True)
    facility_id: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    category: Mapped[str] = mapped_column(Text)
    type: Mapped[str | None] = mapped_column(Text)
    paragraphs: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    age_from: Mapped[int | None] = mapped_column(SmallInteger)
    age_to: Mapped[int | None] = mapped_column(SmallInteger)
    supply: Mapped[float | None] = mapped_column(Double)
    supply_unit: Mapped[str | None] = mapped_column(Text)
    use: Mapped[float | None] = mapped_column(Double)
    use_unit: Mapped[str | None] = mapped_column(Text)
    service_area: Mapped[str | None] = mapped_column(Text)
    opening_hours: Mapped[str | None] = mapped_column(Text)
    release: Mapped[ReleaseLevel] = mapped_column(RELEASE_LEVEL)
    valid_from: Mapped[date | None] = mapped_column(Date)
    valid_to: Mapped[date | None] = mapped_column(Date)
    as_of: Mapped[date | None] = mapped_column(Date)
    spelt: Mapped[str | None] = mapped_column(
        Text, Computed("srk_spelt(name || ' ' || COALESCE(type, ''))", persisted=True)
    )


class Release(Base):
    """A Träger's or the office's word on how far an offer may be shown; outlives imports, the narrower wins."""

    __tablename__ = "release"

    dataset_id: Mapped[int] = mapped_column(ForeignKey("dataset.id"), primary_key=True)
    offer_id: Mapped[str] = mapped_column(Text, primary_key=True)
    release: Mapped[ReleaseLevel] = mapped_column(RELEASE_LEVEL)
    note: Mapped[str | None] = mapped_column(Text)
    set_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class FacilityArea(Base):
    """Derived: the area of each level in which a place's point lies (on a border: the lowest key).

    Written by one function only, from both sides' rows; it carries no foreign keys, whose row-by-row checks
    would cost more than the derivation.
    """

    __tablename__ = "facility_area"
    __table_args__ = (Index("facility_area_area", "level", "area_key"),)

    import_id: Mapped[int] = mapped_column(primary_key=True)
    facility_id: Mapped[str] = mapped_column(Text, primary_key=True)
    level: Mapped[str] = mapped_column(Text, primary_key=True)
    area_key: Mapped[str] = mapped_column(Text)


class Audit(Base):
    """Who took along what the public may not see: role and request, never a person's name."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    viewer: Mapped[str] = mapped_column(Text)
    action: Mapped[str] = mapped_column(Text)
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
