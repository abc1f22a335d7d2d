"""Alive and ready, for supervisors: ``/health`` asks nothing of the database, ``/ready`` everything."""

from fastapi import APIRouter, Request, Response

from geodata.database import reading
from geodata.readiness import what_is_missing
from service.api.documentation import PROBLEM
from service.context import context_of
from service.errors import problem

router = APIRouter(tags=["Betrieb"])


@router.get("/health", summary="Läuft der Dienst?")
def health() -> dict[str, str]:
    """Antwortet, solange der Prozess lebt."""
    return {"status": "ok"}


@router.get("/ready", summary="Ist der Dienst bereit?", responses={503: PROBLEM})
def ready(request: Request) -> Response:
    """Prüft Datenbank, Migrationsstand und ob Daten geladen sind."""
    context = context_of(request)
    with reading(context.engine, statement_timeout_ms=2000) as session:
        missing = what_is_missing(session)
    if missing:
        return problem(503, missing)
    return Response('{"status":"ready"}', media_type="application/json", headers={"Cache-Control": "no-store"})
