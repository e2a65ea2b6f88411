"""Handshakes that were refused are told at once, then once a minute, and never more than fits."""

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from services.gateway import refusals
from services.gateway.refusals import INTERVAL, MOST, MOST_OF_ADDRESS, MOST_STRANGERS, Refusals
from services.ocpp.refusals import RefusalReason
from tests.patience import GIVE_UP
from tests.unit.gateway.running import QUICK, Running, running, until
from voltbus.v1.bus_pb2 import RefusedHandshake, RefusedHandshakes

UNKNOWN = RefusalReason.UNKNOWN_STATION


def test_the_first_goes_at_once_and_the_next_after_a_minute() -> None:
    counted = Refusals()
    assert counted.take(1000) == []
    counted.add("CP1", UNKNOWN, "10.0.0.1", "ocpp1.6", at=5)
    [told] = counted.take(1000)
    assert (told.station_id, told.reason, told.times) == ("CP1", "unknown_station", 1)
    for at, address in ((6, "10.0.0.1"), (7, "10.0.0.2")):
        counted.add("CP1", UNKNOWN, address, "", at=at)
    counted.add("CP1", RefusalReason.QUARANTINED, "10.0.0.1", "", at=8)
    assert counted.take(1000 + INTERVAL - 1) == []
    [again, quarantined] = counted.take(1000 + INTERVAL)
    assert (again.times, again.first_at.seconds, again.last_at.seconds) == (2, 6, 7)
    assert again.remote_address == "10.0.0.2"
    assert quarantined.reason == "quarantined"
    assert counted.take(1000 + 3 * INTERVAL) == []


def test_a_flood_from_one_address_leaves_room_for_others() -> None:
    counted = Refusals()
    for n in range(10_000):
        counted.add(f"random-{n}", UNKNOWN, "6.6.6.6", "", at=n)
    counted.add("CP1", UNKNOWN, "10.0.0.1", "", at=1)
    told = counted.take(0)
    assert (len(told), told[-1].station_id) == (MOST_OF_ADDRESS + 1, "CP1")


def test_a_flood_from_everywhere_is_one_record_that_kafka_takes() -> None:
    counted = Refusals()
    for n in range(3 * MOST):
        reason = UNKNOWN if n < 2 * MOST else RefusalReason.WRONG_PASSWORD
        counted.add(f"{n:048}", reason, f"2001:db8:0000:0000:0000:0000:0000:{n:04}", "x" * 10_000, at=n)
    told = counted.take(0)
    assert len(told) == MOST
    assert sum(one.reason == UNKNOWN for one in told) == MOST_STRANGERS
    assert len(RefusedHandshakes(gateway="g", handshakes=told).SerializeToString()) < 500_000


async def refused(one: Running) -> list[RefusedHandshake]:
    await until(lambda: one.bus.all("ocpp.refusals"))
    return [
        each
        for record in one.bus.all("ocpp.refusals")
        for each in RefusedHandshakes.FromString(record.value or b"").handshakes
    ]


@pytest.mark.parametrize("policy", ["reject", "quarantine"])
async def test_who_is_not_let_in_is_told_of(policy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "INTERVAL", GIVE_UP)
    async with running(timing=QUICK, unknown_stations=policy) as one:
        if policy == "quarantine":
            await (await one.connect("NEW")).close()
        else:
            with pytest.raises(InvalidStatus):
                await one.connect("NEW")
        [told] = await refused(one)
        assert (told.station_id, told.times, told.remote_address) == ("NEW", 1, "127.0.0.1")
        assert told.reason == ("quarantined" if policy == "quarantine" else "unknown_station")
        assert told.subprotocols == "ocpp1.6"


async def test_a_station_without_a_version_that_is_spoken_is_told_of() -> None:
    async with running(timing=QUICK) as one:
        socket = await one.connect("OLD", "ocpp1.2")
        with pytest.raises(ConnectionClosed):
            await socket.recv()
        [told] = await refused(one)
        assert (told.reason, told.subprotocols) == ("no_subprotocol", "ocpp1.2")


async def test_nothing_that_was_presented_as_a_password_is_told() -> None:
    async with running(timing=QUICK) as one:
        await one.register("CP1", b"some hash")
        secret = {"Authorization": "Basic Q1AxOmEgc2VjcmV0IG9mIG1pbmU="}
        with pytest.raises(InvalidStatus):
            await one.connect("CP1", additional_headers=secret)
        [told] = await refused(one)
        assert told.reason == RefusalReason.WRONG_PASSWORD
        [record] = one.bus.all("ocpp.refusals")
        assert b"secret" not in (record.value or b"")
        assert b"Q1Ax" not in (record.value or b"")
