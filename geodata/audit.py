"""The record of what was taken along that the public may not see."""

from typing import Any

import orjson
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from geodata.database import READ_GROUP, writing
from geodata.viewer import Viewer


def record(engine: Engine, viewer: Viewer, action: str, detail: dict[str, Any]) -> None:
    """Write one line of the record, in a transaction of its own and with the serving group's rights.

    ``viewer`` is noted by role and provider key; the record knows no persons.
    """
    with writing(engine, group=READ_GROUP) as session:
        _insert(session, viewer, action, detail)


def _insert(session: Session, viewer: Viewer, action: str, detail: dict[str, Any]) -> None:
    session.execute(
        text("INSERT INTO audit (viewer, action, detail) VALUES (:viewer, :action, CAST(:detail AS jsonb))"),
        {"viewer": viewer.scope(), "action": action, "detail": orjson.dumps(detail).decode()},
    )
