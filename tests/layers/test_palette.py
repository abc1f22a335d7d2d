"""Every category has a colour and a shape of its own, visible on the map's grounds."""

import itertools
import re

import pytest

from layers.palette import GROUND, STYLES, WHITE, contrast, style_of, symbol_svg

CATEGORIES = ["okja", "famfoe", "sha", "hze", "jsa", "asd", "kita", "schule", "spielplatz", "netzwerk", "sonstige"]


def test_all_categories_have_a_style() -> None:
    assert list(STYLES) == CATEGORIES
    assert all(style.category == category and style.title for category, style in STYLES.items())


def test_colours_and_shapes_and_titles_are_unique() -> None:
    for values in zip(*((s.title, s.colour, s.shape) for s in STYLES.values()), strict=True):
        assert len(set(values)) == len(CATEGORIES)


@pytest.mark.parametrize("category", CATEGORIES)
@pytest.mark.parametrize("ground", [WHITE, "#eeeeee", GROUND])
def test_contrast_of_symbols_is_at_least_three(category: str, ground: str) -> None:
    assert contrast(STYLES[category].colour, ground) >= 3


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_no_two_colours_are_nearly_the_same() -> None:
    def rgb(colour: str) -> list[int]:
        return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]

    for one, other in itertools.combinations(STYLES.values(), 2):
        distance = sum((a - b) ** 2 for a, b in zip(rgb(one.colour), rgb(other.colour), strict=True)) ** 0.5
        assert distance >= 50, (one.category, other.category)


def test_symbol_is_escaped_and_needs_no_style_attribute() -> None:
    svg = symbol_svg(STYLES["okja"], 20, title='"><img src=x onerror=alert(1)>')
    assert "<img" not in svg
    assert svg.count("<") == 4  # svg and path, opened and closed
    assert not re.search(r"\sstyle\s*=|https?:", svg)
    assert 'aria-hidden="true"' in symbol_svg(STYLES["okja"], 20)


def test_unknown_category_looks_like_other_places() -> None:
    assert style_of("neu") is STYLES["sonstige"]
