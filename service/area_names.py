"""How an area is named in a parameter or an option."""

from geodata.errors import ParameterError


def area_pair(name: str, value: str | None) -> tuple[str, str] | None:
    """Return what ``level:key`` names; raise ``ParameterError`` for anything else."""
    if not value:
        return None
    level, colon, key = value.partition(":")
    if not (level and colon and key):
        raise ParameterError(name, f"{name} wird als ebene:schlüssel angegeben, etwa „stadtteil:02104“.")
    return level, key
