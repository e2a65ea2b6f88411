"""The one OpenAPI document: valid, of all services, and nothing in it has the name of something else."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from deploy.openapi import SCHEMAS, documents, merged
from services.common.web.one_address import DOCUMENT
from services.common.web.openapi import complete, operations
from services.ocpp.commands import owners
from services.ocpp.services import SERVICES


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(DOCUMENT.read_text())
    return found


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from ([value["$ref"]] if isinstance(value.get("$ref"), str) else [])
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from references(part)


def test_it_is_valid(document: dict[str, Any]) -> None:
    assert [error.message for error in OPENAPI_31_VALIDATOR.iter_errors(document)] == []
    names = {SCHEMAS + name for name in document["components"]["schemas"]}
    assert set(references(document)) <= names


def test_names_of_operations_are_unique(document: dict[str, Any]) -> None:
    names = Counter(operation["operationId"] for _, operation in operations(document))
    assert max(names.values()) == 1


def test_every_action_and_every_service_is_in_it(document: dict[str, Any]) -> None:
    assert {path.split("/")[1] for path in document["paths"]} == set(SERVICES)
    for action, owner in owners().items():
        if owner in SERVICES:
            assert f"/{owner}/v1/stations/{{station_id}}/commands/{action}" in document["paths"]


def test_tags_say_which_service(document: dict[str, Any]) -> None:
    tags = {tag["name"] for tag in document["tags"]}
    assert len(tags) == len(document["tags"])
    for path, operation in operations(document):
        assert set(operation["tags"]) <= tags
        assert {tag.split(": ")[0] for tag in operation["tags"]} == {path.split("/")[1]}


# JSON Schema 2020-12, validation and annotation; OpenAPI 3.1 adds four.
WITHIN = ("properties", "patternProperties", "$defs", "dependentSchemas")
SEVERAL = ("allOf", "anyOf", "oneOf", "prefixItems")
ONE = ("items", "contains", "additionalProperties", "propertyNames", "not", "if", "then", "else")
ONE_TOO = ("unevaluatedItems", "unevaluatedProperties", "contentSchema")
PLAIN = {
    *("$id", "$schema", "$ref", "$anchor", "$dynamicRef", "$dynamicAnchor", "$comment", "$vocabulary"),
    *("type", "enum", "const", "multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum"),
    *("maxLength", "minLength", "pattern", "maxItems", "minItems", "uniqueItems", "maxContains", "minContains"),
    *("maxProperties", "minProperties", "required", "dependentRequired", "format", "contentEncoding"),
    *("contentMediaType", "title", "description", "default", "deprecated", "readOnly", "writeOnly", "examples"),
    *("discriminator", "xml", "externalDocs", "example"),
}


def schemas_of(value: Any) -> Iterator[Any]:
    """The schemas of a document that no other has within it."""
    if isinstance(value, list):
        for part in value:
            yield from schemas_of(part)
    elif isinstance(value, dict):
        for key, part in value.items():
            if key == "schema":
                yield part
            elif key == "schemas":
                yield from part.values()
            elif key not in ("example", "examples"):
                yield from schemas_of(part)


def unknown(schema: Any) -> Iterator[str]:
    if isinstance(schema, bool):
        return
    for key, part in schema.items():
        inner = part.values() if key in WITHIN else part if key in SEVERAL else [part]
        if key in (*WITHIN, *SEVERAL, *ONE, *ONE_TOO):
            for one in inner:
                yield from unknown(one)
        elif key not in PLAIN:
            yield key


@pytest.fixture(scope="module")
def all_documents(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {"all": document, **documents()}


def test_schemas_have_no_word_that_json_schema_has_not(all_documents: dict[str, dict[str, Any]]) -> None:
    for name, one in all_documents.items():
        found = {key for schema in schemas_of(one) for key in unknown(schema)}
        assert (name, found) == (name, set())


def test_limits_are_told(document: dict[str, Any]) -> None:
    limit = document["components"]["schemas"]["PeriodBody"]["properties"]["limit"]
    assert {key: limit[key] for key in ("minimum", "maximum")} == {"minimum": 0, "maximum": 100_000_000}


def test_a_field_may_have_the_name_of_a_limit() -> None:
    field = {"type": "integer", "ge": 1, "lt": 5}
    found = {"paths": {}, "components": {"schemas": {"A": {"properties": {"ge": field}}}}}
    complete(found, {})
    assert found["components"]["schemas"]["A"]["properties"] == {
        "ge": {"type": "integer", "minimum": 1, "exclusiveMaximum": 5}
    }


def test_no_two_schemas_make_classes_of_one_name(all_documents: dict[str, dict[str, Any]]) -> None:
    for document in all_documents.values():
        schemas = document["components"]["schemas"]
        titles = Counter(re.sub(r"\W", "", schema.get("title", name)).casefold() for name, schema in schemas.items())
        assert [title for title, times in titles.items() if times > 1] == []


def test_names_of_schemas_are_names_of_classes_and_of_no_module(all_documents: dict[str, dict[str, Any]]) -> None:
    names = {name for document in all_documents.values() for name in document["components"]["schemas"]}
    assert [name for name in names if not re.fullmatch("[A-Z][A-Za-z0-9]*(_[A-Za-z0-9]+)*_?", name)] == []


def small(**schemas: Any) -> dict[str, Any]:
    answer = {"description": "", "content": {"application/json": {"schema": {"$ref": f"{SCHEMAS}Page"}}}}
    operation = {"operationId": "get_things", "tags": ["things"], "responses": {"200": answer}}
    return {
        "openapi": "3.1.0",
        "paths": {"/v1/things": {"get": operation}, "/": {"get": {**operation, "tags": ["operations"]}}},
        "components": {"schemas": schemas},
        "tags": [{"name": "things", "description": "t"}, {"name": "operations", "description": "o"}],
    }


def test_schemas_that_differ_are_told_apart_and_so_are_those_that_refer_to_them() -> None:
    page, error = {"items": {"$ref": f"{SCHEMAS}View"}}, {"type": "object"}
    one, other = ({"type": "object", "title": title} for title in ("one", "other"))
    found = merged(
        {"auth": small(Page=page, View=one, Error=error), "firmware": small(Page=page, View=other, Error=error)}
    )
    assert set(found["components"]["schemas"]) == {"AuthPage", "AuthView", "FirmwarePage", "FirmwareView", "Error"}
    for service, view in (("auth", one), ("firmware", other)):
        name = service.capitalize()
        operation = found["paths"][f"/{service}/v1/things"]["get"]
        assert list(references(operation)) == [f"{SCHEMAS}{name}Page"]
        assert list(references(found["components"]["schemas"][f"{name}Page"])) == [f"{SCHEMAS}{name}View"]
        assert found["components"]["schemas"][f"{name}View"] == view | {"title": f"{name}View"}


def test_schemas_that_are_the_same_are_one() -> None:
    page = {"type": "object"}
    found = merged({"auth": small(Page=page), "firmware": small(Page=page)})
    assert found["components"]["schemas"] == {"Page": page}
    assert list(found["paths"]) == ["/auth/v1/things", "/firmware/v1/things"]
    assert [tag["name"] for tag in found["tags"]] == ["auth: things", "firmware: things"]
