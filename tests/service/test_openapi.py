"""The OpenAPI description is complete, and the API keeps to it, whether schemathesis asks rightly or wrongly."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from conftest import Database
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from service_help import API, client_of
from starlette.testclient import TestClient

from service.app import create_app
from service.formats import MEDIA_TYPES
from service.settings import Settings

CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)


@pytest.fixture(scope="session")
def api_schema(demo_database: Database) -> Any:
    given = Settings(_env_file=None, default_limit=20, max_rows=50)  # type: ignore[call-arg]
    return schemathesis.openapi.from_asgi("/api/openapi.json", create_app(given, demo_database.serving))


@pytest.fixture(scope="module")
def client(demo_database: Database) -> TestClient:
    return client_of(demo_database.serving)


@pytest.fixture(scope="module")
def described(client: TestClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/api/openapi.json").json()
    return found


PATHS = ["/health", "/ready", API + "/datasets", API + "/areas", API + "/areas/{level}/{key}", API + "/facilities",
         API + "/facilities/{dataset}/{facility_id}", API + "/statistics", API + "/indicators",
         API + "/coverage", API + "/gaps", API + "/standards", API + "/areas/{level}/{key}/similar",
         API + "/statistics/clusters", API + "/statistics/change", API + "/reach", API + "/placements",
         API + "/placements/gaps", API + "/controlling", API + "/controlling/budget", API + "/search"]  # fmt: skip
# Where there is no parameter, there is nothing to get wrong.
CASES = [(path, mode) for path in PATHS for mode in GenerationMode if path.startswith(API) or mode.is_positive]


def keeps_its_word(api_schema: Any, path: str, mode: GenerationMode, **how: Any) -> None:
    calm = settings(deadline=None, suppress_health_check=list(HealthCheck), database=None, **how)

    @calm
    @given(case=api_schema[path]["GET"].as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        case.call_and_validate(checks=CHECKS)

    ask()


@pytest.mark.parametrize(("path", "mode"), CASES)
def test_api_keeps_its_word(api_schema: Any, path: str, mode: GenerationMode) -> None:
    keeps_its_word(api_schema, path, mode, max_examples=8, derandomize=True)


@pytest.mark.long
@pytest.mark.parametrize(("path", "mode"), CASES)
def test_api_keeps_its_word_long(api_schema: Any, path: str, mode: GenerationMode) -> None:
    keeps_its_word(api_schema, path, mode, max_examples=300)


def operations(described: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in described["paths"].items():
        for operation in methods.values():
            yield path, operation


def test_every_route_is_described_in_german(described: dict[str, Any]) -> None:
    for path, operation in operations(described):
        assert operation["summary"], path
        assert operation["description"].strip().endswith("."), path
        assert operation["tags"], path


def test_every_public_route_is_there(described: dict[str, Any]) -> None:
    assert set(described["paths"]) == set(PATHS)


def test_every_parameter_is_described(described: dict[str, Any]) -> None:
    seen = 0
    for path, operation in operations(described):
        for parameter in operation.get("parameters", []):
            assert len(parameter.get("description", "")) > 5, (path, parameter["name"])
            seen += 1
    assert seen > 25


def test_parameters_of_the_contract(described: dict[str, Any]) -> None:
    names: dict[str, set[str]] = {}
    for path, operation in operations(described):
        names.setdefault(path, set()).update(q["name"] for q in operation.get("parameters", []))
    assert {"category", "type", "age", "barrier_free", "area", "bbox", "q"} <= names[API + "/facilities"]
    assert "level" in names[API + "/areas"]
    assert {"indicator", "level", "period", "scenario", "position", "area"} <= names[API + "/statistics"]
    assert {"level", "category", "measure", "age_from", "age_to", "minutes", "mode", "supply_unit", "period", "area",
            "decay", "type", "barrier_free"} <= names[API + "/coverage"]  # fmt: skip
    assert {"level", "category", "standard", "period", "need", "need_weight"} <= names[API + "/gaps"]
    assert {"level", "paragraph", "period", "compare", "area_role", "counting", "area",
            "series"} <= names[API + "/placements"]  # fmt: skip
    assert {"level", "from", "to", "area", "base", "yearly_growth", "scenario", "measure",
            "city_level"} <= names[API + "/controlling"]  # fmt: skip
    assert {"area", "from", "to", "base"} <= names[API + "/controlling/budget"]
    for path, found in names.items():
        if path.startswith(API):
            assert {"format", "version"} <= found
    for path in (API + "/facilities", API + "/areas", API + "/statistics", API + "/coverage", API + "/gaps",
                 API + "/placements", API + "/controlling"):  # fmt: skip
        assert {"limit", "cursor"} <= names[path]


def test_errors_are_described(described: dict[str, Any]) -> None:
    for path, operation in operations(described):
        assert "422" not in operation["responses"], path
        if path.startswith(API):
            for status in ("400", "403", "404", "503"):
                assert "application/problem+json" in operation["responses"][status]["content"]
            assert "304" in operation["responses"]
    assert not re.search(r"HTTPValidationError|ValidationError", str(described))


def test_what_is_sent_is_described(described: dict[str, Any]) -> None:
    operation = described["paths"][API + "/coverage"]["post"]
    assert {"level", "area"}.isdisjoint(parameter["name"] for parameter in operation["parameters"])
    assert {"application/geo+json", "application/json"} == set(operation["requestBody"]["content"])
    for status in ("409", "413"):
        assert "application/problem+json" in operation["responses"][status]["content"]


def test_formats_described_are_the_formats_served(client: TestClient, described: dict[str, Any]) -> None:
    examples = {"/datasets": {}, "/areas": {"level": "bezirk"}, "/areas/{level}/{key}": {},
                "/facilities": {}, "/facilities/{dataset}/{facility_id}": {}, "/indicators": {},
                "/statistics": {"indicator": "population", "level": "stadtteil", "limit": "20"},
                "/coverage": {"level": "bezirk", "category": "okja"}, "/standards": {},
                "/gaps": {"level": "bezirk", "category": "okja", "standard_value": "30"},
                "/areas/{level}/{key}/similar": {},
                "/statistics/clusters": {"indicator": "sgb2_u14_proz", "level": "stadtteil"},
                "/reach": {"lon": "10.0", "lat": "53.56"}, "/search": {"q": "Altona"}}  # fmt: skip
    for template, asked in examples.items():
        path = template.replace("{level}/{key}", "bezirk/1")
        path = path.replace("{dataset}/{facility_id}", "facilities.kita/beispiel-kita-0001")
        served = set()
        for wanted, media in MEDIA_TYPES.items():
            answer = client.get(API + path, params={**asked, "format": wanted.value})
            if answer.status_code == 200:
                assert answer.headers["content-type"] == media
                served.add(media.split(";")[0])
        operation = described["paths"][API + template]["get"]
        assert set(operation["responses"]["200"]["content"]) == served, template


def test_rows_have_exactly_the_described_columns(client: TestClient, described: dict[str, Any]) -> None:
    examples = {"/datasets": "/datasets", "/areas": "/areas?level=bezirk", "/areas/{level}/{key}": "/areas/bezirk/1",
                "/facilities": "/facilities", "/indicators": "/indicators",
                "/statistics": "/statistics?indicator=population&level=stadtteil",
                "/coverage": "/coverage?level=bezirk&category=okja", "/standards": "/standards",
                "/gaps": "/gaps?level=bezirk&category=okja&standard_value=30",
                "/areas/{level}/{key}/similar": "/areas/bezirk/1/similar",
                "/statistics/clusters": "/statistics/clusters?indicator=sgb2_u14_proz&level=stadtteil",
                "/reach": "/reach?lon=10.0&lat=53.56", "/search": "/search?q=Altona"}  # fmt: skip
    for template, url in examples.items():
        answer = described["paths"][API + template]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        body = client.get(API + url).json()
        assert set(body["rows"][0]) == set(answer["properties"]["rows"]["items"]["properties"]), template
        assert set(body["meta"]) == set(answer["properties"]["meta"]["properties"])


def test_description_is_the_same_every_time(demo_database: Database, client: TestClient) -> None:
    assert client_of(demo_database.serving).get("/api/openapi.json").content == client.get("/api/openapi.json").content
