"""The way of an uploaded file into the house: read as a stream, bounded, and only from a form of ours."""

import hashlib
import hmac
import shutil
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from pathlib import Path

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from geodata.errors import ForbiddenError, ParameterError, TooLargeError
from service.uploads.folder import PrivateFolder

# Fields of the form and the borders of its parts.
_BESIDE_BYTES = 256 * 1024
_MOST_FIELDS = 60
_MOST_FIELD_BYTES = 16 * 1024
GUARD_FIELD = "schutz"
FILE_FIELD = "datei"


@dataclass(frozen=True, slots=True)
class Received:
    """A file as it came: where it lies, its harmless name, size in bytes and SHA-256; ``fields``: those beside it."""

    path: Path
    name: str
    size: int
    checksum: str
    fields: Mapping[str, str]


class NoFileError(ParameterError):
    """A form of ours came without a file; ``fields``: what was filled in beside it."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__(FILE_FIELD, "Bitte eine Datei auswählen.")
        self.fields = fields


def form_token(secret: bytes, session: str) -> str:
    """Return what forms of a session carry, so that no other site can send them in its name."""
    return hmac.new(secret, session.encode(), "sha256").hexdigest()


def require_token(secret: bytes, session: str | None, given: str | None) -> None:
    """Raise ``ForbiddenError`` unless a form was made for this session."""
    if not session or not hmac.compare_digest(form_token(secret, session).encode(), (given or "").encode()):
        raise ForbiddenError(
            "Dieses Formular gehört nicht zu Ihrer Anmeldung; bitte die Seite neu laden und noch einmal absenden."
        )


async def receive(
    request: Request, folder: PrivateFolder, *, most_bytes: int, secret: bytes, session: str | None
) -> Received:
    """Take the file of a form; who may send it has been settled before.

    Raises ``TooLargeError`` as soon as it is known, ``ForbiddenError`` for a form that is not of this session,
    ``NoFileError`` for a form of ours without a file, ``ParameterError`` for what is no form. Nothing is kept then.
    """
    form = await _form(request, most_bytes)
    try:
        fields = {name: value for name, value in form.multi_items() if isinstance(value, str)}
        require_token(secret, session, fields.get(GUARD_FIELD))
        file = form.get(FILE_FIELD)
        if not isinstance(file, UploadFile) or not file.filename:
            raise NoFileError(fields)
        path = folder.place_for(file.filename)
        try:
            size, checksum = await run_in_threadpool(_keep, file, path)
            if size > most_bytes:
                raise too_large(most_bytes)
        except BaseException:
            folder.remove(path)
            raise
        return Received(path, path.name, size, checksum, fields)
    finally:
        await form.close()


async def _form(request: Request, most_bytes: int) -> FormData:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        raise ParameterError(FILE_FIELD, "Hier wird das Formular mit einer Datei erwartet.")
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > most_bytes + _BESIDE_BYTES:
        raise too_large(most_bytes)

    async def bounded() -> AsyncGenerator[bytes, None]:
        read = 0
        async for block in request.stream():
            read += len(block)
            if read > most_bytes + _BESIDE_BYTES:
                raise too_large(most_bytes)
            yield block

    # The parser keeps what is large in a file without a name, which ends with the form.
    parser = MultiPartParser(
        request.headers, bounded(), max_files=1, max_fields=_MOST_FIELDS, max_part_size=_MOST_FIELD_BYTES
    )
    try:
        return await parser.parse()
    except (MultiPartException, UnicodeDecodeError, KeyError) as error:
        raise ParameterError(
            FILE_FIELD, "Das Formular kam nicht vollständig an; bitte noch einmal absenden."
        ) from error


def _keep(file: UploadFile, path: Path) -> tuple[int, str]:
    with path.open("wb") as kept:
        shutil.copyfileobj(file.file, kept, 1024 * 1024)
    with path.open("rb") as kept:
        return path.stat().st_size, hashlib.file_digest(kept, "sha256").hexdigest()


def too_large(most_bytes: int) -> TooLargeError:
    """Return the error for a file over the limit."""
    megabytes = most_bytes / 1024**2
    return TooLargeError(
        FILE_FIELD,
        f"Die Datei ist größer als {megabytes:.0f} MB; größere nimmt der Dienst im Browser nicht an "
        "(SRK_UPLOAD_MAX_MB). Auf der Kommandozeile geht es mit „sozialraumkarte import“.",
    )
