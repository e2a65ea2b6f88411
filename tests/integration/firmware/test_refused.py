"""Ids that knocked and were refused: counted once, newest first, gone when they are let in."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.common.kafka.bus import Record
from services.firmware.listing import refused
from tests.clients.events import enum_word
from tests.integration.common.running import START, Running
from tests.integration.firmware.test_listing import registration
from voltbus.v1.bus_pb2 import CONNECTION_STATE_CONNECTED, RefusedHandshake, RefusedHandshakes


def knock(station_id: str, at: float, reason: str = "unknown_station", times: int = 1, **more: Any) -> RefusedHandshake:
    made = RefusedHandshake(station_id=station_id, reason=reason, times=times, **more)
    made.first_at.FromDatetime(moment(at))
    made.last_at.FromDatetime(moment(at + times - 1))
    return made


def moment(at: float) -> datetime:
    return START + timedelta(seconds=at)


def report(at: float, *handshakes: RefusedHandshake, gateway: str = "g1") -> Record:
    told = RefusedHandshakes(gateway=gateway, handshakes=handshakes)
    told.at.FromDatetime(moment(at))
    return Record("ocpp.refusals", gateway.encode(), told.SerializeToString())


async def listed(world: Running, **query: Any) -> Sequence[Any]:
    items: Sequence[Any] = (await world.get("/v1/stations/refused", query=query))["items"]
    return items


async def names(world: Running, **query: Any) -> list[str]:
    return [one["station_id"] for one in await listed(world, **query)]


async def test_ids_are_listed_newest_first(firmware: Running) -> None:
    await firmware.put(
        report(60, knock("CP1", 10, times=3, remote_address="10.0.0.1"), knock("CP2", 30)),
        report(61, knock("CP1", 50, remote_address="10.0.0.2", subprotocols="ocpp1.5"), gateway="g2"),
    )
    [one, two] = await listed(firmware)
    assert (one["station_id"], one["times"], two["station_id"]) == ("CP1", 4, "CP2")
    assert (one["first_at"], one["last_at"]) == ("2026-03-01T12:00:10Z", "2026-03-01T12:00:50Z")
    assert (one["remote_address"], one["subprotocols"], one["registered"]) == ("10.0.0.2", "ocpp1.5", False)
    first = await firmware.get("/v1/stations/refused", query={"limit": 1})
    second = await firmware.get("/v1/stations/refused", query={"limit": 1, "cursor": first["next"]})
    assert ([item["station_id"] for item in second["items"]], second["next"]) == (["CP2"], None)


async def test_an_older_report_that_comes_later_only_adds(firmware: Running) -> None:
    await firmware.put(report(60, knock("CP1", 50, reason="wrong_password")))
    await firmware.put(report(30, knock("CP1", 20), gateway="g2"))
    [one] = await listed(firmware)
    assert (one["times"], one["reason"]) == (2, "wrong_password")
    assert (one["first_at"], one["last_at"]) == ("2026-03-01T12:00:20Z", "2026-03-01T12:00:50Z")


async def test_a_report_that_is_read_again_is_counted_once(firmware: Running) -> None:
    await firmware.put(report(60, knock("CP1", 10)), report(60, knock("CP1", 10)), report(120, knock("CP1", 70)))
    before = await listed(firmware)
    assert before[0]["times"] == 2
    await firmware.restart(commit=False)
    await firmware.settled()
    assert await listed(firmware) == before


async def test_a_certificate_that_is_refused_is_an_event(firmware: Running) -> None:
    """A00.FR.408: once of each report, also where it is read again."""
    reasons = ("expired_certificate", "revoked_certificate", "wrong_password", "of_tomorrow")
    knocks = [knock("CP1", 10 * n, reason, times=n + 1, remote_address="10.0.0.1") for n, reason in enumerate(reasons)]
    await firmware.put(report(60, *knocks), report(60, *knocks), report(60, knocks[0], gateway="g2"))
    await firmware.restart(commit=False)
    await firmware.settled()
    told = firmware.announced("CertificateRefused")
    assert [(one.station_id, enum_word(one, "fault"), one.times) for one in told] == [
        ("CP1", "expired", 1),
        ("CP1", "revoked", 2),
        ("CP1", "expired", 1),
    ]
    assert (told[1].remote_address, told[1].first_at.ToDatetime(UTC)) == ("10.0.0.1", moment(10))
    assert len({dict(one.headers)["ce_id"] for one in firmware.bus.all("events.firmware")}) == len(told)


async def test_who_is_registered_is_no_stranger_any_more(firmware: Running) -> None:
    """Also where the word of the gateway comes after the registration."""
    await firmware.put(report(60, knock("CP1", 10)), registration("CP1"))
    await firmware.put(registration("CP2"), report(120, knock("CP2", 70), knock("CP3", 70, reason="wrong_password")))
    await firmware.put(registration("CP3"))
    [one] = await listed(firmware)
    assert (one["station_id"], one["registered"]) == ("CP3", True)
    assert await names(firmware, reason="unknown_station") == []


async def test_who_is_let_in_is_refused_no_more(firmware: Running) -> None:
    await firmware.put(registration("CP1"), report(60, knock("CP1", 10, reason="no_password")))
    firmware.time.passes(5)
    await firmware.put(firmware.change(CONNECTION_STATE_CONNECTED, "CP1"))
    assert await names(firmware) == ["CP1"]
    firmware.time.passes(10)
    await firmware.put(firmware.change(CONNECTION_STATE_CONNECTED, "CP1", connection_id="later"))
    assert await names(firmware) == []
    await firmware.put(report(120, knock("CP1", 100, reason="wrong_password")))
    assert await names(firmware) == ["CP1"]


async def test_of_an_id_that_is_in_use_it_says_from_where_the_other_one_is(firmware: Running) -> None:
    there = firmware.change(CONNECTION_STATE_CONNECTED, "CP1", remote_address="10.0.0.1")
    await firmware.put(registration("CP1"), registration("CP2"), there)
    firmware.time.passes(10)
    knocks = [knock(id_, 5, reason="id_in_use", remote_address="10.0.0.2") for id_ in ("CP1", "CP2")]
    await firmware.put(report(60, *knocks))
    told = {one["station_id"]: (one["remote_address"], one["connected_from"]) for one in await listed(firmware)}
    assert told == {"CP1": ("10.0.0.2", "10.0.0.1"), "CP2": ("10.0.0.2", None)}


async def test_who_is_in_quarantine_waits_to_be_taken_in(firmware: Running) -> None:
    await firmware.put(firmware.change(CONNECTION_STATE_CONNECTED, "CP1", quarantined=True))
    await firmware.put(report(60, knock("CP1", -1, reason="quarantined")))
    [one] = await listed(firmware)
    assert (one["quarantined"], one["reason"]) == (True, "quarantined")
    await firmware.put(registration("CP1"))
    assert await names(firmware) == []


async def test_the_list_is_bounded(firmware: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refused, "MOST", 3)
    await firmware.put(report(60, *(knock(f"CP{n}", n) for n in range(9))))
    assert await names(firmware) == ["CP8", "CP7", "CP6"]
    firmware.time.passes(31 * 24 * 3600)
    await firmware.put(report(31 * 24 * 3600, knock("CP1", 31 * 24 * 3600 - 1)))
    assert await names(firmware) == ["CP1"]


async def test_ids_that_are_made_up_do_not_push_out_those_that_are_registered(
    firmware: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refused, "MOST", 3)
    known = [knock("CP1", 0, reason="wrong_password"), knock("CP2", 1, reason="too_many_wrong_passwords")]
    await firmware.put(report(60, *known, *(knock(f"made-up-{n}", n + 2) for n in range(9))))
    assert await names(firmware) == ["made-up-8", "CP2", "CP1"]


async def test_who_looks_for_one_finds_it_by_its_id_its_address_its_reason_or_its_time(firmware: Running) -> None:
    await firmware.put(
        report(
            60,
            knock("Vienna-1", 10, remote_address="192.0.2.1"),
            knock("vienna-2", 20, remote_address="192.0.2.1", reason="wrong_password"),
            knock("graz-1", 30, remote_address="2001:db8::1"),
        )
    )
    for query, expected in (
        ({"q": "VIENNA"}, ["vienna-2", "Vienna-1"]),
        ({"q": "%"}, []),
        ({"remote_address": "2001:db8::1"}, ["graz-1"]),
        ({"remote_address": "192.0.2.1", "reason": "wrong_password"}, ["vienna-2"]),
        ({"since": moment(20).isoformat()}, ["graz-1", "vienna-2"]),
        ({"q": "1", "since": moment(20).isoformat()}, ["graz-1"]),
    ):
        assert await names(firmware, **query) == expected
    page = await firmware.get("/v1/stations/refused", query={"q": "vienna", "limit": 1})
    page = await firmware.get("/v1/stations/refused", query={"q": "vienna", "limit": 1, "cursor": page["next"]})
    assert ([item["station_id"] for item in page["items"]], page["next"]) == (["Vienna-1"], None)


async def test_a_report_that_cannot_be_read_is_put_aside(firmware: Running) -> None:
    await firmware.put(Record("ocpp.refusals", b"g1", b"\xff"), report(60, knock("CP1", 10)))
    assert (len(firmware.dead()), await names(firmware)) == (1, ["CP1"])
