"""What a renewal knows of earlier ones: recipes, validators, digests of what is visible; and how it notes the news."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine, text

from geodata.database import writing


@dataclass(frozen=True, slots=True)
class _Held:
    kind: str | None
    current: int | None
    digest: str | None
    checksum: str | None
    recipe: str | None
    etag: str | None
    last_modified: str | None


@dataclass(frozen=True, slots=True)
class States:
    """All datasets and sources as one moment saw them."""

    held: dict[str, _Held]

    @classmethod
    def read(cls, engine: Engine) -> "States":
        """Read them, with the writing group's rights."""
        with writing(engine) as session:
            found = session.execute(
                text("""
                    SELECT coalesce(d.name, s.dataset) AS name, d.kind, i.id,
                           coalesce(i.content_digest, i.id::text), i.checksum, s.recipe, s.etag, s.last_modified
                    FROM dataset d LEFT JOIN import_run i ON i.id = d.current_import_id
                    FULL JOIN source_state s ON s.dataset = d.name
                """)
            )
            return cls({name: _Held(*rest) for name, *rest in found})

    def current(self, name: str) -> int | None:
        """Return the visible import of a dataset, None where it has none."""
        return self.held[name].current if name in self.held else None

    def checksum(self, name: str) -> str | None:
        """Return the checksum of the source of the visible version."""
        return self.held[name].checksum if name in self.held else None

    def digests(self, kinds: Collection[str], without: str | None = None) -> dict[str, str]:
        """Return the digests of what is visible of these kinds, by dataset."""
        return {
            name: held.digest
            for name, held in sorted(self.held.items())
            if held.kind in kinds and held.digest is not None and name != without
        }

    def knows(self, name: str, recipe: str) -> bool:
        """Tell whether the visible version is what this recipe made of the source when it was last read."""
        return self.current(name) is not None and self.held[name].recipe == recipe

    def marks(self, name: str, recipe: str) -> tuple[str | None, str | None] | None:
        """Return the source's validators (ETag, Last-Modified), None where they say nothing of the visible version."""
        held = self.held.get(name)
        if held is None or not self.knows(name, recipe) or held.etag is held.last_modified is None:
            return None
        return held.etag, held.last_modified


@dataclass(frozen=True, slots=True)
class Note:
    """What is to be noted of one source: ``failure`` or how it is recognised next time.

    ``current``: the version that was visible then. If another has come since, the validators are not noted.
    """

    dataset: str
    failure: str | None = None
    recipe: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    current: int | None = None

    @classmethod
    def failed(cls, dataset: str, sentence: str) -> "Note":
        """Return the note of a source that failed; how it was recognised stays."""
        return cls(dataset, failure=sentence)

    @classmethod
    def succeeded(
        cls, dataset: str, recipe: str, etag: str | None, last_modified: str | None, current: int | None
    ) -> "Note":
        """Return the note of a source found well."""
        return cls(dataset, None, recipe, etag, last_modified, current)


def note(engine: Engine, notes: Sequence[Note]) -> None:
    """Note how the sources fared, all of them in one transaction."""
    well = [one for one in notes if one.failure is None]
    badly = [one for one in notes if one.failure is not None]
    with writing(engine) as session:
        if well:
            session.execute(
                text("""
                    INSERT INTO source_state (dataset, checked_at, recipe, etag, last_modified)
                    SELECT n.dataset, now(), n.recipe, n.etag, n.last_modified
                    FROM unnest(CAST(:datasets AS text[]), CAST(:recipes AS text[]), CAST(:etags AS text[]),
                                CAST(:moments AS text[]), CAST(:currents AS int[]))
                         AS n (dataset, recipe, etag, last_modified, current)
                    JOIN dataset d ON d.name = n.dataset AND d.current_import_id IS NOT DISTINCT FROM n.current
                    ON CONFLICT (dataset) DO UPDATE SET checked_at = excluded.checked_at, failed_at = NULL,
                        failure = NULL, recipe = excluded.recipe, etag = excluded.etag,
                        last_modified = excluded.last_modified
                """),
                {
                    "datasets": [one.dataset for one in well],
                    "recipes": [one.recipe for one in well],
                    "etags": [one.etag for one in well],
                    "moments": [one.last_modified for one in well],
                    "currents": [one.current for one in well],
                },
            )
        if badly:
            session.execute(
                text("""
                    INSERT INTO source_state (dataset, failed_at, failure)
                    SELECT n.dataset, now(), n.failure
                    FROM unnest(CAST(:datasets AS text[]), CAST(:failures AS text[])) AS n (dataset, failure)
                    ON CONFLICT (dataset) DO UPDATE SET failed_at = excluded.failed_at, failure = excluded.failure
                """),
                {"datasets": [one.dataset for one in badly], "failures": [one.failure for one in badly]},
            )
