"""Where uploaded bytes lie: a folder that only this process's user can read, and that ends with the process."""

import fcntl
import os
import re
import secrets
import shutil
import tempfile
import unicodedata
import weakref
from pathlib import Path, PurePosixPath

_PREFIX = "srk-hochgeladen-"
_LOCK = ".in-benutzung"
_MOST_CHARS = 80
_SUFFIX = re.compile(r"\.[a-z0-9]{1,10}")


class PrivateFolder:
    """A folder with mode 0700. It goes when the object or the process ends; of a killed one, when the next begins."""

    def __init__(self) -> None:
        base = Path(tempfile.gettempdir())
        _clear_abandoned(base)
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=base))
        # Held open as long as the process lives: whoever can lock it knows that nobody uses the folder any more.
        self._lock = os.open(self.path / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        weakref.finalize(self, _end, self.path, self._lock)

    def place_for(self, name: str) -> Path:
        """Return a path for a new file under a name that is safe but still the user's to recognise."""
        inner = self.path / secrets.token_hex(16)
        inner.mkdir(mode=0o700)
        return inner / harmless(name)

    def remove(self, file: Path) -> None:
        """Remove a file and what a reader may have left beside it."""
        if file.parent.parent == self.path:
            shutil.rmtree(file.parent, ignore_errors=True)


def _end(path: Path, lock: int) -> None:
    shutil.rmtree(path, ignore_errors=True)
    os.close(lock)


def _clear_abandoned(base: Path) -> None:
    """Remove folders of processes that were killed; those of living ones are locked, those of others not ours."""
    for folder in base.glob(f"{_PREFIX}*"):
        try:
            if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
                continue
            lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            pass
        finally:
            os.close(lock)


def harmless(name: str) -> str:
    """Return a file name without folders, control and bidi marks and signs that mean something to a program.

    The ending is kept, in small letters; readers are chosen by it, and what is inside they find out themselves.
    """
    last = PurePosixPath(unicodedata.normalize("NFC", name).replace("\\", "/")).name
    stem, _, ending = last.rpartition(".")
    suffix = f".{ending.lower()}" if stem and _SUFFIX.fullmatch(f".{ending.lower()}") else ""
    kept = re.sub(r"[^\w .,()+-]+", "_", stem if suffix else last)
    kept = "".join(sign for sign in kept if sign.isprintable()).strip(" .")[:_MOST_CHARS].strip(" .")
    return f"{kept or 'datei'}{suffix}"
