"""What every OpenAPI document tells its reader."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from services.common.testing.memory import MemoryBus
from services.common.web.openapi import operations
from tests.integration.rest.serving import BUILDS, built

PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}


SERVICES = (*BUILDS, "gateway")


@pytest.fixture(scope="module")
def documents(environment: dict[str, str]) -> dict[str, dict[str, Any]]:
    return {name: built(name, environment, MemoryBus()).app.openapi() for name in SERVICES}


@pytest.fixture(params=SERVICES)
def document(request: pytest.FixtureRequest, documents: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return documents[request.param]


def test_it_says_what_it_is_of(document: dict[str, Any]) -> None:
    assert document["info"]["title"].startswith("Voltbus ")
    assert document["info"]["version"]
    assert document["info"]["description"]


def test_operations_have_names_of_their_own(document: dict[str, Any]) -> None:
    names = Counter(operation["operationId"] for _, operation in operations(document))
    assert not [name for name, count in names.items() if count > 1]


def test_every_operation_is_described(document: dict[str, Any]) -> None:
    tags = {tag["name"]: tag["description"] for tag in document.get("tags", ())}
    for path, operation in operations(document):
        where = (path, operation["operationId"])
        assert operation.get("description"), where
        assert all(tags.get(tag) for tag in operation["tags"]), where
        assert operation["tags"], where


def test_every_operation_says_what_it_answers(document: dict[str, Any]) -> None:
    for path, operation in of_version_1(document):
        good = [it for status, it in operation["responses"].items() if status.startswith("2") and status != "204"]
        assert good or "204" in operation["responses"], path
        for response in good:
            files = {kind: it for kind, it in response["content"].items() if kind != "application/json"}
            assert all(it["schema"] and it["examples"] for it in files.values()), path
            assert files or set(response["content"]["application/json"]["schema"]) & {"$ref", "anyOf"}, path
        bad = {status: it for status, it in operation["responses"].items() if status >= "400"}
        assert {"401", "403", "422", "503"} <= set(bad), path
        assert all(response["description"] and response["content"] == PROBLEM for response in bad.values()), path
        assert ("413" in bad) == ("requestBody" in operation), path


def test_every_operation_needs_a_token(document: dict[str, Any]) -> None:
    schemes = document["components"].get("securitySchemes", {})
    for path, operation in of_version_1(document):
        names = [name for requirement in operation["security"] for name in requirement]
        assert names, path
        assert all(schemes[name]["scheme"] == "bearer" and schemes[name]["description"] for name in names)


def test_bodies_have_examples(document: dict[str, Any]) -> None:
    for path, operation in of_version_1(document):
        for content in operation.get("requestBody", {}).get("content", {}).values():
            assert content.get("examples") or list(examples(content["schema"], document)), path


def of_version_1(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    return ((path, operation) for path, operation in operations(document) if path.startswith("/v1"))


def examples(schema: Any, document: dict[str, Any]) -> Iterator[Any]:
    """All that are in a schema, or in what it refers to."""
    if isinstance(schema, list):
        for part in schema:
            yield from examples(part, document)
    elif isinstance(schema, dict):
        if reference := schema.get("$ref"):
            schema = document["components"]["schemas"][reference.rpartition("/")[2]]
        yield from schema.get("examples", ()) if isinstance(schema.get("examples"), list) else ()
        for part in schema.values():
            yield from examples(part, document)
