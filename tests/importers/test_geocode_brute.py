"""Placing facilities by their address against brute force: all numbers and streets in plain loops."""

import random
from pathlib import Path

import pytest
from address_help import Placed, address, at, likeness, load_list, loader
from importer_help import Database, load_city
from sqlalchemy import text

from geodata.spelling import number_plain, number_range, street_plain


def _spread(first: int, last: int) -> range:
    """Return the numbers a range stands for: one side of the street where its ends are on one side."""
    return range(first, last + 1, 2 if (last - first) % 2 == 0 else 1)


def _number_quality(wanted: str, held: set[str]) -> float | None:
    """Return how well a number is found in a street's numbers, by going through all of them."""
    plain = number_plain(wanted)
    assert plain is not None
    if plain in held:
        return 1.0
    first, last, bare = number_range(plain)
    for other in held:
        other_first, other_last, _other_bare = number_range(other)
        if other == str(first) or (bare and other_first == first):
            return 0.9
        if other_last is not None and first in _spread(other_first, other_last):
            return 0.9
        if last is not None and other_first in _spread(first, last):
            return 0.9
    return None


def _some_number(dice: random.Random) -> str:
    first = dice.randrange(1, 60)
    return dice.choice([
        f"{first}", f"{first}", f"{first}{dice.choice('abc')}", f"{first} {dice.choice('AB')}",
        f"{first}-{first + dice.randrange(-1, 7)}", f"{first}a-{first + 2}", f"{first}+{first + 2}",
    ])  # fmt: skip


def test_numbers_match_as_brute_force_says(database: Database, tmp_path: Path) -> None:
    dice = random.Random(20_240)  # noqa: S311 - invented numbers
    load_city(database.writing, tmp_path)
    held: dict[str, set[str]] = {}
    rows = []
    for street in (f"Zahlenweg {chr(97 + n)}" for n in range(20)):
        given = {number_plain(number): number for number in (_some_number(dice) for _ in range(8))}
        held[street] = {plain for plain in given if plain}
        # All within 100 m, so that none is ambiguous.
        rows += [address(street, n, 500 + dice.uniform(0, 60), 500 + dice.uniform(0, 60)) for n in given.values()]
    assert load_list(database.writing, tmp_path, rows).rows_rejected == 0
    wanted = [(dice.choice(sorted(held)), _some_number(dice)) for _ in range(1500)]
    _report, places = loader(database, tmp_path)([at(n, *one) for n, one in enumerate(wanted)])
    expected = {f"a{n}": _number_quality(number, held[street]) for n, (street, number) in enumerate(wanted)}
    assert {key: place.quality for key, place in places.items()} == {k: q for k, q in expected.items() if q is not None}
    assert {None, 0.9, 1.0} == set(expected.values())


def test_streets_match_as_brute_force_says(database: Database, tmp_path: Path) -> None:
    dice = random.Random(7)  # noqa: S311 - invented names
    load_city(database.writing, tmp_path)
    parts = ["alster", "sport", "linden", "kirchen", "schul", "garten", "rosen", "mühlen", "birken", "sonnen", "könig"]
    streets = sorted({
        (a + b + c).capitalize() for a in parts for b in ("", *parts[:6]) for c in ("weg", "straße", "allee", "platz 2")
        if dice.random() < 0.5
    })  # fmt: skip
    where = {street: (round(dice.uniform(0, 3900), 1), round(dice.uniform(0, 1900), 1)) for street in streets}
    load_list(database.writing, tmp_path, [address(street, "1", *where[street]) for street in streets])

    def misspelt(street: str) -> str:
        for _ in range(dice.randrange(0, 3)):
            i = dice.randrange(len(street))
            street = dice.choice(
                [street[:i] + street[i + 1 :], street[:i] + "e" + street[i:], street.replace("2", "3")]
            )
        return street

    wanted = [misspelt(dice.choice(streets)) for _ in range(600)]
    expected: dict[str, Placed] = {}
    for n, one in enumerate(wanted):
        plain = street_plain(one)
        figures = [c for c in plain if c.isdecimal()]
        alike = [street for street in streets if [c for c in street_plain(street) if c.isdecimal()] == figures]
        like = sorted((-likeness(plain, street_plain(street)), street) for street in alike)
        (best, street), (second, _other) = [*like, (0.0, ""), (0.0, "")][:2]
        if best == -1 or (best <= -0.75 and round(second - best, 6) >= 0.1):
            expected[f"a{n}"] = Placed(pytest.approx(1.0 if best == -1 else -0.9 * best, abs=1e-5), *where[street])
    _report, places = loader(database, tmp_path)([at(n, street, "1") for n, street in enumerate(wanted)])
    assert places == expected
    assert 0 < len(expected) < len(wanted)
    assert len({round(p.quality or 0, 3) for p in places.values()}) > 10


def test_the_database_reads_ranges_as_we_do(database: Database) -> None:
    dice = random.Random(3)  # noqa: S311 - invented numbers
    plains = sorted(
        {p for p in (number_plain(_some_number(dice)) for _ in range(300)) if p} | {"10-123456", "1/3", "7haus3-5"}
    )
    with database.writing.connect() as connection:
        found = connection.execute(
            text(r"SELECT n, substring(n from '^\d+')::int, substring(n from '^\d+[a-z]*-(\d{1,5})(?!\d)')::int "
                 "FROM unnest(CAST(:plains AS text[])) n"),
            {"plains": plains},
        )  # fmt: skip
        assert {n: (first, last) for n, first, last in found} == {n: number_range(n)[:2] for n in plains}
