"""What is large and read whole from the database is kept in the process, once per state of the data."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from sqlalchemy.orm import Session

from geodata.answer import read_state

Value = TypeVar("Value")


class Kept(Generic[Value]):
    """The last values by key, at most so many; threads that ask for one being made wait for that one making."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._making: dict[Hashable, threading.Lock] = {}
        self._guard = threading.Lock()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """Return the value kept under this key, or make and keep it; what was used least recently goes."""
        with self._guard:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
            lock = self._making.setdefault(key, threading.Lock())
        with lock:
            with self._guard:
                if key in self._values:
                    return self._values[key]
            try:
                value = make()
                with self._guard:
                    self._values[key] = value
                    while len(self._values) > self._most:
                        self._values.popitem(last=False)
            finally:
                with self._guard:
                    self._making.pop(key, None)
        return value


def database_of(session: Session) -> tuple[str, str]:
    """Return what tells one database from another: its address and its instance id.

    Both, because a copied database has its original's instance id until it is restored from a backup.
    """
    return str(session.get_bind().engine.url.set(username=None, password=None)), read_state(session).instance_id
