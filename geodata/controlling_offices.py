"""Whose words figures are in: each dataset's scope, and the office's catalogue of Hilfearten, groups and units.

``catalogue.<office>`` speaks for the datasets ``statistics.<office>`` and ``statistics.<office>-…``; the office's own
``catalogue`` for all others, and where there is only one catalogue it speaks for all.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata.indicators import OFFICE_CATALOGUE

_GROUPS = {
    "ambulant": "Ambulante Hilfen",
    "ausserhalb_familie": "Hilfen außerhalb der Familie",
    "alle_hilfen": "Hilfen insgesamt",
    "gruppenangebot": "Gruppenangebote",
}


@dataclass(frozen=True, slots=True)
class _Catalogue:
    titles: Mapping[str, str]
    units: Mapping[str, str | None]
    members: Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Offices:
    """What datasets and catalogues say of figures; anything nobody says is None or the code itself."""

    scopes: Mapping[str, tuple[str, str]]
    catalogues: Mapping[str, _Catalogue]

    def catalogue_of(self, dataset: str | None) -> str | None:
        """Return the name of the catalogue that speaks for a dataset."""
        fitting = [
            name
            for name in self.catalogues
            if dataset is not None
            and name.startswith("catalogue.")
            and f"{dataset}-".startswith(f"statistics.{name.removeprefix('catalogue.')}-")
        ]
        if fitting:
            return max(fitting, key=len)
        if OFFICE_CATALOGUE in self.catalogues:
            return OFFICE_CATALOGUE
        return next(iter(self.catalogues)) if len(self.catalogues) == 1 else None

    def scope(self, dataset: str) -> str | None:
        """Return what is in and out of a dataset, in its own words."""
        return self.scopes[dataset][1] if dataset in self.scopes else None

    def unit(self, dataset: str, position: str, of_dataset: str | None) -> str | None:
        """Return what is counted: what the catalogue says of the Hilfeart, else what the dataset does."""
        catalogue = self._catalogue(dataset)
        # Euros and hours of a Hilfeart are no helps.
        if catalogue is None or of_dataset in {"eur", "personen"} or position not in catalogue.units:
            return of_dataset
        return catalogue.units[position] or of_dataset

    def composition(self, dataset: str, position: str) -> frozenset[str] | None:
        """Return the Hilfearten of a group; None of anything that is none, and where nobody says."""
        catalogue = self._catalogue(dataset)
        return catalogue.members.get(position) if catalogue else None

    def members(self, dataset: str | None, position: str) -> frozenset[str]:
        """Return the Hilfearten of a group, nothing where there are none."""
        catalogue = self._catalogue(dataset)
        return catalogue.members.get(position, frozenset()) if catalogue else frozenset()

    def title(self, dataset: str | None, position: str) -> str:
        """Return what a position is called."""
        catalogue = self._catalogue(dataset)
        said = catalogue.titles.get(position) if catalogue else None
        return said or _GROUPS.get(position, position)

    def _catalogue(self, dataset: str | None) -> _Catalogue | None:
        name = self.catalogue_of(dataset)
        return self.catalogues[name] if name is not None else None


def read_offices(session: Session) -> Offices:
    """Return what the visible datasets and catalogues say."""
    scopes = {
        dataset: (title, scope)
        for dataset, title, scope in session.execute(
            text("SELECT dataset, title, scope FROM dataset_visible WHERE kind = 'statistics'")
        )
    }
    titles: dict[str, dict[str, str]] = {}
    units: dict[str, dict[str, str | None]] = {}
    members: dict[str, dict[str, set[str]]] = {}
    for name, code, title in session.execute(text("SELECT dataset, code, title FROM help_group_visible")):
        titles.setdefault(name, {})[code] = title
    for name, code, title, unit, groups in session.execute(
        text("SELECT dataset, code, title, unit, groups FROM help_type_visible")
    ):
        titles.setdefault(name, {})[code] = title
        units.setdefault(name, {})[code] = unit
        for group in groups:
            members.setdefault(name, {}).setdefault(group, set()).add(code)
    catalogues = {
        name: _Catalogue(
            titles[name], units.get(name, {}),
            {group: frozenset(codes) for group, codes in members.get(name, {}).items()},
        )
        for name in sorted(titles)
    }  # fmt: skip
    return Offices(scopes, catalogues)
