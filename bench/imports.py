"""How long imports take, as whole processes, start-up included."""

import shutil
import time

import orjson
import shapely

from bench.ground import CLI, HAMBURG, Bench, facilities_csv, fresh, line, median, polygons, timed

POLYGONS = 100_000
# Number of rows, and what is asked of it: wall seconds and peak memory in MiB.
FACILITIES = {100_000: "Ziel 15 s, 500 MiB", 200_000: "Ziel 30 s, 600 MiB", 1_000_000: "linear, kein Speicher mehr"}
# A box wholly inside the demo's one generated Bezirk.
_BOX = (9.7, 53.4, 10.2, 53.7)


def run() -> None:
    """Measure and print."""
    real_areas()
    many_polygons()
    many_facilities()


def _import_areas(file: str, level: str, mapping: str) -> list[str]:
    source = str(HAMBURG / "grenzen" / file)
    # Another title each time: the same content again would make no new version.
    titled = ["--title", f"Lauf {time.monotonic_ns()}"]
    return [CLI, "import", "areas", source, "--level", level, "--mapping", f"hamburg/{mapping}.toml", *titled]


def real_areas() -> None:
    """Hamburg's 104 Stadtteile and 181 Ortsteile, each by its own command."""
    if not HAMBURG.exists():
        line("104 + 181 Gebiete", "shared/data fehlt")
        return
    with fresh() as bench:
        environment = bench.environment()
        timed(_import_areas("bezirke.geojson", "bezirk", "bezirke"), env=environment)
        stadtteile = median(
            5, lambda: timed(_import_areas("stadtteile.geojson", "stadtteil", "stadtteile"), env=environment)
        )
        ortsteile = median(
            5, lambda: timed(_import_areas("ortsteile.geojson", "ortsteil", "ortsteile"), env=environment)
        )
        both = stadtteile.wall_s + ortsteile.wall_s
        line("Import 104 Stadtteile", f"{stadtteile.wall_s:.2f} s {stadtteile.peak_mib:.0f} MiB")
        line("Import 181 Ortsteile", f"{ortsteile.wall_s:.2f} s {ortsteile.peak_mib:.0f} MiB")
        line("Import 104 + 181, zwei Aufrufe", f"{both:.2f} s", "Ziel 2 s")
        if shutil.which("ogr2ogr"):
            peer = median(5, lambda: timed(_ogr2ogr(bench, str(HAMBURG / "grenzen" / "stadtteile.geojson"))))
            line(
                "  ogr2ogr 104 Stadtteile, ungeprüft",
                f"{peer.wall_s:.2f} s",
                f"Verhältnis {stadtteile.wall_s / peer.wall_s:.1f}",
            )


def _ogr2ogr(bench: Bench, source: str) -> list[str]:
    return ["ogr2ogr", "-f", "PostgreSQL", bench.ogr_target(), source, "-nln", "peer", "-overwrite", "-t_srs",
            "EPSG:25832", "-nlt", "PROMOTE_TO_MULTI", "--config", "PG_USE_COPY", "YES"]  # fmt: skip


def many_polygons() -> None:
    """100,000 adjoining polygons of 25 vertices with all checks."""
    with fresh() as bench:
        source = bench.folder / "zellen.gpkg"
        polygons(source, POLYGONS)
        command = [CLI, "import", "areas", str(source), "--level", "zelle"]
        ours = timed(command, env=bench.environment())
        line("Import 100 000 Flächen", f"{ours.wall_s:.1f} s {ours.peak_mib:.0f} MiB", "Ziel 12 s, 700 MiB")
        if shutil.which("ogr2ogr"):
            peer = timed(_ogr2ogr(bench, str(source)))
            line("  ogr2ogr, ungeprüft", f"{peer.wall_s:.2f} s", f"Verhältnis {ours.wall_s / peer.wall_s:.1f}")


def home_area(bench: Bench) -> None:
    """Load one Bezirk and a grid of 10 × 10 Stadtteile around the generated facilities."""
    west, south, east, north = _BOX

    def collection(cells: list[tuple[str, str | None, object]]) -> bytes:
        features = [
            {
                "type": "Feature",
                "properties": {"key": key, "name": f"Gebiet {key}", "parent_key": parent},
                "geometry": orjson.Fragment(shapely.to_geojson(box)),
            }
            for key, parent, box in cells
        ]
        return orjson.dumps({"type": "FeatureCollection", "features": features})

    whole = shapely.box(west - 0.01, south - 0.01, east + 0.01, north + 0.01)
    (bench.folder / "bezirk.geojson").write_bytes(collection([("1", None, whole)]))
    dx, dy = (east - west) / 10, (north - south) / 10
    cells = [
        (f"{i:02d}{j:02d}", "1", shapely.box(west + i * dx, south + j * dy, west + (i + 1) * dx, south + (j + 1) * dy))
        for i in range(10)
        for j in range(10)
    ]
    (bench.folder / "stadtteil.geojson").write_bytes(collection(list(cells)))
    for level, extra in (("bezirk", []), ("stadtteil", ["--parent-level", "bezirk"])):
        source = str(bench.folder / f"{level}.geojson")
        timed([CLI, "import", "areas", source, "--level", level, *extra], env=bench.environment())


def load_facilities(bench: Bench, count: int) -> tuple[float, float]:
    """Load that many generated facilities; return wall seconds and peak MiB of the import."""
    source = bench.folder / "einrichtungen.csv"
    facilities_csv(source, count, _BOX)
    ours = timed([CLI, "import", "facilities", str(source), "--category", "okja"], env=bench.environment())
    return ours.wall_s, ours.peak_mib


def many_facilities() -> None:
    """Load generated facilities from CSV, more and more of them: time grows with the rows, memory does not."""
    for count, target in FACILITIES.items():
        with fresh() as bench:
            home_area(bench)
            wall_s, peak_mib = load_facilities(bench, count)
            name = f"Import {count:,} Einrichtungen (CSV)".replace(",", " ")
            line(name, f"{wall_s:.1f} s {peak_mib:.0f} MiB", target)
