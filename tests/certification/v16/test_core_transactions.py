"""Core profile, transactions: starts, stops, what is told late, twice, or of nothing that is known."""

from typing import Any

from tests.certification import seen
from tests.certification.operator import Operator, is_ended
from tests.certification.states import Token, admitted
from tests.certification.station import Station, now
from tests.certification.v16.states import ACCEPTED, NOBODYS, Session, ago, boot, booted, connector, sampled

REASONS = (
    "EmergencyStop",
    "EVDisconnected",
    "HardReset",
    "Other",
    "PowerLoss",
    "Reboot",
    "SoftReset",
    "UnlockCommand",
)


async def only(operator: Operator, station: Station) -> Any:
    """The only transaction of a station."""
    page = await operator.get("transactions", "/v1/transactions", station_id=station.id)
    [one] = page["items"]
    return one


async def orphan(operator: Operator, station: Station) -> Any:
    """The only stop of the station that named no transaction of ours."""
    page = await operator.until("transactions", "/v1/orphans", lambda page: bool(page["items"]), station_id=station.id)
    [one] = page["items"]
    return one


async def test_16_transaction(station: Station, session: Session, operator: Operator) -> None:
    """A driver charges: start, energy, stop (§4.8, §4.10, errata 3.54)."""
    await booted(station)
    await session.charging()
    assert session.number > 0
    shown = await seen.active(operator, session, None)
    assert (shown["evse_id"], shown["id_token"], shown["authorization"]) == (1, session.id_tag, "Accepted")
    await session.over()
    ended = await seen.ended(operator, session, "Local")
    assert (ended["energy_wh"], ended["energy_source"], ended["doubts"]) == (5000, "register", [])
    await operator.connector(station.id, "Available")


async def refused(station: Station, operator: Operator, id_tag: str, status: str) -> None:
    """A start is refused, the station stops what it has begun, and both are seen (§4.8, errata 3.17)."""
    session = Session(station, id_tag)
    await booted(station)
    await session.start(status)
    shown = await seen.active(operator, session, None)
    assert (shown["id_token"], shown["authorization"]) == (id_tag, "Unknown" if status == "Invalid" else status)
    await session.stop(reason="DeAuthorized")
    await seen.ended(operator, session, "DeAuthorized")


async def test_16_start_blocked(station: Station, operator: Operator) -> None:
    """A session begins with an idTag that is blocked, and is stopped for it (§4.8, errata 3.17)."""
    await admitted(operator, f"{station.id}-BLOCKED", status="Blocked")
    await refused(station, operator, f"{station.id}-BLOCKED", "Blocked")


async def test_16_start_expired(station: Station, operator: Operator) -> None:
    """A session begins with an idTag that has expired, and is stopped for it (§4.8, errata 3.17)."""
    await admitted(operator, f"{station.id}-EXPIRED", expires_at="2020-01-01T00:00:00Z")
    await refused(station, operator, f"{station.id}-EXPIRED", "Expired")


async def test_16_start_invalid(station: Station, operator: Operator) -> None:
    """A session begins with an idTag that nobody has registered, and is stopped for it (§4.8, errata 3.17)."""
    await refused(station, operator, NOBODYS, "Invalid")


async def test_16_start_reserved(station: Station, session: Session, operator: Operator) -> None:
    """A session uses up a reservation, which it names (§4.8, §5.13)."""
    await booted(station)
    await session.start(reservationId=7)
    shown = await operator.transaction(session.transaction_id, of=station.id)
    assert shown["reservation_id"] == 7


async def test_16_start_told_again(station: Station, session: Session, operator: Operator) -> None:
    """A start that is told again is the same one: by its message id, and on a new connection (§3.7.1, 1.6-J §4.1.4)."""
    await booted(station)
    began = now()
    first = await session.start(message_id="start-1", timestamp=began)
    assert await session.start(message_id="start-1", timestamp=began) == first
    await station.reconnect()
    assert await session.start(timestamp=began) == first
    assert (await only(operator, station))["transaction_id"] == session.transaction_id


async def test_16_stop_told_again(station: Station, session: Session, operator: Operator) -> None:
    """A stop that is told again ends nothing twice (§3.7.1, 1.6-J §4.1.4)."""
    await booted(station)
    await session.charging()
    stopped = now()
    answer = await session.stop("stop-1", timestamp=stopped)
    assert await session.stop("stop-1", timestamp=stopped) == answer
    await station.reconnect()
    assert await session.stop(timestamp=stopped) == answer
    shown = await seen.ended(operator, session, "Local")
    assert (shown["revision"], shown["energy_wh"]) == (1, 5000)


async def test_16_stop_reasons(station: Station, session: Session, operator: Operator) -> None:
    """Each reason for which a station ends a transaction (§4.10, §7.36)."""
    await booted(station)
    for reason in REASONS:
        await session.start()
        assert await session.stop(reason=reason) == {}
        await seen.ended(operator, session, reason)


async def test_16_stop_without_reason(station: Station, session: Session, operator: Operator) -> None:
    """A stop without a reason is a local one (§4.10, 1.6-J errata 2.6)."""
    await booted(station)
    await session.start()
    assert await session.stop(idTag=session.id_tag) == {"idTagInfo": ACCEPTED}
    await seen.ended(operator, session, "Local")


async def test_16_stop_by_group(station: Station, operator: Operator) -> None:
    """Who has the same parent stops the transaction (§3.10, §4.10)."""
    group = f"{station.id}-PARENT"
    first = await admitted(operator, f"{station.id}-1", group_id=group)
    second = await admitted(operator, f"{station.id}-2", group_id=group)
    await booted(station)
    session = Session(station, first.id)
    await session.charging()
    answer = await session.stop(idTag=second.id, reason="Local")
    assert answer == {"idTagInfo": ACCEPTED | {"parentIdTag": group}}
    shown = await seen.ended(operator, session, "Local")
    assert (shown["id_token"], shown["stop_id_token"]) == (first.id, second.id)


async def test_16_stop_by_stranger(station: Station, session: Session, operator: Operator) -> None:
    """A stop cannot be prevented: one by an idTag that is not valid is told so, and counts (§4.10)."""
    await booted(station)
    await session.charging()
    answer = await session.stop(idTag=NOBODYS)
    assert answer == {"idTagInfo": {"status": "Invalid"}}
    await seen.ended(operator, session, "Local")


async def test_16_stop_with_data(station: Station, session: Session, operator: Operator) -> None:
    """A transaction ends with the meter values of its begin and end (§4.10, errata 3.14)."""
    await booted(station)
    await session.charging()
    data = [sampled(1000, context="Transaction.Begin"), sampled(6000, now(), context="Transaction.End")]
    data[0]["timestamp"] = ago(seconds=1)
    await session.stop(transactionData=data)
    found = await operator.samples(session.transaction_id, lambda found: len(found) == 2, of=station.id)
    assert [(one["readings"][0]["context"], one["readings"][0]["value"]) for one in found] == [
        ("Transaction.Begin", 1000),
        ("Transaction.End", 6000),
    ]
    assert (await seen.ended(operator, session, "Local"))["energy_wh"] == 5000


async def test_16_stop_minus_one(station: Station, session: Session, operator: Operator) -> None:
    """A stop of a transaction whose start was never delivered is answered, and shown (errata 3.18)."""
    await booted(station)
    answer = await session.stop(idTag=session.id_tag)
    assert answer == {"idTagInfo": ACCEPTED}
    shown = await orphan(operator, station)
    assert (shown["transaction_id"], shown["meter_stop_wh"], shown["joined_id"]) == ("-1", 6000, None)
    await operator.event(station.id, "OrphanStopRecorded")


async def test_16_stop_minus_one_joined(station: Station, session: Session, operator: Operator) -> None:
    """A stop without a number, which can only be of the one session that goes on, ends it (errata 3.18)."""
    await booted(station)
    await session.charging()
    unnamed = Session(station, session.id_tag)
    assert await unnamed.stop(idTag=session.id_tag) == {"idTagInfo": ACCEPTED}
    shown = await operator.transaction(session.transaction_id, is_ended, of=station.id)
    assert (shown["ended_by"], shown["energy_wh"]) == ("joined", 5000)


async def test_16_stop_unknown(station: Station, operator: Operator) -> None:
    """A stop of a transaction that nobody knows is answered as any other, and shown (errata 3.18, §3.7.1)."""
    await booted(station)
    unknown = Session(station, NOBODYS, number=999_999_999)
    assert await unknown.stop() == {}
    shown = await orphan(operator, station)
    assert (shown["transaction_id"], shown["stop_reason"]) == ("999999999", "Local")


async def test_16_offline_backlog(station: Station, session: Session, operator: Operator) -> None:
    """A whole session that was charged offline is told afterwards, with its own times (§3.5, §4.8, §4.10)."""
    await booted(station)
    await station.reconnect()
    began, stopped = ago(hours=3), ago(hours=1)
    await session.start(timestamp=began)
    await session.measures(sampled(3000, ago(hours=2)))
    await session.stop(timestamp=stopped, reason="Local")
    shown = await seen.ended(operator, session, "Local")
    assert (shown["energy_wh"], shown["doubts"]) == (5000, [])
    assert [shown[name][:19] for name in ("started_at", "stopped_at")] == [began[:19], stopped[:19]]


async def test_16_offline_refused(station: Station, operator: Operator) -> None:
    """A session that was begun offline with an idTag that is not valid is told so, and kept (§3.5.4, §4.8)."""
    await booted(station)
    session = Session(station, NOBODYS)
    await session.start("Invalid", timestamp=ago(minutes=10))
    assert (await operator.transaction(session.transaction_id, of=station.id))["authorization"] == "Unknown"
    await session.stop(reason="DeAuthorized")
    await seen.ended(operator, session, "DeAuthorized")


async def test_16_clock_not_set(station: Station, session: Session, operator: Operator) -> None:
    """A station that does not know the time tells a session: it is kept, and its clock is in doubt (§4.2.1, §3.14)."""
    await booted(station)
    await session.start(timestamp="1970-01-01T00:00:10Z")
    await session.stop(timestamp="1970-01-01T01:00:10Z")
    shown = await seen.ended(operator, session, "Local")
    assert (shown["energy_wh"], shown["doubts"], shown["review"]) == (5000, ["clock"], "held")


async def test_16_meter_fell(station: Station, session: Session, operator: Operator) -> None:
    """A session ends with less than it began with: nothing negative is told, and it is held (§4.10, §7.31)."""
    await booted(station)
    await session.start(meterStart=9000)
    await session.stop(meterStop=100)
    shown = await seen.ended(operator, session, "Local")
    assert shown["review"] == "held"
    assert shown["energy_wh"] is None or shown["energy_wh"] >= 0


async def test_16_power_loss(station: Station, session: Session, operator: Operator) -> None:
    """A station loses its power while it charges, and tells the end after its boot (§4.2, §4.10, §7.36)."""
    await booted(station)
    await session.charging()
    await station.reconnect()
    assert (await boot(station))["status"] == "Accepted"
    await session.stop(reason="PowerLoss", timestamp=now())
    await connector(station, 1, "Available")
    await seen.ended(operator, session, "PowerLoss")


async def test_16_next_on_connector(station: Station, session: Session, token: Token, operator: Operator) -> None:
    """A new session begins where one was never told to have ended: that one has ended (§4.8)."""
    await booted(station)
    await session.start(timestamp=ago(minutes=5))
    second = Session(station, token.id)
    await second.start(meterStart=4000)
    shown = await operator.transaction(session.transaction_id, is_ended, of=station.id)
    assert (shown["ended_by"], shown["superseded_by"]) == ("superseded", second.number)
    await seen.active(operator, second, None)


async def test_16_start_concurrent_registered(station: Station, operator: Operator) -> None:
    """An idTag that the operator has in another transaction elsewhere is told to be so (§4.8, §7.2)."""
    await admitted(operator, f"{station.id}-ELSEWHERE", status="ConcurrentTx")
    await refused(station, operator, f"{station.id}-ELSEWHERE", "ConcurrentTx")


async def test_16_start_concurrent(station: Station, operator: Operator) -> None:
    """An idTag that is in a transaction begins another (§4.8, §7.2)."""
    card = await admitted(operator, f"{station.id}-ONCE", max_sessions=1)
    session = Session(station, card.id)
    await booted(station)
    await session.charging()
    await seen.active(operator, session, None)
    await Session(station, session.id_tag, connector_id=2).start("ConcurrentTx")
