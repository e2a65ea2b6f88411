"""An idToken that may be in so many sessions at once; where it may start one; a master pass."""

from typing import Any

from tests.integration.transactions.running import System, token
from tests.integration.transactions.test_session import START, stop


async def started(system: System, station: str, card: str, connector: int = 1, **more: Any) -> tuple[str, int]:
    told = START | {"idTag": card, "connectorId": connector} | more
    answer = await system.ask(station, "StartTransaction", told)
    return answer["idTagInfo"]["status"], answer["transactionId"]


async def test_the_second_session_of_a_card_is_told_to_be_so(system: System, station: str) -> None:
    """1.6 §4.8, §7.2: at another station, and told again; once the first has ended it may begin."""
    card, other = f"{station}-C", f"{station}-2"
    await system.bus.publish([token(card, max_sessions=1)])
    told, number = await started(system, station, card)
    assert told == "Accepted"
    assert (await started(system, station, card))[0] == "Accepted"
    assert (await started(system, other, card))[0] == "ConcurrentTx"
    assert (await started(system, other, card))[0] == "ConcurrentTx"
    # One that was refused keeps nobody from charging.
    assert (await started(system, other, card, 2))[0] == "ConcurrentTx"
    await system.ask(station, "StopTransaction", stop(number, idTag=card))
    assert (await started(system, other, card, 3))[0] == "Accepted"
    page = (await system.client.get("/v1/decisions", params={"station_id": other})).json()
    rules = [one["rule"] for one in page["items"]]
    assert rules == ["registered", "too_many_sessions", "too_many_sessions"]


async def test_a_session_that_never_ended_does_not_count_against_the_next_on_its_connector(
    system: System, station: str
) -> None:
    """From before a reboot: the driver is not locked out by what his own start ends."""
    card = f"{station}-C"
    await system.bus.publish([token(card, max_sessions=1)])
    assert (await started(system, station, card))[0] == "Accepted"
    later: dict[str, Any] = {"timestamp": "2026-03-01T12:00:00Z", "meterStart": 2000}
    assert (await started(system, station, card, **later))[0] == "Accepted"


async def test_a_start_where_it_may_not_charge(system: System, station: str) -> None:
    """C01.FR.20 to FR.22: at the EVSEs that the station was told, and nowhere else."""
    card = f"{station}-C"
    await system.bus.publish([token(card, evses=[f"{station}/1"])])

    async def begun(evse_id: int) -> Any:
        payload = {
            "eventType": "Started",
            "timestamp": "2026-03-01T10:00:00Z",
            "triggerReason": "Authorized",
            "seqNo": 0,
            "transactionInfo": {"transactionId": f"tx-{evse_id}"},
            "evse": {"id": evse_id},
            "idToken": {"idToken": card, "type": "ISO14443"},
        }
        return (await system.ask(station, "TransactionEvent", payload, "2.0.1"))["idTokenInfo"]

    assert await begun(1) == {"status": "Accepted", "evseId": [1]}
    assert await begun(2) == {"status": "NotAtThisLocation"}


async def test_a_master_pass_starts_nothing(system: System, station: str) -> None:
    """C16.FR.03."""
    group, card = f"{station}-G", f"{station}-M"
    await system.bus.publish([token(group, kind="Central", master_pass=True), token(card, group_id=group)])
    assert (await started(system, station, card))[0] == "Invalid"
