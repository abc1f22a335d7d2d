import math

import numpy as np
import pytest
from access.weights import step_fn
from hypothesis import given
from hypothesis import strategies as st

from geodata.coverage.decay import MOST_BANDS, Decay, parse_decay
from geodata.errors import ParameterError

LIMITS = st.floats(1, 120)
KINDS = ("bands", "gaussian", "none")


def weights(decay: Decay, *minutes: float) -> list[float]:
    return [float(weight) for weight in decay.weights(np.array(minutes))]


def test_the_default_bands_are_thirds_of_the_limit_with_the_slow_weights() -> None:
    decay = parse_decay(None, 30)
    assert (decay.bounds, decay.values) == ((10.0, 20.0, 30.0), (1.0, 0.68, 0.22))
    assert decay == parse_decay(" bands ", 30)


@pytest.mark.parametrize("kind", KINDS)
def test_the_limit_belongs_to_the_catchment_and_nothing_beyond(kind: str) -> None:
    decay = parse_decay(kind, 15)
    at, beyond = weights(decay, 15, math.nextafter(15, 16))
    assert at == {"bands": 0.22, "gaussian": pytest.approx(0, abs=1e-15), "none": 1}[kind]
    assert beyond == 0
    assert weights(decay, 0) == [1]
    assert weights(decay, math.inf, math.nan) == [0, 0]


def test_an_upper_bound_belongs_to_its_band() -> None:
    decay = parse_decay("5:1,15:0.5", 15)
    assert weights(decay, 5, math.nextafter(5, 6), 15) == [1, 0.5, 0.5]


def test_own_bands_are_those_of_pysal() -> None:
    given_bands = {4.5: 0.9, 10.0: 0.68, 12.0: 0.68, 30.0: 0.05}
    decay = parse_decay(", ".join(f"{bound} : {weight}" for bound, weight in given_bands.items()), 30)
    peer = step_fn(given_bands)
    minutes = np.concatenate([np.linspace(0, 40, 801), [4.5, 10, 12, 30]])
    assert decay.weights(minutes).tolist() == [peer(minute) for minute in minutes]


def test_gaussian_against_the_formula_by_hand() -> None:
    expected = [
        (math.exp(-0.5 * (minute / 20) ** 2) - math.exp(-0.5)) / (1 - math.exp(-0.5)) for minute in (0, 1, 7.5, 19.9)
    ]
    assert weights(parse_decay("gaussian", 20), 0, 1, 7.5, 19.9) == pytest.approx(expected, rel=1e-12)


@given(st.sampled_from(KINDS), LIMITS, st.lists(st.floats(0, 200), min_size=2))
def test_weights_lie_between_0_and_1_and_never_rise_with_the_way(kind: str, limit: float, ways: list[float]) -> None:
    found = parse_decay(kind, limit).weights(np.sort(ways))
    assert ((found >= 0) & (found <= 1)).all()
    assert (np.diff(found) <= 0).all()


@given(st.sampled_from(KINDS), st.integers(1, 120), st.floats(10, 400))
def test_bounds_in_metres_are_the_limit_in_metres(kind: str, minutes: int, metres_per_minute: float) -> None:
    decay = parse_decay(kind, minutes).scaled(metres_per_minute)
    assert decay.limit == minutes * metres_per_minute
    inside, outside = decay.weights(np.array([decay.limit, math.nextafter(decay.limit, math.inf)]))
    assert inside > 0 or kind == "gaussian"
    assert outside == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("linear", "kennt den Wert „linear“ nicht"),
        ("", None),
        ("10:1;15:0.5", "kennt den Wert"),
        ("10:1,15", "kennt den Wert"),
        ("10:1,,15:0.5", "kennt den Wert"),
        ("10:-1,15:0.5", "kennt den Wert"),
        ("10:nan,15:0.5", "kennt den Wert"),
        ("10:1e3,15:1", "kennt den Wert"),
        ("٥:1,15:0.5", "kennt den Wert"),
        ("0:1,15:0.5", "über 0 liegen und ansteigen"),
        ("15:1,10:0.5", "über 0 liegen und ansteigen"),
        ("10:1,10:1,15:1", "über 0 liegen und ansteigen"),
        ("10:0.5,15:0.6", "nicht steigen"),
        ("10:1,15:0", "über 0 und höchstens 1"),
        ("10:1.5,15:1", "über 0 und höchstens 1"),
        ("10:1,20:0.5", "enden bei 20 Minuten, gefragt ist bis 15 Minuten"),
        ("10:1", "enden bei 10 Minuten, gefragt ist bis 15 Minuten"),
        (",".join(f"{i}:1" for i in range(1, MOST_BANDS + 2)), f"höchstens {MOST_BANDS} Stufen"),
        ("x" * 100_000, "kennt den Wert"),
    ],
)
def test_what_is_no_decay_is_named(text: str, said: str | None) -> None:
    if said is None:
        assert parse_decay(text, 15) == parse_decay("bands", 15)
        return
    with pytest.raises(ParameterError, match=said) as caught:
        parse_decay(text, 15)
    assert caught.value.parameter == "decay"
    assert len(str(caught.value)) < 300


def test_words_name_every_band() -> None:
    assert parse_decay("bands", 15).words() == (
        "Wege zählen bis 5 Minuten mit 1, über 5 bis 10 Minuten mit 0,68 und über 10 bis 15 Minuten mit 0,22 "
        "(langsame Abnahme nach Luo und Qi 2009), darüber gar nicht."
    )
    assert "2009" not in parse_decay("5:1,10:0.68,15:0.22", 15).words()
    assert parse_decay("5:1,15:0.125", 15).words() == (
        "Wege zählen bis 5 Minuten mit 1 und über 5 bis 15 Minuten mit 0,125, darüber gar nicht."
    )
    assert "bei 10 Minuten (Dai 2010)" in parse_decay("gaussian", 10).words()
    assert parse_decay("none", 10).words() == "Bis 10 Minuten zählt jeder Weg gleich, darüber keiner."
