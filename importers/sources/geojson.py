"""GeoJSON, read whole or not at all.

Not through GDAL: that reads what it can of a truncated file, and a start-up of its Python side costs more than a
city's areas. The document is parsed strictly by orjson, geometry by GEOS.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import shapely

from importers.errors import SourceError
from importers.sources.base import MAX_GEOJSON_BYTES, Chunk, Provenance, objects

_DEFAULT_CRS = "OGC:CRS84"


class GeoJsonSource:
    """A FeatureCollection. Row numbers are the features' positions, from 1. Heights are dropped, noted.

    The CRS is that of the old ``crs`` member, else CRS84 (RFC 7946).
    """

    def __init__(self, path: Path) -> None:
        self._name = path.name
        self.notes: list[str] = []
        self.bad_rows: dict[int, str] = {}
        raw = self._read(path)
        document = self._parse(raw)
        features = self._features(document)
        self._properties: list[dict[str, Any]] = [feature.get("properties") or {} for feature in features]
        if not all(isinstance(properties, dict) for properties in self._properties):
            raise SourceError(f"„{self._name}“: „properties“ ist nicht überall ein Objekt.")
        self.columns = tuple(dict.fromkeys(name for properties in self._properties for name in properties))
        if any("\x00" in name for name in self.columns):
            raise SourceError(f"„{self._name}“ hat eine Spalte mit einem Nullzeichen im Namen.")
        self._geometry = self._geometries(features)
        self.provenance = Provenance(path.name, hashlib.sha256(raw).hexdigest(), "GeoJSON", crs=self._crs(document))

    def _read(self, path: Path) -> bytes:
        if path.stat().st_size > MAX_GEOJSON_BYTES:
            raise SourceError(
                f"„{self._name}“ ist größer als {MAX_GEOJSON_BYTES // 1024**2} MiB; bitte als GeoPackage liefern."
            )
        return path.read_bytes()

    def _parse(self, raw: bytes) -> Any:  # noqa: ANN401 - a JSON document
        try:
            return orjson.loads(raw.removeprefix(b"\xef\xbb\xbf"))
        except orjson.JSONDecodeError as error:
            raise SourceError(
                f"„{self._name}“ ist kein vollständiges JSON (Fehler bei Zeile {error.lineno}, Spalte {error.colno}); "
                "vielleicht wurde die Datei abgeschnitten."
            ) from None

    def _features(self, document: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - a JSON document
        if not isinstance(document, dict) or document.get("type") != "FeatureCollection":
            raise SourceError(f"„{self._name}“ ist keine GeoJSON-FeatureCollection.")
        features = document.get("features")
        if not isinstance(features, list) or not all(isinstance(feature, dict) for feature in features):
            raise SourceError(f"„{self._name}“: „features“ ist keine Liste von Objekten.")
        if not features:
            raise SourceError(f"„{self._name}“ enthält keine Objekte.")
        return features

    def _crs(self, document: dict[str, Any]) -> str:
        declared = document.get("crs")
        if declared is None:
            return _DEFAULT_CRS
        name = declared.get("properties", {}).get("name") if isinstance(declared, dict) else None
        if not isinstance(name, str) or not name:
            raise SourceError(f"„{self._name}“: Das Koordinatensystem („crs“) ist nicht lesbar.")
        return name

    def _geometries(self, features: list[dict[str, Any]]) -> Any:  # noqa: ANN401 - an array of geometries
        texts = [None if f.get("geometry") is None else orjson.dumps(f["geometry"]).decode() for f in features]
        read = shapely.from_geojson(np.array(texts, dtype=object), on_invalid="ignore")
        for index in np.flatnonzero(shapely.is_missing(read)):
            if texts[index] is not None:
                self.bad_rows[int(index) + 1] = "Die Geometrie ist kein gültiges GeoJSON."
        if shapely.has_z(read).any():
            self.notes.append("Höhenangaben (3D) wurden weggelassen.")
        return shapely.force_2d(read)

    def chunks(self) -> Iterator[Chunk]:
        """Yield all features at once, but for those whose geometry is unreadable (``bad_rows``)."""
        whole = np.array([number not in self.bad_rows for number in range(1, len(self._properties) + 1)])
        rows = np.flatnonzero(whole) + 1
        columns = {
            name: objects([_plain(self._properties[row - 1].get(name)) for row in rows]) for name in self.columns
        }
        yield Chunk(rows, columns, self._geometry[whole])


def _plain(value: Any) -> Any:  # noqa: ANN401 - JSON
    # A text with a null character can be kept nowhere; other control characters are the checks' matter.
    if isinstance(value, str):
        return value.replace("\x00", "")
    return orjson.dumps(value).decode().replace("\\u0000", "") if isinstance(value, dict | list) else value
