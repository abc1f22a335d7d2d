"""The documents of methods: their commands say what is printed, arithmetic is right, and nothing is left out."""

import ast
import io
import operator
import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import fields
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pytest
from docs_help import Fence, backticked, fences, prose, text_of
from typer.main import get_command

from geodata import words
from geodata.clusters import ClusterRow, ClustersRequest
from geodata.controlling import ControllingRow
from geodata.controlling_budget_question import BudgetRow
from geodata.coverage.decay import KINDS, SLOW
from geodata.coverage.request import CoverageRow, Measure, Mode, Pace
from geodata.gap_ranks import STANDARD_MOVES, WEIGHT_MOVES
from geodata.gaps import GapRow
from geodata.home_request import HomeBand, HomeGapRow
from geodata.placements import PlacementRow
from geodata.point_reach import PointReachAnswer, PointReachRow, ReachedResidents
from geodata.similar import SimilarRow
from geodata.standards import StandardRow
from service.cli.analysing import app
from service.cli.common import choose_stock
from service.cli.main import main
from service.instance import Stock

if TYPE_CHECKING:
    from conftest import Database

NAME = "methoden.md"
HELPS = "steuerung.md"
BOTH = (NAME, HELPS)
GAP = "…"
HELP_ROWS = (PlacementRow, HomeGapRow, HomeBand, ControllingRow, BudgetRow)
ROWS = (CoverageRow, GapRow, StandardRow, PointReachRow, ReachedResidents, SimilarRow, ClusterRow)


def run(given: list[str]) -> list[str]:
    """Run a command as the document prints it, on the suite's own demo city or published tables."""
    assert given[-1] in {"--demo", "--examples"}, given
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(out), pytest.raises(SystemExit) as ended:
        main(given[:-1])
    assert not ended.value.code, out.getvalue()
    return out.getvalue().splitlines()


@pytest.fixture(scope="module", params=BOTH)
def told(
    demo_database: "Database", examples_database: "Database", request: pytest.FixtureRequest
) -> list[tuple[Fence, list[str]]]:
    """Each printed output of a document with what its commands said."""
    made: list[tuple[Fence, list[str]]] = []
    meant = {"--demo": demo_database, "--examples": examples_database}
    choose_stock(Stock.REAL)
    with pytest.MonkeyPatch.context() as patch:
        lines: list[str] = []
        for fence in fences(request.param):
            if fence.language == "sh" and fence.info is None:
                continue
            if fence.language == "sh":
                assert fence.info == "beispiel"
                for given in fence.commands():
                    patch.setenv("SRK_DATABASE_URL", meant[given[-1]].serving_url)
                    patch.setenv("SRK_ADMIN_DATABASE_URL", meant[given[-1]].writing_url)
                    lines += run(given)
            elif fence.language == "text":
                assert fence.info == "ausgabe"
                made.append((fence, lines))
                lines = []
    assert not lines, "a command without its output"
    return made


def require_printed(printed: list[str], said: list[str]) -> None:
    """The printed lines stand in what was said, in this order, one after the other but for gaps (``…``)."""
    at, loose = 0, False
    for line in printed:
        if line == GAP:
            loose = True
            continue
        found = next((i for i in range(at, len(said)) if said[i] == line), None)
        assert found is not None, f"„{line}“ steht nicht, oder nicht an dieser Stelle, in\n" + "\n".join(said)
        assert loose or found == at, f"vor „{line}“ fehlt „{said[at]}“"
        at, loose = found + 1, False
    assert loose or at == len(said)


def test_commands_say_what_is_printed(told: list[tuple[Fence, list[str]]]) -> None:
    assert len(told) >= 4
    for fence, said in told:
        require_printed(fence.body.splitlines(), said)


def test_every_verb_has_its_example() -> None:
    shown = {
        given[1] for name in BOTH for fence in fences(name) if fence.info == "beispiel" for given in fence.commands()
    }
    assert shown == set(get_command(app).commands)  # type: ignore[attr-defined]


SIGNS = str.maketrans({"·": "*", "−": "-", "²": "§"})
OPERATIONS: dict[type, Callable[[float, float], float]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv, ast.Pow: pow,
}  # fmt: skip


def value_of(text: str) -> float:
    """Compute what a line of arithmetic says, written as in German."""
    plain = re.sub(r"(?<=\d)\.(?=\d{3})", "", text).replace(",", ".").translate(SIGNS)
    plain = plain.replace("§", "**2").replace("√", "root")
    return computed(ast.parse(plain.strip(), mode="eval").body)


def computed(node: ast.expr) -> float:
    if isinstance(node, ast.Constant):
        return float(str(node.value))
    if isinstance(node, ast.BinOp):
        return OPERATIONS[type(node.op)](computed(node.left), computed(node.right))
    assert isinstance(node, ast.Call), ast.dump(node)
    return float(np.sqrt(computed(node.args[0])))


def arithmetic() -> Iterator[tuple[str, str, str]]:
    """Yield each line of arithmetic: what is computed, the result as printed, the unit behind it."""
    for fence in (fence for name in BOTH for fence in fences(name)):
        if fence.language == "rechnung":
            for line in fence.body.splitlines():
                left, right = line.split(" = ")
                number, _, unit = right.partition(" ")
                yield left, number, unit


def test_the_arithmetic_is_right() -> None:
    lines = list(arithmetic())
    assert len(lines) > 15
    for left, number, _unit in lines:
        decimals = len(number.partition(",")[2])
        assert abs(value_of(left) - value_of(number)) <= 0.5 * 10**-decimals + 1e-9, f"{left} = {value_of(left)}"


def sections() -> Iterator[tuple[str, str]]:
    for name in BOTH:
        for part in re.split(r"^## ", text_of(name), flags=re.MULTILINE)[1:]:
            head, _, body = part.partition("\n")
            yield head, body


@pytest.mark.parametrize(
    "section",
    ["Versorgung", "Erreichbarkeit", "Einzugsbereich", "Bestand und Bedarf", "Blick von einem Punkt",
     "Vergleichsgebiete", "Räumliche Häufungen", "Auswärtige Unterbringung", "Controlling", "Budget"],
)  # fmt: skip
def test_the_arithmetic_ends_at_what_the_program_says(section: str) -> None:
    """The last result of each section is a number that its command printed."""
    body = dict(sections())[section]
    found = re.findall(r"^```(\w+)[^\n]*\n(.*?)^```$", body, re.DOTALL | re.MULTILINE)
    printed = {word for language, text in found if language == "text" for word in text.split()}
    last = [text for language, text in found if language == "rechnung"][-1].splitlines()[-1]
    assert last.split(" = ")[1].split()[0] in printed, last


def test_every_measure_says_what_it_is_and_is_not() -> None:
    for head, body in sections():
        if "**Frage.**" in body:
            for part in ("**Beispiel.**", "**Wenn etwas fehlt.**", "**Was die Zahl nicht sagt.**", "```rechnung"):
                assert part in body, (head, part)


def test_every_verb_and_option_is_described() -> None:
    for verb, command in get_command(app).commands.items():  # type: ignore[attr-defined]
        name = next((one for one in BOTH if f"`analyse {verb}`" in prose(one)), None)
        assert name is not None, verb
        written = backticked(name)
        options = {name for parameter in command.params for name in parameter.opts} - {"--help"}
        assert not options - written, verb


@pytest.mark.parametrize("kind", ROWS)
def test_every_column_is_described(kind: Any) -> None:
    assert not {field.name for field in fields(kind)} - backticked(NAME)


@pytest.mark.parametrize("kind", HELP_ROWS)
def test_every_column_about_helps_is_described(kind: Any) -> None:
    assert not {field.name for field in fields(kind)} - backticked(HELPS)


def test_everything_a_point_tells_is_described() -> None:
    assert not {field.name for field in fields(PointReachAnswer)} - {"meta", "rows"} - backticked(NAME)


def test_every_word_a_parameter_takes_is_named() -> None:
    taken = {*get_args(Measure), *get_args(Mode), *KINDS, "places", "hours_per_week", "veroeffentlichung", "intern"}
    assert not taken - backticked(NAME)


def test_the_printed_speeds_are_those_of_the_program() -> None:
    pace = Pace()
    for text in ("4,8 km/h, also 80 m", "15 km/h, also 250 m", "| 1,3 |"):
        assert text in prose(NAME)
    assert (pace.metres_per_minute("walk"), pace.metres_per_minute("bike")) == pytest.approx((80, 250))
    assert pace.detour_factor == 1.3


def test_the_printed_assumptions_are_those_of_the_program() -> None:
    usual = ClustersRequest("x", "y")
    text = " ".join(prose(NAME).split())
    assert f"unter {words.number(usual.permutations)} zufälligen Vertauschungen" in text
    assert f"höchstens {words.plain(usual.significance)} ist" in text
    assert (STANDARD_MOVES, WEIGHT_MOVES) == ((0.9, 1.1), (0.75, 1.25))
    assert "um 10 % nach oben oder unten" in text
    assert "das des Bedarfs um 25 %" in text
    assert SLOW == (1, 0.68, 0.22)
    assert "Drittel der Zeit 1, bis zum zweiten 0,68, bis zur Grenze 0,22" in text


def test_commands_are_one_line_each() -> None:
    for fence in (fence for name in BOTH for fence in fences(name)):
        if fence.info == "beispiel":
            assert all(shlex.split(line)[:2] == ["sozialraumkarte", "analyse"] for line in fence.body.splitlines())
