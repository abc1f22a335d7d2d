"""Folders a command writes: never over something that is not its own."""

import contextlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from service.cli.answering import OutputError

MARK = "sozialraumkarte.json"
_MADE_BY = "sozialraumkarte export map"


def check_folder(path: Path) -> None:
    """Raise ``OutputError`` where a folder cannot be written, or holds what such a command did not write.

    A folder is the command's own where the file ``sozialraumkarte.json`` in it names all that is in it.
    """
    parent = path.absolute().parent
    if (path.exists() and not path.is_dir()) or not parent.is_dir() or not os.access(parent, os.W_OK):
        raise OutputError(f"Nach „{path}“ lässt sich nicht schreiben (--out).")
    if not path.exists():
        return
    strangers = sorted({entry.name for entry in path.iterdir()} - _own(path))
    if strangers:
        raise OutputError(
            f"Im Ordner „{path}“ liegt „{strangers[0]}“, das nicht von hier stammt; bitte einen leeren oder neuen "
            "Ordner nennen (--out)."
        )


def _own(path: Path) -> set[str]:
    with contextlib.suppress(OSError, ValueError, TypeError, AttributeError):
        said = json.loads((path / MARK).read_text(encoding="utf-8"))
        if said.get("made_by") == _MADE_BY:
            return {str(name) for name in said.get("files", [])} | {MARK}
    return set()


def write_folder(path: Path, files: Mapping[str, bytes]) -> None:
    """Write a folder whole or not at all, in place of one this command wrote before."""
    check_folder(path)
    target = path.resolve()
    fresh, before = (target.with_name(f".{target.name}.{word}-{os.getpid()}") for word in ("neu", "alt"))
    said = {"made_by": _MADE_BY, "files": sorted(files)}
    try:
        fresh.mkdir()
        for name, body in files.items():
            (fresh / name).write_bytes(body)
        (fresh / MARK).write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
        if target.exists():
            target.rename(before)
        fresh.rename(target)
    except OSError as error:
        if before.exists() and not target.exists():
            before.rename(target)
        raise OutputError(f"Nach „{path}“ lässt sich nicht schreiben: {error.strerror} (--out).") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.rmtree(before, ignore_errors=True)
