"""How much a way counts by its length: the distance decay of catchments.

A decay turns a distance into a weight from 0 to 1. Three kinds:

``bands``
    A weight per band of distance. By default three equal parts of the time limit with the weights 1, 0.68 and 0.22,
    the slow decay of Luo & Qi (2009), which they use on 0–10, 10–20 and 20–30 minutes.
``gaussian``
    G(d) = (exp(−½·(d/d0)²) − exp(−½)) / (1 − exp(−½)) for d <= d0, else 0, where d0 is the limit (Dai 2010): 1 at the
    door, exactly 0 at the limit.
``none``
    1 up to the limit, 0 beyond: the plain two-step floating catchment area.

Scaling all weights by one factor changes no catchment index: the factor stands in numerator and denominator.

Luo, W. & Qi, Y. (2009): An enhanced two-step floating catchment area (E2SFCA) method for measuring spatial
accessibility to primary care physicians. Health & Place 15(4), 1100–1107.
Dai, D. (2010): Black residential segregation, disparities in spatial access to health care facilities, and late-stage
breast cancer diagnosis in metropolitan Detroit. Health & Place 16(5), 1038–1052.
"""

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from geodata.errors import ParameterError
from geodata.words import listed, plain

Floats: TypeAlias = NDArray[np.float64]
Kind: TypeAlias = Literal["bands", "gaussian", "none"]

KINDS: tuple[str, ...] = ("bands", "gaussian", "none")
SLOW = (1.0, 0.68, 0.22)
MOST_BANDS = 12

_EXAMPLE = "10:1,20:0.68,30:0.22"
_BAND = re.compile(r"\s*(\d{1,3}(?:\.\d{1,3})?)\s*:\s*([01](?:\.\d{1,6})?)\s*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Decay:
    """A decay: per band its upper bound (inclusive, in minutes) and its weight; nothing counts beyond the last bound.

    Bounds rise; weights lie in (0, 1] and never rise. ``gaussian`` and ``none`` have one band, which ends at the limit.
    ``published``: bands and weights are those of Luo & Qi, not a user's own.
    """

    kind: Kind
    bounds: tuple[float, ...]
    values: tuple[float, ...] = (1.0,)
    published: bool = False

    @property
    def limit(self) -> float:
        """The longest way that counts (inclusive), in the unit of the bounds."""
        return self.bounds[-1]

    def weights(self, minutes: Floats) -> Floats:
        """Return the weight (0 to 1) of each way, given in the unit of the bounds (minutes); 0 for NaN and infinity."""
        if self.kind == "gaussian":
            with np.errstate(invalid="ignore"):
                bell = np.exp(-0.5 * np.square(minutes / self.limit)) - np.exp(-0.5)
                inside = minutes <= self.limit
            # Rounding must not make the weight at the very limit negative.
            return np.where(inside, np.maximum(bell, 0.0) / (1 - np.exp(-0.5)), 0.0)
        weights: Floats = np.array((*self.values, 0.0))[np.searchsorted(self.bounds, minutes, side="left")]
        return weights

    def scaled(self, factor: float) -> "Decay":
        """Return the same decay over ways in another unit: its bounds times ``factor`` (such as metres per minute)."""
        return Decay(self.kind, tuple(bound * factor for bound in self.bounds), self.values, self.published)

    def words(self) -> str:
        """Return the decay, its bounds in minutes, as a German sentence for the method's footnote."""
        limit = plain(self.limit)
        if self.kind == "none":
            return f"Bis {limit} Minuten zählt jeder Weg gleich, darüber keiner."
        if self.kind == "gaussian":
            return f"Das Gewicht eines Weges fällt nach einer Gauß-Kurve von 1 auf 0 bei {limit} Minuten (Dai 2010)."
        lows = (None, *self.bounds[:-1])
        parts = [
            (f"bis {plain(high)}" if low is None else f"über {plain(low)} bis {plain(high)}")
            + f" Minuten mit {plain(weight, 6)}"
            for low, high, weight in zip(lows, self.bounds, self.values, strict=True)
        ]
        source = " (langsame Abnahme nach Luo und Qi 2009)" if self.published else ""
        return f"Wege zählen {listed(parts)}{source}, darüber gar nicht."


def parse_decay(text: str | None, minutes: float) -> Decay:
    """Return the decay a user names for a limit of so many minutes; None: the default bands.

    ``text`` is ``bands``, ``gaussian``, ``none`` or bands of the user's own, ``10:1,20:0.68,30:0.22``: upper bound in
    minutes (inclusive) and weight. Raises ``ParameterError`` for anything else, for bounds that do not rise or do not
    end at the limit, and for weights that rise or lie outside 0 to 1.
    """
    named = (text or "bands").strip()
    if named == "bands":
        return Decay("bands", (minutes / 3, 2 * minutes / 3, float(minutes)), SLOW, published=True)
    if named == "gaussian":
        return Decay("gaussian", (float(minutes),))
    if named == "none":
        return Decay("none", (float(minutes),))
    found = [_BAND.fullmatch(part) for part in named.split(",")]
    bands = [(float(match[1]), float(match[2])) for match in found if match]
    if len(bands) < len(found):
        raise ParameterError(
            "decay",
            f"„decay“ kennt den Wert „{named[:60]}“ nicht. Möglich sind bands, gaussian, none oder eigene Stufen wie "
            f"„{_EXAMPLE}“ (Obergrenze in Minuten:Gewicht).",
            (*KINDS, _EXAMPLE),
        )
    return _own(bands, minutes)


def _own(bands: list[tuple[float, float]], minutes: float) -> Decay:
    bounds, values = tuple(bound for bound, _ in bands), tuple(value for _, value in bands)
    if len(bands) > MOST_BANDS:
        raise ParameterError("decay", f"„decay“ nimmt höchstens {MOST_BANDS} Stufen, angegeben sind {len(bands)}.")
    if bounds[0] <= 0 or any(high <= low for low, high in pairwise(bounds)):
        raise ParameterError("decay", "Die Obergrenzen der Stufen in „decay“ müssen über 0 liegen und ansteigen.")
    if not all(0 < value <= 1 for value in values) or any(after > before for before, after in pairwise(values)):
        raise ParameterError(
            "decay", "Die Gewichte in „decay“ müssen über 0 und höchstens 1 sein und dürfen mit der Zeit nicht steigen."
        )
    if bounds[-1] != minutes:
        raise ParameterError(
            "decay",
            f"Die Stufen in „decay“ enden bei {plain(bounds[-1], 3)} Minuten, gefragt ist bis {plain(minutes, 3)} "
            "Minuten; bitte die letzte Stufe oder „minutes“ anpassen.",
        )
    return Decay("bands", bounds, values)
