"""Foundation: areas, facilities, their versions, and the views through which they are read.

The views are the only way of the serving group to anything that is not wholly public: they filter by
``srk.viewer_role``, which every transaction sets anew (unset or empty means the public). Plain views
instead of row-level security, because PostGIS functions are not leakproof and RLS keeps them off the index.
"""

import geoalchemy2
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


RELEASE_LEVEL = postgresql.ENUM("public", "area_only", "internal", "protected", name="release_level", create_type=False)

VIEWER = """
CREATE FUNCTION srk_viewer_role() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(nullif(current_setting('srk.viewer_role', true), ''), 'public');

CREATE FUNCTION srk_viewer_provider() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('srk.viewer_provider', true), '');

CREATE FUNCTION srk_viewer_areas() RETURNS text[] LANGUAGE sql STABLE PARALLEL SAFE
RETURN string_to_array(nullif(current_setting('srk.viewer_areas', true), ''), ',');

CREATE FUNCTION srk_release_level() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(nullif(current_setting('srk.release_level', true), ''), 'stadtteil');
"""

VIEWS = """
-- What readiness compares; the version table itself belongs to whoever ran the first migration.
CREATE VIEW schema_revision AS SELECT version_num FROM alembic_version;

CREATE VIEW dataset_visible AS
SELECT d.id AS dataset_id, d.name AS dataset, d.kind, i.id AS import_id, i.title, i.as_of, i.licence, i.attribution,
       i.imported_at,
       -- Loaded minus shown would be the number of hidden offers.
       CASE WHEN srk_viewer_role() IN ('planner', 'admin') THEN i.rows_loaded END AS rows_loaded,
       CASE WHEN srk_viewer_role() IN ('planner', 'admin') THEN i.rows_rejected END AS rows_rejected
FROM dataset d JOIN import_run i ON i.id = d.current_import_id;

CREATE VIEW area_visible AS
SELECT d.id AS dataset_id, a.import_id, a.level, a.key, a.name, a.parent_level, a.parent_key, a.attributes, a.geom
FROM dataset d JOIN area a ON a.import_id = d.current_import_id;

-- Each level with the levels that contain it, itself included.
CREATE VIEW level_closure AS
WITH RECURSIVE up(level, ancestor) AS (
    SELECT level, level FROM level
    UNION
    SELECT up.level, l.parent_level FROM up JOIN level l ON l.level = up.ancestor WHERE l.parent_level IS NOT NULL
)
SELECT level, ancestor FROM up;

-- Every offer with its release and "whole": this viewer may see it with all it has, whatever its release.
-- A planner sees unpublished offers inside the own office's areas, and those that lie in no area at all (homes
-- outside the city), unless they are protected. Granted to nobody: the views below are made from it.
CREATE VIEW offer_judged AS
SELECT d.id AS dataset_id, o.import_id, o.offer_id, o.facility_id, o.name, o.category, o.type, o.paragraphs,
       o.age_from, o.age_to, o.supply, o.supply_unit, o.use, o.use_unit, o.service_area, o.opening_hours,
       o.valid_from, o.valid_to, o.as_of, e.release, w.whole
FROM dataset d
JOIN offer o ON o.import_id = d.current_import_id
LEFT JOIN release r ON r.dataset_id = d.id AND r.offer_id = o.offer_id
CROSS JOIN LATERAL (SELECT GREATEST(o.release, r.release) AS release) e
CROSS JOIN LATERAL (SELECT coalesce(
    CASE srk_viewer_role()
        WHEN 'admin' THEN true
        WHEN 'planner' THEN
            cardinality(srk_viewer_areas()) > 0 AND e.release < 'protected' AND NOT EXISTS (
                SELECT FROM facility_area f WHERE f.import_id = o.import_id AND f.facility_id = o.facility_id)
            OR EXISTS (SELECT FROM facility_area f
                       WHERE f.import_id = o.import_id AND f.facility_id = o.facility_id
                         AND f.level || ':' || f.area_key = ANY (srk_viewer_areas()))
        WHEN 'provider' THEN
            (SELECT p.provider_key = srk_viewer_provider() FROM place p
             WHERE p.import_id = o.import_id AND p.facility_id = o.facility_id)
    END, false) AS whole) w;

CREATE VIEW offer_visible AS SELECT * FROM offer_judged o WHERE o.release <= 'area_only' OR o.whole;

-- "exact": this viewer may know where the place is. A single offer there that is not public hides the whole place's
-- point and address, whether it is listed or not: else a public offer next door would give the home away, and
-- narrowing an offer's release would show its point to whoever kept the earlier answer.
CREATE VIEW place_visible AS
SELECT d.id AS dataset_id, d.name AS dataset, p.import_id, p.facility_id, p.name, p.provider, p.provider_key,
       CASE WHEN v.exact THEN p.street END AS street, CASE WHEN v.exact THEN p.house_number END AS house_number,
       CASE WHEN v.exact THEN p.postcode END AS postcode, p.city, p.state, p.barrier_free,
       CASE WHEN v.exact THEN p.phone END AS phone, CASE WHEN v.exact THEN p.email END AS email,
       CASE WHEN v.exact THEN p.website END AS website, v.exact,
       CASE WHEN v.exact THEN p.geom END AS point,
       (SELECT f.area_key FROM facility_area f WHERE f.import_id = p.import_id AND f.facility_id = p.facility_id
           AND f.level = srk_release_level()) AS area_key
FROM dataset d
JOIN place p ON p.import_id = d.current_import_id
JOIN LATERAL (SELECT bool_and(o.whole OR o.release = 'public') AS exact,
                     bool_or(o.whole OR o.release <= 'area_only') AS seen
              FROM offer_judged o
              WHERE o.import_id = p.import_id AND o.facility_id = p.facility_id) v ON v.seen
-- What appears by area only has to lie in one; a home outside the city does not appear by its town.
WHERE v.exact OR EXISTS (SELECT FROM facility_area f WHERE f.import_id = p.import_id
                         AND f.facility_id = p.facility_id AND f.level = srk_release_level());

-- For searching by place. Kept apart so that the GiST index serves it: the CASE around "point" above would not.
CREATE VIEW place_point_visible AS
SELECT d.id AS dataset_id, p.import_id, p.facility_id, p.geom
FROM dataset d
JOIN place p ON p.import_id = d.current_import_id
JOIN LATERAL (SELECT bool_and(o.whole OR o.release = 'public') AS exact FROM offer_judged o
              WHERE o.import_id = p.import_id AND o.facility_id = p.facility_id) v ON v.exact
WHERE p.geom IS NOT NULL;

-- Where an exact place lies, at every level; a place without shown point only at the release level and above.
CREATE VIEW facility_area_visible AS
SELECT p.dataset_id, f.import_id, f.facility_id, f.level, f.area_key
FROM facility_area f
JOIN place_visible p ON p.import_id = f.import_id AND p.facility_id = f.facility_id
WHERE p.exact
   OR f.level IN (SELECT c.ancestor FROM level_closure c WHERE c.level = srk_release_level());
"""

VISIBLE = (
    "schema_revision",
    "dataset_visible",
    "area_visible",
    "level_closure",
    "offer_visible",
    "place_visible",
    "place_point_visible",
    "facility_area_visible",
)
WRITTEN = (
    "audit",
    "dataset",
    "instance_state",
    "level",
    "provider",
    "area_registry",
    "import_run",
    "provider_alias",
    "release",
    "area",
    "place",
    "facility_area",
    "offer",
)

# A release changes what is visible without an import: the visibility version rises with it.
VISIBILITY_TRIGGER = """
CREATE FUNCTION srk_raise_visibility_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE instance_state SET visibility_version = visibility_version + 1;
    RETURN NULL;
END $$;
CREATE TRIGGER release_changes_visibility AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON release
FOR EACH STATEMENT EXECUTE FUNCTION srk_raise_visibility_version();
"""


def upgrade() -> None:
    RELEASE_LEVEL.create(op.get_bind())
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("viewer", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "dataset",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("current_import_id", sa.Integer(), nullable=True),
        sa.Column("previous_import_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("kind IN ('areas', 'facilities')", name="dataset_kind_known"),
        sa.CheckConstraint("name ~ '^[a-z0-9_]+(\\.[a-z0-9_-]+)*$'", name="dataset_name_plain"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_index(op.f("ix_dataset_current_import_id"), "dataset", ["current_import_id"], unique=False)
    op.create_table(
        "instance_state",
        sa.Column("one_row", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("instance_id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("data_version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("visibility_version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("notice", sa.Text(), nullable=True),
        sa.Column("identity_secret", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.CheckConstraint("one_row", name="instance_state_one_row"),
        sa.PrimaryKeyConstraint("one_row"),
    )
    op.create_table(
        "level",
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("parent_level", sa.Text(), nullable=True),
        sa.CheckConstraint("level ~ '^[a-z][a-z0-9_]*$'", name="level_plain"),
        sa.ForeignKeyConstraint(
            ["parent_level"],
            ["level.level"],
        ),
        sa.PrimaryKeyConstraint("level"),
    )
    op.create_table(
        "provider",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_table(
        "area_registry",
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("dataset_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset_id"],
            ["dataset.id"],
        ),
        sa.ForeignKeyConstraint(
            ["level"],
            ["level.level"],
        ),
        sa.PrimaryKeyConstraint("level", "key"),
    )
    op.create_index(op.f("ix_area_registry_dataset_id"), "area_registry", ["dataset_id"], unique=False)
    op.create_table(
        "import_run",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("dataset_id", sa.Integer(), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("checksum", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("licence", sa.Text(), nullable=True),
        sa.Column("attribution", sa.Text(), nullable=True),
        sa.Column("as_of", sa.Date(), nullable=True),
        sa.Column("rows_read", sa.Integer(), nullable=False),
        sa.Column("rows_loaded", sa.Integer(), nullable=False),
        sa.Column("rows_rejected", sa.Integer(), nullable=False),
        sa.Column("report", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset_id"],
            ["dataset.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_import_run_dataset_id"), "import_run", ["dataset_id"], unique=False)
    for column in ("current_import_id", "previous_import_id"):
        op.create_foreign_key(f"dataset_{column}_fkey", "dataset", "import_run", [column], ["id"])
    op.create_table(
        "provider_alias",
        sa.Column("alias", sa.Text(), nullable=False),
        sa.Column("provider_key", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["provider_key"],
            ["provider.key"],
        ),
        sa.PrimaryKeyConstraint("alias"),
    )
    op.create_index(op.f("ix_provider_alias_provider_key"), "provider_alias", ["provider_key"], unique=False)
    op.create_table(
        "release",
        sa.Column("dataset_id", sa.Integer(), nullable=False),
        sa.Column("offer_id", sa.Text(), nullable=False),
        sa.Column("release", RELEASE_LEVEL, nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("set_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset_id"],
            ["dataset.id"],
        ),
        sa.PrimaryKeyConstraint("dataset_id", "offer_id"),
    )
    op.create_table(
        "area",
        sa.Column("import_id", sa.Integer(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("parent_level", sa.Text(), nullable=True),
        sa.Column("parent_key", sa.Text(), nullable=True),
        sa.Column("parent_derived", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "attributes", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column(
            "geom",
            geoalchemy2.types.Geometry(
                geometry_type="MULTIPOLYGON",
                srid=25832,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
            ),
            nullable=True,
        ),
        sa.CheckConstraint("key <> '' AND name <> ''", name="area_key_and_name_given"),
        sa.CheckConstraint("(parent_level IS NULL) = (parent_key IS NULL)", name="area_parent_whole_or_null"),
        sa.CheckConstraint(
            "geom IS NULL OR (ST_IsValid(geom) AND NOT ST_IsEmpty(geom))", name="area_geom_valid_or_null"
        ),
        sa.ForeignKeyConstraint(
            ["import_id"],
            ["import_run.id"],
        ),
        sa.ForeignKeyConstraint(
            ["level", "key"],
            ["area_registry.level", "area_registry.key"],
        ),
        sa.ForeignKeyConstraint(
            ["parent_level", "parent_key"],
            ["area_registry.level", "area_registry.key"],
        ),
        sa.PrimaryKeyConstraint("import_id", "level", "key"),
    )
    op.create_index("area_geom_gist", "area", ["geom"], unique=False, postgresql_using="gist")
    op.create_index(
        "area_parent",
        "area",
        ["parent_level", "parent_key"],
        unique=False,
        postgresql_where=sa.text("parent_key IS NOT NULL"),
    )
    op.create_table(
        "place",
        sa.Column("import_id", sa.Integer(), nullable=False),
        sa.Column("facility_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=True),
        sa.Column("provider_key", sa.Text(), nullable=True),
        sa.Column("street", sa.Text(), nullable=True),
        sa.Column("house_number", sa.Text(), nullable=True),
        sa.Column("postcode", sa.Text(), nullable=True),
        sa.Column("city", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=True),
        sa.Column("barrier_free", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("website", sa.Text(), nullable=True),
        sa.Column(
            "geom",
            geoalchemy2.types.Geometry(
                geometry_type="POINT",
                srid=25832,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
            ),
            nullable=True,
        ),
        sa.CheckConstraint(
            "barrier_free IS NULL OR barrier_free IN ('yes', 'partly', 'no')", name="place_barrier_free_known"
        ),
        sa.CheckConstraint("facility_id <> '' AND name <> ''", name="place_id_and_name_given"),
        sa.CheckConstraint(
            "state IS NULL OR state IN ('Baden-Württemberg', 'Bayern', 'Berlin', 'Brandenburg', 'Bremen', 'Hamburg', 'Hessen', 'Mecklenburg-Vorpommern', 'Niedersachsen', 'Nordrhein-Westfalen', 'Rheinland-Pfalz', 'Saarland', 'Sachsen', 'Sachsen-Anhalt', 'Schleswig-Holstein', 'Thüringen')",
            name="place_state_known",
        ),
        sa.CheckConstraint("geom IS NULL OR NOT ST_IsEmpty(geom)", name="place_geom_not_empty"),
        sa.ForeignKeyConstraint(
            ["import_id"],
            ["import_run.id"],
        ),
        sa.ForeignKeyConstraint(
            ["provider_key"],
            ["provider.key"],
        ),
        sa.PrimaryKeyConstraint("import_id", "facility_id"),
    )
    op.create_index("place_geom_gist", "place", ["geom"], unique=False, postgresql_using="gist")
    op.create_table(
        "facility_area",
        sa.Column("import_id", sa.Integer(), nullable=False),
        sa.Column("facility_id", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("area_key", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("import_id", "facility_id", "level"),
    )
    op.create_index("facility_area_area", "facility_area", ["level", "area_key"], unique=False)
    op.create_table(
        "offer",
        sa.Column("import_id", sa.Integer(), nullable=False),
        sa.Column("offer_id", sa.Text(), nullable=False),
        sa.Column("facility_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=True),
        sa.Column("paragraphs", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("age_from", sa.SmallInteger(), nullable=True),
        sa.Column("age_to", sa.SmallInteger(), nullable=True),
        sa.Column("supply", sa.Double(), nullable=True),
        sa.Column("supply_unit", sa.Text(), nullable=True),
        sa.Column("use", sa.Double(), nullable=True),
        sa.Column("use_unit", sa.Text(), nullable=True),
        sa.Column("service_area", sa.Text(), nullable=True),
        sa.Column("opening_hours", sa.Text(), nullable=True),
        sa.Column("release", RELEASE_LEVEL, nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("as_of", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "category IS NULL OR category IN ('okja', 'famfoe', 'sha', 'hze', 'jsa', 'asd', 'kita', 'schule', 'spielplatz', 'netzwerk', 'sonstige')",
            name="offer_category_known",
        ),
        sa.CheckConstraint("offer_id <> ''", name="offer_id_given"),
        sa.CheckConstraint(
            "service_area IS NULL OR service_area IN ('local', 'citywide')", name="offer_service_area_known"
        ),
        sa.CheckConstraint(
            "supply_unit IS NULL OR supply_unit IN ('places', 'hours_per_week')", name="offer_supply_unit_known"
        ),
        sa.CheckConstraint("use_unit IS NULL OR use_unit IN ('regular_users_per_week')", name="offer_use_unit_known"),
        sa.CheckConstraint(
            '"use" >= 0 AND "use" < \'Infinity\' AND ("use" IS NULL OR use_unit IS NOT NULL)', name="offer_use_has_unit"
        ),
        sa.CheckConstraint("age_from >= 0 AND (age_to IS NULL OR age_from < age_to)", name="offer_ages_ordered"),
        sa.CheckConstraint("age_to IS NULL OR age_from IS NOT NULL", name="offer_ages_whole"),
        sa.CheckConstraint(
            "supply >= 0 AND supply < 'Infinity' AND (supply IS NULL OR supply_unit IS NOT NULL)",
            name="offer_supply_has_unit",
        ),
        sa.CheckConstraint("valid_from <= valid_to", name="offer_validity_ordered"),
        sa.ForeignKeyConstraint(
            ["import_id", "facility_id"],
            ["place.import_id", "place.facility_id"],
        ),
        sa.PrimaryKeyConstraint("import_id", "offer_id"),
    )
    op.create_index("offer_place", "offer", ["import_id", "facility_id"], unique=False)
    op.execute("INSERT INTO instance_state DEFAULT VALUES")
    op.execute(VISIBILITY_TRIGGER)
    op.execute(VIEWER)
    op.execute(VIEWS)
    op.execute(f"GRANT SELECT ON level, {', '.join(VISIBLE)} TO srk_read")
    op.execute("GRANT SELECT (instance_id, data_version, visibility_version, notice) ON instance_state TO srk_read")
    op.execute("GRANT INSERT (viewer, action, detail) ON audit TO srk_read")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {', '.join(WRITTEN)} TO srk_write")
    op.execute(f"GRANT SELECT ON {', '.join(VISIBLE)} TO srk_write")


def downgrade() -> None:
    for view in (*reversed(VISIBLE), "offer_judged"):
        op.execute(f"DROP VIEW {view}")
    for function in ("srk_viewer_role", "srk_viewer_provider", "srk_viewer_areas", "srk_release_level"):
        op.execute(f"DROP FUNCTION {function}")
    op.execute("DROP TRIGGER release_changes_visibility ON release")
    op.execute("DROP FUNCTION srk_raise_visibility_version")
    for column in ("current_import_id", "previous_import_id"):
        op.drop_constraint(f"dataset_{column}_fkey", "dataset", type_="foreignkey")
    for table in reversed(WRITTEN):
        op.drop_table(table)
    RELEASE_LEVEL.drop(op.get_bind())
