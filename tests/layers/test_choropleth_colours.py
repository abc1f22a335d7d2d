"""Colours of maps of numbers: told apart in every kind of colour blindness, in grey, and beside the three nothings."""

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from layers.flows import COLOUR as FLOW_COLOUR
from layers.palette import GROUND, INK, PATTERNS, WHITE, ZERO, contrast, diverging, ink_on, sequential
from layers.reach_layer import COLOURS as REACH_COLOURS

Vector = NDArray[np.float64]

# Machado, Oliveira, Fernandes: A Physiologically-based Model for Simulation of Color Vision Deficiency (2009), full
# strength, in linear RGB; and normal sight.
SIGHTS = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}


def lab(colour: str, sight: str = "normal") -> Vector:
    """Return CIELAB (D65) of a colour as somebody sees it."""
    coded = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    linear = np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)
    seen = np.clip(SIGHTS[sight] @ linear, 0, 1)
    matrix = [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
    ratio = np.array(matrix) @ seen / [0.95047, 1.0, 1.08883]
    f = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize("count", range(2, 10))
def test_sequential_classes_darken_evenly_for_all(sight: str, count: int) -> None:
    lightness = [lab(colour, sight)[0] for colour in sequential(count)]
    steps = -np.diff(lightness)
    # 41 steps of lightness, shared out; nobody sees less than three fifths of the fair share.
    assert steps.min() >= 0.6 * 41 / (count - 1)


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize("steps", range(1, 6))
def test_diverging_classes_are_told_apart_by_all(sight: str, steps: int) -> None:
    every = [diverging(step, steps) for step in range(-steps, steps + 1)]
    colours = [lab(colour, sight) for colour in every]
    for one, other in itertools.pairwise(colours):
        assert np.linalg.norm(one - other) >= 6
    for step in range(1, steps + 1):
        below, above = colours[steps - step], colours[steps + step]
        # The sides differ in hue, at equal distances alike in lightness.
        assert np.linalg.norm(below - above) >= 15
        assert below[0] == pytest.approx(above[0], abs=12)


def test_in_grey_both_sides_darken_outwards() -> None:
    for sign in (-1, 1):
        lightness = [lab(diverging(sign * step, 4))[0] for step in (1, 2, 3, 4)]
        assert (np.diff(lightness) < -8).all()


@pytest.mark.parametrize(
    "colour", [*sequential(9), *(diverging(step, 4) for step in range(-4, 5)), ZERO, GROUND, WHITE]
)
def test_outlines_and_names_are_seen_on_every_fill(colour: str) -> None:
    assert contrast(INK, colour) >= 3
    assert contrast(ink_on(colour), colour) >= 4.5


def test_patterns_are_seen_and_differ() -> None:
    for pattern in PATTERNS.values():
        assert contrast(pattern.ink, pattern.ground) >= 3
    missing, suppressed = PATTERNS["missing"], PATTERNS["suppressed"]
    assert missing.path != suppressed.path
    assert missing.ground != suppressed.ground


def test_zero_is_lighter_than_every_class() -> None:
    for sight in SIGHTS:
        assert lab(ZERO, sight)[0] - lab(sequential(9)[0], sight)[0] >= 6


@pytest.mark.parametrize("colour", [FLOW_COLOUR, *REACH_COLOURS])
def test_lines_are_seen_on_the_ground(colour: str) -> None:
    for ground in (GROUND, WHITE):
        assert contrast(colour, ground) >= 3


def test_a_step_beyond_the_scale_is_refused() -> None:
    with pytest.raises(ValueError, match="step"):
        diverging(3, 2)
