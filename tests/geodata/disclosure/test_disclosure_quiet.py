"""Nothing the solver writes by itself gets into what a command answers."""

import subprocess
import sys

from conftest import PROJECT

PROGRAM = """
import os
from geodata.disclosure.quiet import quiet_solver

@quiet_solver()
def solve():
    os.write(1, b"the solver's own line\\n")
    print("ours, meanwhile")

print("before")
for _ in range(3):
    solve()
print("after")
"""
WITHOUT_OUTPUT = "import os; os.close(1); os.close(2)\n" + PROGRAM.replace("print(", "len(").replace(
    "os.write(1, b", "len(b"
)


def test_what_the_solver_writes_is_no_output() -> None:
    made = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, cwd=PROJECT)
    assert made.stdout == "before\nafter\n"
    assert made.stderr == "the solver's own line\nours, meanwhile\n" * 3


def test_a_service_without_output_solves_too() -> None:
    subprocess.run([sys.executable, "-c", WITHOUT_OUTPUT], check=True, cwd=PROJECT)
