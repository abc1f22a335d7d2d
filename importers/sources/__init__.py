"""Readers, one per kind of source, behind one small interface: a table or features in chunks, with provenance."""

from importers.sources.base import Chunk, Provenance, Source
from importers.sources.opening import open_source

__all__ = ["Chunk", "Provenance", "Source", "open_source"]
