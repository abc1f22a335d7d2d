"""Geodata files through GDAL: GeoPackage and Shapefile (also zipped)."""

import shutil
import tempfile
import warnings
import weakref
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pyogrio
import pyogrio.raw
import shapely
from numpy.typing import NDArray

from importers.errors import SourceError
from importers.sources.base import (
    CHUNK_ROWS,
    MAX_UNPACKED_BYTES,
    Chunk,
    Provenance,
    checksum,
)
from importers.sources.geopackage import require_tables_only

_SHAPE_PARTS = {".shp", ".shx", ".dbf", ".prj", ".cpg"}
# GDAL chooses its driver by what is inside, and some fetch what a file names: other files of this machine, addresses
# in the network. So the beginning of a file is looked at before GDAL is, and the driver it chose afterwards.
_BEGINNINGS = {".gpkg": b"SQLite format 3\0", ".shp": (9994).to_bytes(4, "big")}
_DRIVERS = {".gpkg": "GPKG", ".shp": "ESRI Shapefile"}


class VectorSource:
    """One layer of a geodata file. Row numbers are the features' positions, from 1. Heights are dropped, noted."""

    def __init__(
        self, file: Path, *, name: str, digest: str, layer: str | None, private_folder: Path | None = None
    ) -> None:
        if private_folder is not None:
            weakref.finalize(self, shutil.rmtree, private_folder, ignore_errors=True)
        self._file = file
        self._name = name
        self.notes: list[str] = []
        self.bad_rows: dict[int, str] = {}
        suffix = file.suffix.lower()
        self._require(_begins_with(file, _BEGINNINGS[suffix]))
        if suffix == ".gpkg":
            require_tables_only(file, name)
        self._layer = self._choose_layer(layer)
        info = self._guarded(lambda: pyogrio.read_info(file, layer=self._layer))
        self._require(info["driver"] == _DRIVERS[suffix])
        self._features = int(info["features"])
        self.columns = tuple(str(name) for name in info["fields"])
        kinds = zip(self.columns, info["dtypes"], strict=True)
        self._booleans = {name for name, kind in kinds if kind == "bool"}
        if info["geometry_type"] is None:
            self.notes.append("Die Ebene hat keine Geometrie.")
        elif str(info["geometry_type"]).endswith(("Z", "M")) or "2.5D" in str(info["geometry_type"]):
            self.notes.append("Höhenangaben (3D) wurden weggelassen.")
        encoding = info.get("encoding") if suffix == ".shp" else None
        self.provenance = Provenance(name, digest, str(info["driver"]), encoding=encoding, crs=info["crs"])

    def _require(self, fits: bool) -> None:
        if not fits:
            raise SourceError(f"„{self._name}“ ist beschädigt oder keine lesbare Geodatei.")

    def _choose_layer(self, wanted: str | None) -> str:
        layers = [str(row[0]) for row in self._guarded(lambda: pyogrio.list_layers(self._file))]
        if not layers:
            raise SourceError(f"„{self._name}“ enthält keine Ebene.")
        if wanted is None:
            if len(layers) > 1:
                raise SourceError(
                    f"„{self._name}“ hat mehrere Ebenen; bitte eine mit --layer wählen: {', '.join(layers)}."
                )
            return layers[0]
        if wanted not in layers:
            raise SourceError(f"„{self._name}“ hat keine Ebene „{wanted}“. Vorhanden: {', '.join(layers)}.")
        return wanted

    def _guarded(self, read: Any) -> Any:  # noqa: ANN401 - passes through what the reader returns
        try:
            # Recorded, not raised: GDAL warns from a callback that cannot raise.
            with warnings.catch_warnings(record=True) as said:
                warnings.simplefilter("always")
                result = read()
        except SourceError:
            raise
        except Exception as error:  # GDAL's drivers raise many kinds for broken bytes
            raise SourceError(f"„{self._name}“ ist beschädigt oder keine lesbare Geodatei.") from error
        # GDAL reports a damaged file as a warning and goes on with half of it: that is refused.
        self._require(
            not any(issubclass(w.category, RuntimeWarning) and "Measured" not in str(w.message) for w in said)
        )
        return result

    def chunks(self) -> Iterator[Chunk]:
        """Yield the features in order, piecewise."""
        for start in range(0, max(self._features, 1), CHUNK_ROWS):
            window = {"skip_features": start, "max_features": CHUNK_ROWS} if self._features > CHUNK_ROWS else {}
            meta, _fids, wkb, fields = self._guarded(
                lambda window=window: pyogrio.raw.read(
                    self._file, layer=self._layer, force_2d=True, datetime_as_string=True, **window
                )
            )
            count = len(fields[0]) if fields else (0 if wkb is None else len(wkb))
            named = zip((str(name) for name in meta["fields"]), fields, strict=True)
            columns = {name: _plain(data, boolean=name in self._booleans) for name, data in named}
            geometry = None if wkb is None else self._guarded(lambda wkb=wkb: shapely.from_wkb(wkb))
            yield Chunk(np.arange(start + 1, start + count + 1), columns, geometry)


def open_vector(path: Path, *, layer: str | None, folder: Path | None = None) -> VectorSource:
    """Open a geodata file, unpacking a zipped shapefile into a private folder first, made in ``folder``."""
    digest = checksum(path)
    if path.suffix.lower() == ".zip":
        private = Path(tempfile.mkdtemp(prefix="srk-", dir=folder))
        try:
            inner, layer = _unpack_shapefile(path, private, layer)
            _require_whole_shapefile(inner, path.name)
            return VectorSource(inner, name=path.name, digest=digest, layer=layer, private_folder=private)
        except BaseException:
            shutil.rmtree(private, ignore_errors=True)
            raise
    if path.suffix.lower() == ".shp":
        for part in (".shx", ".dbf"):
            if not path.with_suffix(part).exists() and not path.with_suffix(part.upper()).exists():
                raise SourceError(f"Zu „{path.name}“ fehlt die Datei „{path.stem}{part}“.")
        _require_whole_shapefile(path, path.name)
    return VectorSource(path, name=path.name, digest=digest, layer=layer)


def _begins_with(file: Path, beginning: bytes) -> bool:
    with file.open("rb") as handle:
        return handle.read(len(beginning)) == beginning


def _require_whole_shapefile(path: Path, name: str) -> None:
    # GDAL gives a row without geometry or without attributes where a part ends too early: refused like half a city.
    heads: dict[str, tuple[bytes, int]] = {}
    for part in (".shp", ".shx", ".dbf"):
        file = path.with_suffix(part) if path.with_suffix(part).exists() else path.with_suffix(part.upper())
        with file.open("rb") as handle:
            heads[part] = handle.read(32), file.stat().st_size
    records, width = (int.from_bytes(heads[".dbf"][0][a:b], "little") for a, b in ((4, 8), (10, 12)))
    header = int.from_bytes(heads[".dbf"][0][8:10], "little")
    declared = {part: 2 * int.from_bytes(heads[part][0][24:28], "big") for part in (".shp", ".shx")}
    whole = all(size >= max(declared[part], 100) for part, (_head, size) in heads.items() if part in declared)
    whole = whole and heads[".dbf"][1] >= max(header + records * width, 32)
    if not whole or declared[".shx"] != 100 + 8 * records:
        raise SourceError(
            f"„{name}“ ist beschädigt oder keine lesbare Geodatei; vielleicht wurde ein Teil abgeschnitten."
        )


def _unpack_shapefile(path: Path, folder: Path, wanted: str | None) -> tuple[Path, str]:
    """Unpack one shapefile's parts under plain names; nothing else leaves the archive."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = [info for info in archive.infolist() if not info.is_dir()]
            for info in members:
                parts = PurePosixPath(info.filename.replace("\\", "/")).parts
                if ".." in parts or info.filename.startswith(("/", "\\")) or (parts and ":" in parts[0]):
                    raise SourceError(
                        f"„{path.name}“ enthält den Pfad „{info.filename}“, der aus dem Archiv hinausführt."
                    )
            if sum(info.file_size for info in members) > MAX_UNPACKED_BYTES:
                raise SourceError(f"„{path.name}“ ist entpackt größer als {MAX_UNPACKED_BYTES // 1024**3} GiB.")
            shapes = {PurePosixPath(i.filename).stem: i for i in members if i.filename.lower().endswith(".shp")}
            if not shapes:
                raise SourceError(f"„{path.name}“ enthält kein Shapefile (.shp).")
            if wanted is None and len(shapes) > 1:
                raise SourceError(
                    f"„{path.name}“ enthält mehrere Shapefiles; bitte eines mit --layer wählen: {', '.join(shapes)}."
                )
            stem = wanted or next(iter(shapes))
            if stem not in shapes:
                raise SourceError(f"„{path.name}“ enthält kein Shapefile „{stem}“. Vorhanden: {', '.join(shapes)}.")
            base = shapes[stem].filename[:-4]
            for info in members:
                suffix = PurePosixPath(info.filename).suffix.lower()
                if info.filename[: -len(suffix) or None] == base and suffix in _SHAPE_PARTS:
                    (folder / f"ebene{suffix}").write_bytes(archive.read(info))
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError, EOFError, zlib.error) as error:
        if isinstance(error, SourceError):
            raise
        raise SourceError(f"„{path.name}“ ist kein lesbares ZIP-Archiv.") from error
    for part in (".shx", ".dbf"):
        if not (folder / f"ebene{part}").exists():
            raise SourceError(f"„{path.name}“: Zum Shapefile „{stem}“ fehlt die Datei „{stem}{part}“.")
    return folder / "ebene.shp", "ebene"


def _plain(data: NDArray[Any], *, boolean: bool) -> NDArray[Any]:
    """Return a field as objects: what GDAL made a float to hold missing ones is a whole number or yes and no again."""
    if boolean:
        values: list[Any] = [None if np.isnan(v) else bool(v) for v in data.astype(float)]
    elif data.dtype.kind == "f":
        whole = bool(np.all(np.isnan(data) | (data == np.floor(data))))
        values = [None if np.isnan(v) else (int(v) if whole else float(v)) for v in data]
    elif data.dtype.kind in "iub":
        values = data.tolist()
    else:
        values = [None if v is None or (isinstance(v, float) and np.isnan(v)) else str(v) for v in data]
    out = np.empty(len(values), dtype=object)
    out[:] = values
    return out
