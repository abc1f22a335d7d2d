"""Whose eyes: every question takes a viewer, and without one it is the public's."""

from dataclasses import dataclass, replace
from enum import StrEnum


class Role(StrEnum):
    """What a viewer may do, from least to most."""

    PUBLIC = "public"
    PROVIDER = "provider"
    PLANNER = "planner"
    ADMIN = "admin"


class Version(StrEnum):
    """Which version of an answer is asked for: the publishable one, or the office's own."""

    PUBLISHED = "veroeffentlichung"
    INTERNAL = "intern"


@dataclass(frozen=True)
class Viewer:
    """The person or program that asks.

    ``provider_key`` is set for providers (they see their own offers); ``office_areas`` are the
    (level, key) pairs a planner's office answers for (inside them the planner sees offers that are not
    published). The default is the public, who sees what is released.
    """

    role: Role = Role.PUBLIC
    provider_key: str | None = None
    office_areas: tuple[tuple[str, str], ...] = ()

    def seeing(self, version: Version) -> "Viewer":
        """Return the viewer whose eyes fit the version asked for.

        The Veröffentlichungsfassung is what the public may see, whoever asks; only a provider keeps
        seeing the own offers, which are no news to it. The Interne Fassung keeps the role.
        """
        if version is Version.INTERNAL or self.role is Role.PROVIDER:
            return self
        return replace(PUBLIC)

    def may_read_internal(self) -> bool:
        """Tell whether this viewer may ask for the Interne Fassung."""
        return self.role in {Role.PLANNER, Role.ADMIN}

    def scope(self) -> str:
        """Return a text that is equal for two viewers exactly when they see the same (for cache keys)."""
        areas = ",".join(sorted(f"{level}:{key}" for level, key in self.office_areas))
        return f"{self.role}|{self.provider_key or ''}|{areas}"


PUBLIC = Viewer()
