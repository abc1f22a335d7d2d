"""Numbers of people as they are shown: cleaned of the noise of arithmetic, or whole so that they still add up."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Sums of thousands of fractions of people are off by less; a real fraction is never so near to a whole number.
_NOISE = 1e-9


def cleaned(values: Floats) -> Floats:
    """Return the values; those within 1e-9 (relative, at least absolute) of a whole number become that number."""
    whole = np.rint(values)
    with np.errstate(invalid="ignore"):  # infinity stays what it is, like NaN
        near = np.abs(values - whole) <= _NOISE * np.maximum(1.0, np.abs(whole))
    result: Floats = np.where(near, whole, values)
    return result


def whole(values: Floats) -> NDArray[np.int64]:
    """Return whole numbers whose sum is the rounded sum of the values (largest remainder, ties to the first).

    Values must be finite and not negative; each result differs from its value by less than 1.
    """
    clean = cleaned(np.asarray(values, dtype=np.float64))
    down = np.floor(clean)
    left = int(np.floor(cleaned(np.array([clean.sum()]))[0] + 0.5) - down.sum())
    order = np.argsort(-(clean - down), kind="stable")
    result = down.astype(np.int64)
    result[order[:left]] += 1
    return result
