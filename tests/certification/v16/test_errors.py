"""Errors: requests that are wrong, answers that are errors, none at all, and stations that are away."""

import pytest
import websockets

from tests.certification.operator import Operator
from tests.certification.states import Token
from tests.certification.station import Station, now
from tests.certification.v16.states import ACCEPTED, NOBODYS, Session, answered, booted
from tests.clients.library import dial

# As 1.6 writes them, and as an operator sees them of every version.
CODES = {
    "NotImplemented": "NotImplemented",
    "NotSupported": "NotSupported",
    "InternalError": "InternalError",
    "ProtocolError": "ProtocolError",
    "SecurityError": "SecurityError",
    "FormationViolation": "FormatViolation",
    "PropertyConstraintViolation": "PropertyConstraintViolation",
    "OccurenceConstraintViolation": "OccurrenceConstraintViolation",
    "TypeConstraintViolation": "TypeConstraintViolation",
    "GenericError": "GenericError",
}


async def strict(station: Station, operator: Operator) -> None:
    """The station is registered to be read strictly, and has booted."""
    await operator.put("auth", f"/v1/stations/{station.id}", {"reading": "strict"})
    await station.reconnect()
    await booted(station)


async def alive(station: Station) -> None:
    """The connection works still."""
    assert "currentTime" in await station.call("Heartbeat")


async def test_16_request_unknown(station: Station) -> None:
    """A station asks for what no version has (1.6-J §4.2.3 NotImplemented)."""
    await booted(station)
    assert await station.wrong("MakeCoffee", {}) == "NotImplemented"
    await alive(station)


async def test_16_request_not_supported(station: Station) -> None:
    """A station asks for what only a central system may ask (1.6-J §4.2.3 NotSupported)."""
    await booted(station)
    assert await station.wrong("Reset", {"type": "Hard"}) == "NotSupported"
    await alive(station)


async def test_16_request_incomplete(station: Station, operator: Operator) -> None:
    """A request lacks what its decision needs, and is shown to the operator (1.6-J §4.2.3)."""
    await booted(station)
    assert await station.wrong("Authorize", {}) in ("ProtocolError", "OccurenceConstraintViolation")
    await alive(station)
    path = f"/v1/stations/{station.id}/refused"
    page = await operator.until("firmware", path, lambda page: bool(page["items"]))
    assert [one["action"] for one in page["items"]] == ["Authorize"]


async def test_16_request_incomplete_strictly(station: Station, operator: Operator) -> None:
    """A field is missing, and the station is read strictly (1.6-J §4.2.3 OccurenceConstraintViolation)."""
    await strict(station, operator)
    wrong = {"connectorId": 1, "errorCode": "NoError"}
    assert await station.wrong("StatusNotification", wrong) == "OccurenceConstraintViolation"
    await alive(station)


async def test_16_request_wrong_value(station: Station, operator: Operator) -> None:
    """A field has a value that it cannot have (1.6-J §4.2.3 PropertyConstraintViolation)."""
    await strict(station, operator)
    wrong = {"connectorId": 1, "errorCode": "NoError", "status": "Sleeping"}
    assert await station.wrong("StatusNotification", wrong) == "PropertyConstraintViolation"
    await alive(station)


async def test_16_request_wrong_type(station: Station, operator: Operator) -> None:
    """A field has another type, or is too long (1.6-J §4.2.3 TypeConstraintViolation)."""
    await strict(station, operator)
    for id_tag in (7, "x" * 21):
        assert await station.wrong("Authorize", {"idTag": id_tag}) == "TypeConstraintViolation"
    await alive(station)


async def test_16_request_more_fields(station: Station, operator: Operator) -> None:
    """A request has a field that it must not have (1.6-J §4.2.3 FormationViolation, errata 3.2)."""
    await strict(station, operator)
    assert await station.wrong("Authorize", {"idTag": NOBODYS, "color": "red"}) == "FormationViolation"
    await alive(station)


async def test_16_request_tolerated(station: Station, token: Token, operator: Operator) -> None:
    """What nothing hangs on is passed over where the station is not read strictly (1.6-J errata 3.2)."""
    await booted(station)
    answer = await station.tolerated("Authorize", {"idTag": token.id, "color": "red"})
    assert answer == {"idTagInfo": ACCEPTED}
    page = await operator.until("auth", "/v1/decisions", lambda page: bool(page["items"]), station_id=station.id)
    assert [one["rule"] for one in page["items"]] == ["registered"]


async def test_16_frame_unreadable(station: Station) -> None:
    """What is no frame is never answered, and the connection goes on (1.6-J §4.1.3)."""
    await booted(station)
    for text in ("{nonsense", "[]", '{"a":1}', '[9,"a","Heartbeat",{}]', '[3,"never-asked",{}]'):
        await station.says(text)
    await alive(station)


async def test_16_subprotocol_unknown(known: Station) -> None:
    """A station offers no subprotocol that is spoken: it is let in, and closed (1.6-J §3.2)."""
    async with dial(known.endpoint, known.id, "ocpp0.9", password=known.password) as connection:
        assert connection.subprotocol is None
        with pytest.raises(websockets.ConnectionClosed):
            await connection.recv()


async def test_16_unknown_station(known: Station) -> None:
    """A station that nobody has registered is turned away (1.6-J §3.2)."""
    known.id = f"{known.id}-NOBODYS"
    with pytest.raises(websockets.InvalidStatus) as refused:
        await known.connect()
    assert refused.value.response.status_code in (401, 404)


async def test_16_command_error(station: Station, operator: Operator) -> None:
    """A station answers a command with an error: each that there is, and the operator sees which (1.6-J §4.2.3)."""
    await booted(station)
    for code, shown in CODES.items():
        command = await operator.act("auth", station.id, "clear-cache", {})
        await station.fails(await station.next_call("ClearCache"), code)
        ended = await command.ended()
        assert (ended["status"], ended["outcome"], ended["error_code"]) == ("rejected", "refused", shown)


async def test_16_command_answer_unusable(station: Station, operator: Operator) -> None:
    """A station answers a command with what is no answer to it, and the operator sees it (1.6-J §4.2.2)."""
    await booted(station)
    command = await operator.act("auth", station.id, "clear-cache", {})
    asked = await station.next_call("ClearCache")
    await station.unusable(asked, {"color": "red"})
    ended = await command.ended()
    assert (ended["status"], ended["outcome"]) == ("rejected", "invalid")


async def test_16_command_answer_unknown_word(station: Station, operator: Operator) -> None:
    """A station answers a command with a word that 1.6 does not have: the operator sees it as it is (1.6-J §4.2.2)."""
    await booted(station)
    command = await operator.act("auth", station.id, "clear-cache", {})
    await station.unusable(await station.next_call("ClearCache"), {"status": "Perhaps"})
    ended = await command.ended()
    assert (ended["status"], ended["effect"], ended["response"]) == ("answered", None, {"status": "Perhaps"})


async def test_16_command_unanswered(station: Station, operator: Operator) -> None:
    """A station never answers a command: it ends, the next is sent, and a late answer is shown (1.6-J §4.1.1)."""
    await booted(station)
    first = await operator.act("auth", station.id, "clear-cache", {})
    asked = await station.next_call("ClearCache")
    ended = await first.ended()
    assert (ended["status"], ended["outcome"]) == ("expired", "timed_out")
    await station.answers(asked, ACCEPTED)
    path = f"/v1/commands/{first.id}"
    await operator.until("auth", path, lambda shown: shown["outcome"] == "late")
    second = await operator.act("auth", station.id, "clear-cache", {})
    await answered(station, second, "ClearCache", {}, ACCEPTED, "accepted")


async def test_16_command_connection_lost(station: Station, operator: Operator) -> None:
    """A station goes before it answers: the command is not sent again to its next connection (1.6-J §4.1.1)."""
    await booted(station)
    command = await operator.act("auth", station.id, "clear-cache", {})
    await station.next_call("ClearCache")
    await station.reconnect()
    ended = await command.ended()
    assert (ended["status"], ended["outcome"]) == ("expired", "timed_out")
    await alive(station)


async def test_16_command_waits(station: Station, operator: Operator) -> None:
    """A command to a station that is away waits for it (1.6-J §5.4)."""
    await booted(station)
    await station.close()
    command = await operator.act("auth", station.id, "clear-cache", {}, expires_in=60)
    await station.connect()
    await answered(station, command, "ClearCache", {}, ACCEPTED, "accepted")


async def test_16_command_expires(station: Station, operator: Operator) -> None:
    """A command to a station that stays away ends, and is never sent (1.6-J §5.4)."""
    await booted(station)
    await station.close()
    command = await operator.act("auth", station.id, "clear-cache", {}, expires_in=1)
    ended = await command.ended()
    assert (ended["status"], ended["outcome"]) == ("expired", "expired")
    await station.connect()
    await alive(station)


async def test_16_command_wrong(station: Station, operator: Operator) -> None:
    """A command that breaks its schema, or that 1.6 does not have, is never sent (1.6-J errata 3.8)."""
    await booted(station)
    commands = f"/v1/stations/{station.id}/commands"
    wrong = await operator.request("POST", "firmware", f"{commands}/Reset", {"type": "Gentle"})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "body.type")
    other = await operator.request("POST", "firmware", f"{commands}/GetVariables", {"getVariableData": []})
    assert other.status_code in (409, 422)
    await alive(station)


async def test_16_one_at_a_time(station: Station, session: Session, operator: Operator) -> None:
    """A second command waits for the answer to the first; the station's own requests do not (1.6-J §4.1.1)."""
    await booted(station)
    commands = [await operator.act("auth", station.id, "clear-cache", {}) for _ in range(2)]
    first = await station.next_call("ClearCache")
    await session.start(timestamp=now())
    await station.answers(first, ACCEPTED)
    await station.expects("ClearCache", ACCEPTED)
    for command in commands:
        await command.answered("accepted")
