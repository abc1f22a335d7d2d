"""``/metrics``: how the datasets fare, for Prometheus. Nothing of the process, the machine or the visitors."""

import time
from collections.abc import Sequence

from fastapi import APIRouter, Request, Response
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from geodata.answer import read_state
from geodata.database import reading
from geodata.datasets import Health, health
from service.context import context_of

router = APIRouter(include_in_schema=False)


@router.get("/metrics")
def metrics(request: Request) -> Response:
    """Alter und letzter Fehlschlag jedes Bestands im Textformat von Prometheus."""
    with reading(context_of(request).engine, statement_timeout_ms=2000) as session:
        state = read_state(session)
        found = health(session)
    body = generate_latest(_registry(found, state.data_version, time.time()))
    return Response(body, media_type=CONTENT_TYPE_PLAIN_0_0_4, headers={"Cache-Control": "no-store"})


def _registry(found: Sequence[Health], data_version: int, now: float) -> CollectorRegistry:
    """Return the metrics of one moment in a registry of their own: the default one tells about the process."""
    registry = CollectorRegistry()
    Gauge("srk_data_version", "Rises with each import or rollback.", registry=registry).set(data_version)

    def of_each(name: str, words: str) -> Gauge:
        return Gauge(name, words, ["dataset"], registry=registry)

    age = of_each("srk_dataset_age_seconds", "Seconds since the source was last found well.")
    imported = of_each("srk_dataset_imported_timestamp_seconds", "When the visible version was imported.")
    checked = of_each("srk_dataset_checked_timestamp_seconds", "When the source was last found well.")
    failed = of_each("srk_dataset_failed_timestamp_seconds", "When renewing failed last; absent while it succeeds.")
    failing = of_each("srk_dataset_failing", "1 while renewing fails, else 0.")
    for dataset in found:
        failing.labels(dataset.dataset).set(dataset.failed is not None)
        for gauge, moment in ((imported, dataset.imported), (checked, dataset.checked), (failed, dataset.failed)):
            if moment is not None:
                gauge.labels(dataset.dataset).set(moment)
        if dataset.checked is not None:
            age.labels(dataset.dataset).set(max(now - dataset.checked, 0.0))
    return registry
