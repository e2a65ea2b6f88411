"""All REST APIs at one address: what its document says is there, and what goes on for long goes through."""

import json
import re

from services.ocpp.services import SERVICES
from tests.clients.system import System
from voltbus.settings import REST

# Of a form that every route takes.
UNKNOWN = "0e5ab1c5-0c3b-4b0e-9f5e-7a1d6d6f2b11"
NOWHERE = {f"urn:voltbus:problem:{kind}" for kind in ("no-such-address", "wrong-method", "broken-off", "unavailable")}


async def test_every_operation_of_its_document_is_there(voltbus: System) -> None:
    one = voltbus.processes.rest(REST)
    paths = (await voltbus.http.get(f"{one}/openapi.json")).json()["paths"]
    assert {path.split("/")[1] for path in paths} == set(SERVICES)
    for path, operations in paths.items():
        for method in operations:
            url = one + re.sub(r"{\w+}", UNKNOWN, path)
            async with voltbus.http.stream(method.upper(), url) as answer:
                if answer.status_code >= 400:
                    said = json.loads(await answer.aread())
                    assert said["type"] not in NOWHERE, (method, path, said)


async def test_each_service_says_where_it_and_the_others_are(voltbus: System) -> None:
    one = voltbus.processes.rest(REST)
    listed = (await voltbus.http.get(one)).json()["services"]
    assert {service["name"]: service["url"] for service in listed} == {name: f"{one}/{name}" for name in SERVICES}
    for service in listed:
        said = (await voltbus.http.get(f"{service['url']}/")).json()
        assert said["services"] == listed
        assert [(await voltbus.http.get(link)).status_code for link in said["links"].values()] == [200] * 5
    elsewhere = await voltbus.http.post(f"{one}/auth/v1/stations/CP-1/commands/Reset", json={"type": "Soft"})
    assert elsewhere.json()["detail"] == f"Reset belongs to firmware: {one}/firmware/v1/stations/CP-1/commands/Reset"


async def test_where_a_command_is_read_is_below_its_service(voltbus: System) -> None:
    one = voltbus.processes.rest(REST)
    await voltbus.register("one-address-1")
    path = "/firmware/v1/stations/one-address-1/commands/Reset"
    given = await voltbus.http.post(one + path, json={"type": "Soft"}, params={"expires_in": 1})
    found = await voltbus.http.get(one + given.headers["location"])
    assert found.json()["command_id"] == given.json()["command_id"]
