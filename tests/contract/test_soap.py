"""Every operation of OCPP 1.5 and 1.6 over SOAP, both directions, by the official WSDLs."""

from collections.abc import Iterator
from copy import deepcopy
from datetime import datetime
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from services.ocpp import examples
from services.ocpp.soap.shapes import Field, Record, write_record
from services.ocpp.soap.spellings import SPELLINGS
from services.ocpp.soap.xml import parse
from services.ocpp.timestamps import read_time
from services.ocpp.versions import VERSIONS
from tests.contract import wsdl
from tests.contract.spec import Spec
from tests.contract.wsdl import CENTRAL_SYSTEM, CHARGE_POINT, Wsdl

SERVICES = list(wsdl.FILES)


@pytest.fixture(params=SERVICES, ids=["-".join(one) for one in SERVICES])
def service(request: pytest.FixtureRequest, spec: Spec) -> Wsdl:
    return wsdl.load(spec.folder, *request.param)


def own(shape: Record, payload: dict[str, Any]) -> dict[str, Any]:
    """What of a payload a record has."""
    made: dict[str, Any] = {}
    for one in [*shape.fields, *([shape.content] if shape.content else ())]:
        if one.key in payload:
            value = payload[one.key]
            record = one.record
            if record is not None:
                value = [own(record, item) for item in value] if one.many else own(record, value)
            made[one.key] = value
    return made


def payloads(service: Wsdl, action: str) -> Iterator[tuple[str, Record, dict[str, Any]]]:
    """Name of the element, its record, and the fullest example of 1.6 that the version can say; and the least."""
    operation, schemas = SPELLINGS[service.version].operations[action], VERSIONS["1.6"].schemas
    name = f"{action[:1].lower()}{action[1:]}"
    documents = (schemas.request_document(action), schemas.response_document(action))
    for document, shape, suffix in zip(
        documents, (operation.request, operation.response), ("Request", "Response"), strict=True
    ):
        for make in (examples.full, examples.minimal):
            payload = own(shape, make(document))
            if service.version == "1.5":
                payload = in_words_of_15(payload)
            yield name + suffix, shape, payload


# The examples have the first word of each list, which 1.5 may not have.
IN_15 = {"Cable": "Outlet", "Downloading": "Downloaded", "Idle": "Uploaded"}


def in_words_of_15(payload: Any) -> Any:
    match payload:
        case dict():
            return {key: in_words_of_15(value) for key, value in payload.items()}
        case list():
            return [in_words_of_15(value) for value in payload]
        case str():
            return IN_15.get(payload, payload)
    return payload


def simple(value: Any) -> Any:
    """As JSON has it: of what zeep reads, without what is not there."""
    match value:
        case dict():
            return {key: simple(item) for key, item in value.items() if item not in (None, [])}
        case list():
            return [simple(item) for item in value]
        case Decimal():
            return float(value)
        case datetime():
            return value
    return value


def as_zeep_reads(shape: Record, payload: dict[str, Any]) -> dict[str, Any]:
    """A payload in the names, words and nesting of the WSDL: what an independent reader must find."""
    made: dict[str, Any] = {}
    for one in shape.fields:
        if one.key in payload:
            value = payload[one.key]
            items = [_said(one, item) for item in (value if one.many else [value])]
            if one.inner:
                made[one.name] = [{one.inner: items}]
            else:
                made[one.name] = items if one.many else items[0]
    if shape.content is not None:
        made["_value_1"] = payload[shape.content.key]
    return made


def _said(one: Field, value: Any) -> Any:
    if one.record is not None:
        return as_zeep_reads(one.record, value)
    if isinstance(value, str):
        if value == examples.TIME:
            return read_time(value)
        return {own: there for there, own in one.words.items()}.get(value, value)
    return float(value) if isinstance(value, float) else value


def test_every_operation_is_there(service: Wsdl) -> None:
    spelling = SPELLINGS[service.version]
    assert len(service.actions) == wsdl.OPERATIONS[service.version, service.service]
    assert set(service.actions) <= spelling.operations.keys()


@pytest.mark.parametrize("version", SPELLINGS)
def test_no_operation_is_invented(version: str, spec: Spec) -> None:
    both = [wsdl.load(spec.folder, version, service).actions for _, service in SERVICES if _ == version]
    assert SPELLINGS[version].operations.keys() == {*both[0], *both[1]}


def test_what_we_write_is_valid_and_read_by_others(service: Wsdl) -> None:
    """In the order of the schema, whatever the order of the payload."""
    for action in service.actions:
        for name, shape, payload in payloads(service, action):
            shuffled = dict(Random(7).sample(list(payload.items()), len(payload)))
            written = write_record(shape, shuffled, "o:")
            found = service.parsed(name, f"<o:{name}>{written}</o:{name}>")
            assert simple(found or {}) == as_zeep_reads(shape, payload), name


def test_what_others_write_is_read_whatever_its_order(service: Wsdl) -> None:
    spelling = SPELLINGS[service.version]
    for action in service.actions:
        for name, shape, payload in payloads(service, action):
            written = parse(service.rendered(name, as_zeep_reads(shape, payload)))
            read = spelling.read_request if name.endswith("Request") else spelling.read_response
            expected = as_written(payload)
            assert as_written(read(action, written)) == expected, name
            turned = deepcopy(written)
            turned.children.reverse()
            assert as_written(read(action, turned)) == expected, name


def as_written(payload: Any) -> Any:
    """Times as moments: zeep writes them otherwise than we do."""
    match payload:
        case dict():
            return {key: as_written(value) for key, value in payload.items()}
        case list():
            return [as_written(value) for value in payload]
        case str() if payload[:10] == examples.TIME[:10]:
            return read_time(payload)
    return payload


def test_words_are_those_of_16(service: Wsdl) -> None:
    """But for the two that 1.5 alone has, and what a boot is never answered in 1.5."""
    schemas, spelling, alone = VERSIONS["1.6"].schemas, SPELLINGS[service.version], set[str]()
    for action in service.actions:
        operation = spelling.operations[action]
        request, response = schemas.request_document(action), schemas.response_document(action)
        for suffix, shape, document in (
            ("Request", operation.request, request),
            ("Response", operation.response, response),
        ):
            for name, listed in service.words(action + suffix).items():
                known = shape.field(name)
                assert known is not None
                schema = examples.resolve(document["properties"][known.key], document)
                alone |= {known.words.get(one, one) for one in listed} - {*schema["enum"]}
    only = {("1.5", CENTRAL_SYSTEM): {"Occupied"}, ("1.5", CHARGE_POINT): {"HashError"}}
    assert alone == only.get((service.version, service.service), set())
