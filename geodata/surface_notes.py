"""What a reader has to know about the population surface: German sentences for the footnotes of every answer."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from geodata.calibrate import Fitted
from geodata.figures import Official
from geodata.surface_cells import Grid

_NAMED = 5


@dataclass(slots=True)
class Notes:
    """The sentences, gathered while the surface is made; ``split``: what is said of merged areas."""

    split: list[str] = field(default_factory=list)
    _said: list[str] = field(default_factory=list)
    _splits_used: bool = False

    def sentences(self) -> list[str]:
        """Return all sentences in the order in which they are to be read."""
        return [*self._said, *(self.split if self._splits_used else ())]

    def grid(self, grid: Grid) -> None:
        """Say what the grid is and what had to be assumed of it."""
        self._said.append("Wo Menschen wohnen, sagt das 100-m-Gitter des Zensus.")
        if len(grid.ages) > 1:
            self._said.append("Innerhalb von „unter 18“ (und jeder anderen Altersgruppe des Gitters) sind alle "
                              "Altersjahre gleich verteilt angenommen.")  # fmt: skip
            self._said.append("Die Altersgruppen jeder Zelle sind auf ihre Gesamtzahl umgerechnet, weil das Zensus-"
                              "Verfahren beide getrennt verändert.")  # fmt: skip
        else:
            self._said.append("Das Gitter nennt kein Alter; alle Altersjahre sind gleich verteilt angenommen, soweit "
                              "amtliche Zahlen nichts anderes sagen.")  # fmt: skip
        if grid.inferred:
            self._said.append(f"Für {_cells(grid.inferred)} nennt das Gitter kein Alter; dort gilt der Altersaufbau "
                              "des ganzen Gitters.")  # fmt: skip

    def uncalibrated(self) -> None:
        """Say that no official figures stand behind the grid."""
        self._said.append("Es gibt keine amtlichen Einwohnerzahlen, auf die das Gitter umgerechnet werden könnte.")

    def fitted(self, official: Official, fitted: Fitted, spoken: NDArray[np.bool_], names: Sequence[str]) -> None:
        """Say which official figures are kept, and what was doubtful about them."""
        self._said.append(
            f"Die Einwohner jedes Gebiets stimmen mit den amtlichen Zahlen überein: {official.title}, Zeitraum "
            f"{official.choice.period}, Ebene „{official.level_title}“."
        )
        contradicted = np.asarray(fitted.contradicted.any(axis=1))
        if contradicted.any():
            self._said.append(f"In {_areas(names, contradicted)} widersprechen sich die amtlichen Altersangaben; es "
                              "gelten die feineren.")  # fmt: skip
        partly: NDArray[np.bool_] = np.logical_and(spoken, np.isnan(official.figures).any(axis=1))
        if partly.any():
            self._said.append(f"In {_areas(names, partly)} fehlen einzelne Altersangaben; sie sind nach dem übrigen "
                              "Altersaufbau geschätzt.")  # fmt: skip
        self._splits_used = bool(official.estimated.any())

    def without_figures(self, names: Sequence[str], which: NDArray[np.bool_], basis: str) -> None:
        """Say in which areas official figures are missing."""
        if which.any():
            instead = "dort gelten die Zahlen des Gitters" if basis == "grid" else "dort sind keine Einwohner bekannt"
            self._said.append(f"In {_areas(names, which)} fehlen amtliche Zahlen; {instead}.")

    def spread(self) -> None:
        """Say that there is no grid."""
        self._said.append("Ohne Zensus-Gitter sind die Einwohner jedes Gebiets gleichmäßig über seine Fläche verteilt.")

    def without_cells(self, names: Sequence[str], which: NDArray[np.bool_]) -> None:
        """Say in which areas official residents have no inhabited cell."""
        if which.any():
            self._said.append(f"In {_areas(names, which)} hat das Gitter keine bewohnte Zelle; die Einwohner sind "
                              "gleichmäßig über die Fläche verteilt.")  # fmt: skip

    def outside(self, cells: int) -> None:
        """Say how many cells of the grid lie in no area of the calibrated level."""
        if cells:
            self._said.append(f"Für {_cells(cells)} außerhalb der Gebiete dieser Ebene gelten die Zahlen des Gitters.")


def _areas(names: Sequence[str], which: NDArray[np.bool_]) -> str:
    listed = [names[i] for i in np.flatnonzero(which).tolist()]
    number = "einem Gebiet" if len(listed) == 1 else f"{_number(len(listed))} Gebieten"
    return f"{number} ({', '.join(listed[:_NAMED])}{' …' if len(listed) > _NAMED else ''})"


def _cells(number: int) -> str:
    return "eine Zelle" if number == 1 else f"{_number(number)} Zellen"


def _number(number: int) -> str:
    return f"{number:,}".replace(",", ".")
