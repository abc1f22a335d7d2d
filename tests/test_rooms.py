"""No room imports what the house's table forbids."""

import ast
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
ROOMS = {"geodata", "importers", "layers", "service"}
ALLOWED = {
    "geodata": {"geodata"},
    "importers": {"importers", "geodata"},
    "layers": {"layers", "geodata"},
    "service": ROOMS,
}


def imported_rooms(source: str) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module.split(".")[0])
    return found & ROOMS


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_a_room_imports_only_what_it_may(room: str) -> None:
    files = [path for path in (PROJECT / room).rglob("*.py") if "node_modules" not in path.parts]
    assert files
    wrong = {
        f"{path.relative_to(PROJECT)}: {sorted(strange)}"
        for path in files
        if (strange := imported_rooms(path.read_text(encoding="utf-8")) - ALLOWED[room])
    }
    assert not wrong


def test_only_service_reads_the_environment() -> None:
    readers = [
        str(path.relative_to(PROJECT))
        for room in ROOMS - {"service"}
        for path in (PROJECT / room).rglob("*.py")
        if "node_modules" not in path.parts and "os.environ" in path.read_text(encoding="utf-8")
    ]
    # The demo's writer sets GDAL's clock while it writes; it reads no setting.
    assert set(readers) <= {"importers/demo/files.py"}


def test_the_check_sees_a_forbidden_import() -> None:
    assert imported_rooms("from service.app import create_app\nimport layers.canvas") == {"service", "layers"}
