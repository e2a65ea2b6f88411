"""O, display messages: set, asked for, replaced and cleared."""

from typing import Any

from tests.certification import seen
from tests.certification.operator import Operator
from tests.certification.states import ACCEPTED, Session, booted
from tests.certification.station import Payload, Station

TEXT = {"format": "UTF8", "language": "en", "content": "Welcome"}
UNKNOWN = {"status": "Unknown"}
LATER = "2036-01-01T00:00:00.000Z"
# What every GetDisplayMessages of these cases has.
ASKED = {"requestId": 7}


def message(id: int = 1, priority: str = "NormalCycle", **more: Any) -> dict[str, Any]:
    """A display message."""
    return {"id": id, "priority": priority, "message": TEXT} | more


async def asked(
    station: Station, operator: Operator, action: str, payload: Payload, answer: Payload = ACCEPTED
) -> None:
    """The operator has a station asked for that, which comes as it was said, and sees the answer.

    answer: the station does it if that is Accepted, and does not otherwise.
    """
    command = await operator.command(station.id, action, payload)
    assert await station.expects(action, answer) == payload
    ended = await command.answered("accepted" if answer == ACCEPTED else "refused")
    assert ended["response"] == answer


async def message_set(station: Station, operator: Operator, wanted: Payload, status: str = "Accepted") -> None:
    """The operator has a message set, just this, and the station says status to it."""
    await asked(station, operator, "SetDisplayMessage", {"message": wanted}, {"status": status})


async def messages_shown(station: Station, operator: Operator, criteria: Payload, *found: Payload) -> None:
    """The operator asks for messages by just these criteria; the station tells them one by one, and all are seen."""
    await asked(station, operator, "GetDisplayMessages", ASKED | dict(criteria))
    for number, one in enumerate(found, 1):
        part = ASKED | {"tbc": number < len(found), "messageInfo": [one]}
        assert await station.call("NotifyDisplayMessages", part) == {}
    kept = await operator.reported("firmware", station.id, "NotifyDisplayMessages", len(found))
    assert {part["requestId"] for part in kept} == {ASKED["requestId"]}
    assert [one for part in kept for one in part["messageInfo"]] == [*found]


async def test_tc_o_01(station: Station, operator: Operator) -> None:
    """A message of no transaction is set (O01.FR.04)."""
    await booted(station)
    await message_set(station, operator, message(1, "InFront", state="Idle"))


async def test_tc_o_02(station: Station, operator: Operator) -> None:
    """All messages are asked for (O03.FR.01, FR.02)."""
    await booted(station)
    both = message(1), message(2, "InFront")
    for one in both:
        await message_set(station, operator, one)
    await messages_shown(station, operator, {}, *both)


async def test_tc_o_03(station: Station, operator: Operator) -> None:
    """All messages are asked for, and there are none (O03.FR.06)."""
    await booted(station)
    await asked(station, operator, "GetDisplayMessages", ASKED, UNKNOWN)


async def test_tc_o_04(station: Station, operator: Operator) -> None:
    """A message is cleared (O05.FR.01)."""
    await booted(station)
    await message_set(station, operator, message(3))
    await asked(station, operator, "ClearDisplayMessage", {"id": 3})


async def test_tc_o_05(station: Station, operator: Operator) -> None:
    """A message is to be cleared that the station does not have (O05.FR.02)."""
    await booted(station)
    await asked(station, operator, "ClearDisplayMessage", {"id": 4}, UNKNOWN)


async def test_tc_o_06(station: Station, session: Session, operator: Operator) -> None:
    """A message is set for a transaction, which then ends (O02)."""
    await booted(station)
    await session.energy_transfer_started()
    await message_set(station, operator, message(transactionId=session.transaction_id))
    await session.ev_disconnected()
    await seen.ended(operator, session, "EVDisconnected")


async def one_shown(station: Station, operator: Operator, found: Payload, criteria: Payload) -> None:
    """Two messages are set, and one of them is asked for by its criteria."""
    await booted(station)
    await message_set(station, operator, message(1))
    await message_set(station, operator, found)
    await messages_shown(station, operator, criteria, found)


async def test_tc_o_07(station: Station, operator: Operator) -> None:
    """A message is asked for by its id (O04.FR.01, FR.03)."""
    await one_shown(station, operator, message(2), {"id": [2]})


async def test_tc_o_08(station: Station, operator: Operator) -> None:
    """Messages are asked for by their priority (O04.FR.01, FR.03)."""
    await one_shown(station, operator, message(2, "AlwaysFront"), {"priority": "AlwaysFront"})


async def test_tc_o_09(station: Station, operator: Operator) -> None:
    """Messages are asked for by their state (O04.FR.01, FR.03)."""
    await one_shown(station, operator, message(2, state="Charging"), {"state": "Charging"})


async def test_tc_o_10(station: Station, session: Session, operator: Operator) -> None:
    """A message is set for a transaction that the station does not know (O02.FR.01)."""
    await booted(station)
    await session.energy_transfer_started()
    await message_set(station, operator, message(transactionId="another"), "UnknownTransaction")
    await seen.active(operator, session, "Charging")


async def test_tc_o_11(station: Station, operator: Operator) -> None:
    """A message is asked for by an id that the station does not know (O04.FR.02)."""
    await booted(station)
    await message_set(station, operator, message(1))
    await asked(station, operator, "GetDisplayMessages", ASKED | {"id": [2]}, UNKNOWN)


async def test_tc_o_12(station: Station, operator: Operator) -> None:
    """A message is replaced by another of the same id (O06.FR.01)."""
    await booted(station)
    await message_set(station, operator, message(1))
    replaced = message(1, "InFront", message=TEXT | {"content": "Out of order until noon"})
    await message_set(station, operator, replaced)
    await messages_shown(station, operator, {"id": [1]}, replaced)


async def test_tc_o_13(station: Station, operator: Operator) -> None:
    """A message is set that is shown from a time on (O01.FR.05)."""
    await booted(station)
    await message_set(station, operator, message(startDateTime=LATER))


async def test_tc_o_14(station: Station, operator: Operator) -> None:
    """A message is set that is shown until a time (O01.FR.05)."""
    await booted(station)
    await message_set(station, operator, message(endDateTime=LATER))


async def test_tc_o_17(station: Station, operator: Operator) -> None:
    """A message is set whose priority the station does not have (O01.FR.01)."""
    await booted(station)
    await message_set(station, operator, message(priority="AlwaysFront"), "NotSupportedPriority")


async def test_tc_o_18(station: Station, operator: Operator) -> None:
    """A message is set for a state that the station does not have (O01.FR.02)."""
    await booted(station)
    await message_set(station, operator, message(state="Faulted"), "NotSupportedState")


async def test_tc_o_19(station: Station, operator: Operator) -> None:
    """A message is set whose format the station cannot show (O01.FR.03)."""
    await booted(station)
    formatted = {"format": "HTML", "content": "<b>Welcome</b>"}
    await message_set(station, operator, message(message=formatted), "NotSupportedMessageFormat")


async def test_tc_o_25(station: Station, operator: Operator) -> None:
    """A message is set that is shown while a car is charged (O01)."""
    await booted(station)
    await message_set(station, operator, message(state="Charging"))


async def test_tc_o_26(station: Station, operator: Operator) -> None:
    """A message is set, which the station refuses (O01)."""
    await booted(station)
    await message_set(station, operator, message(priority="NormalCycle"), "Rejected")


async def test_tc_o_27(station: Station, session: Session, operator: Operator) -> None:
    """A message is set for a transaction, and is shown from a time on (O02)."""
    await booted(station)
    await session.energy_transfer_started()
    await message_set(station, operator, message(transactionId=session.transaction_id, startDateTime=LATER))


async def test_tc_o_28(station: Station, session: Session, operator: Operator) -> None:
    """A message is set for a transaction and a state, and is shown until a time (O02)."""
    await booted(station)
    await session.energy_transfer_started()
    wanted = message(transactionId=session.transaction_id, state="Charging", endDateTime=LATER)
    await message_set(station, operator, wanted)
