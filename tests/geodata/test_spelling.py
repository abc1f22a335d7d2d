import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from geodata.spelling import city_plain, number_plain, number_range, street_plain


@pytest.mark.parametrize(
    "same",
    [
        ["Hamburger Straße", "Hamburger Strasse", "Hamburger Str.", "HAMBURGER STR", "Hamburgerstr.",
         "hamburger-straße", " Hamburger   Straße "],
        ["Große Bergstraße", "Gr. Bergstr.", "Gr.Bergstraße", "GROSSE BERGSTRASSE"],
        ["Königstraße", "Koenigstr.", "KÖNIGSTRASSE", "Ko\u0308nigstraße"],
        ["St. Pauli Fischmarkt", "St.-Pauli-Fischmarkt", "Sankt-Pauli-Fischmarkt", "St.Pauli Fischmarkt"],
        ["Marktplatz", "Marktpl.", "Markt-Platz", "Markt Pl."],
        ["Straße des 17. Juni", "Str. des 17. Juni", "strasse des 17 juni"],
        ["Kleine Reichenstraße", "Kl. Reichenstr."],
    ],
)  # fmt: skip
def test_spellings_of_one_street_are_equal(same: list[str]) -> None:
    assert len({street_plain(text) for text in same}) == 1


@pytest.mark.parametrize(
    "different",
    [["Straße 12", "Straße 13"], ["Bergstraße", "Bergweg"], ["Große Bergstraße", "Kleine Bergstraße"],
     ["Stieg", "Steig"], ["Klosterweg", "Kloster"]],
)  # fmt: skip
def test_different_streets_stay_different(different: list[str]) -> None:
    assert len({street_plain(text) for text in different}) == len(different)


@pytest.mark.parametrize(
    ("text", "plain", "ranged"),
    [
        ("12", "12", (12, None, True)), ("12 A", "12a", (12, None, False)), ("12a", "12a", (12, None, False)),
        ("10-12", "10-12", (10, 12, True)), ("10 – 12", "10-12", (10, 12, True)),
        ("10 bis 12", "10-12", (10, 12, True)), ("10a-12c", "10a-12c", (10, 12, False)),
        ("100a-c", "100a-c", (100, None, False)), ("12 und 14", "12+14", (12, None, True)),
        ("12, 14", "12+14", (12, None, True)), ("12 u. 14", "12+14", (12, None, True)),
        ("12 u", "12u", (12, None, False)),
        ("1 / 3", "1/3", (1, None, True)), ("12 ½", "12+1/2", (12, None, True)), ("10 12", "10+12", (10, None, True)),
        ("12 (Hinterhaus)", "12", (12, None, True)), ("12, Haus 3", "12haus3", (12, None, False)),
        ("Nr. 7", "7", (7, None, True)), ("007", "7", (7, None, True)), ("12-", "12", (12, None, True)),
        ("10-123456", "10-123456", (10, None, True)),
    ],
)  # fmt: skip
def test_house_numbers(text: str, plain: str, ranged: tuple[int, int | None, bool]) -> None:
    assert number_plain(text) == plain
    assert number_range(plain) == ranged


@pytest.mark.parametrize("text", ["", "a", "ohne", "o. Nr.", "-", "123456", "(12)", "٣", "1" + "a" * 40])
def test_what_is_no_house_number(text: str) -> None:
    assert number_plain(text) is None


def test_cities() -> None:
    assert city_plain("Hamburg-Altona") == city_plain("HAMBURG (Altona)") == "hamburg altona"
    assert city_plain("Lübeck") == city_plain("Luebeck") == "luebeck"
    assert city_plain(" - ") is None


numbers = st.text("0123456789aAbBßÄ -–/+&,.()½biunsdHaus", max_size=25) | st.text(max_size=25)


@given(numbers)
@example("12 b is 1")
@example("1 0 bis")
def test_a_plain_number_stays_as_it_is(text: str) -> None:
    plain = number_plain(text)
    if plain is not None:
        assert number_plain(plain) == plain
        first, last, _bare = number_range(plain)
        assert 0 <= first <= 99_999
        assert last is None or 0 <= last <= 99_999
        assert plain.isascii()


@given(st.text("Ss Ttr.PplLßÄäöGKg-17", max_size=25) | st.text(max_size=40))
@example("S T")
@example("s tr")
@example("p l")
def test_a_plain_street_stays_as_it_is(text: str) -> None:
    plain = street_plain(text)
    assert street_plain(plain) == plain
    assert all(c.isalnum() for c in plain)


@given(
    st.text("abcäöüß ", min_size=1, max_size=20).map(str.strip).filter(bool), st.sampled_from(["-", "  ", " - ", "\t"])
)
def test_blanks_hyphens_and_case_make_no_difference(text: str, joint: str) -> None:
    assert street_plain(text) == street_plain(text.upper()) == street_plain(text.replace(" ", joint))
