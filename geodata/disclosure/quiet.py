"""Keeps what the solver's own code writes out of our output.

HiGHS now and then writes a line of its own on the process's standard output, whatever it is told; a command whose
answer is JSON would no longer be one.
"""

import contextlib
import os
import sys
from collections.abc import Iterator

_OUT, _ERR = 1, 2


@contextlib.contextmanager
def quiet_solver() -> Iterator[None]:
    """Send what is written on standard output meanwhile to standard error; nothing is lost."""
    sys.stdout.flush()
    try:
        kept = os.dup(_OUT)
    except OSError:  # a service without standard output has nothing to keep clean
        yield
        return
    try:
        os.dup2(_ERR, _OUT)
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, _OUT)
        os.close(kept)
