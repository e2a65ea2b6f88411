"""A simulated station over SOAP: what it says and answers is valid, and it plays its session against any CSMS."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import httpx
import pytest
from rich.console import Console

from services.ocpp.errors import ErrorCode, OcppError
from services.ocpp.soap import envelope
from services.ocpp.soap.envelope import Envelope, Fault
from services.ocpp.soap.spellings import SPELLINGS
from services.ocpp.versions import VERSIONS
from tests.contract.examples import full, minimal
from tests.patience import GIVE_UP
from tests.unit.gateway.soap import Listening, listening, post, said
from voltbus.errors import LocalError
from voltbus.simulator.station.charger import Charger
from voltbus.simulator.station.demo import Demo, DemoPlan
from voltbus.simulator.station.link import CallRefused, CallTimedOut, ConnectionLost, NotAdmitted, WireCounts
from voltbus.simulator.station.play import OVER_SOAP, dialect
from voltbus.simulator.station.soap.link import SoapLink, connect
from voltbus.simulator.station.types import Dialect, Payload, Perform, Reading, Session

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TIME = "2026-03-01T12:00:00Z"
ACCEPTED = {"idTagInfo": {"status": "Accepted"}}
ANSWERS: dict[str, dict[str, Any]] = {
    "BootNotification": {"status": "Accepted", "currentTime": TIME, "interval": 300},
    "Authorize": ACCEPTED,
    "StartTransaction": {"transactionId": 42, **ACCEPTED},
    "Heartbeat": {"currentTime": TIME},
}

every_version = pytest.mark.parametrize("version", sorted(OVER_SOAP))


def speaking(version: str) -> Dialect:
    return OVER_SOAP[version](Charger("CP-1", lambda: NOW), 120)


@dataclass
class Csms:
    """Answers a station, and remembers its requests; every one must keep to its schema. faults: what comes instead."""

    version: str
    faults: list[tuple[int, Fault]] = field(default_factory=list)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    after: Callable[[str], None] = lambda _: None

    def answer(self, request: Envelope) -> tuple[int, bytes]:
        spelling = SPELLINGS[self.version]
        assert request.body is not None
        assert request.body.namespace == spelling.central_system
        action = envelope.action_of(request.body, "Request")
        assert action is not None
        if self.faults:
            status, fault = self.faults.pop(0)
            return status, envelope.fault(fault, spelling.central_system, message_id="m", relates_to="")
        payload = spelling.read_request(action, request.body)
        VERSIONS[self.version].schemas.check_request(action, payload)
        self.calls.append((action, payload))
        self.after(action)
        body = spelling.write_response(action, ANSWERS.get(action, {}))
        return 200, envelope.response(body, spelling.central_system, action=action, message_id="m", relates_to="")

    def of(self, action: str) -> list[dict[str, Any]]:
        return [payload for name, payload in self.calls if name == action]


@asynccontextmanager
async def linked(
    answer: Callable[[Envelope], tuple[int, bytes]],
    on_call: Callable[[str, Payload], Payload | None] = lambda *_: None,
    counts: WireCounts | None = None,
) -> AsyncIterator[tuple[SoapLink, Listening]]:
    async with listening(answer) as csms:
        link = await connect(csms.address, "CP-1", "secret", "1.5", on_call, counts, GIVE_UP)
        try:
            yield link, csms
        finally:
            await link.close()


async def command(address: str, action: str, payload: dict[str, Any], identity: str = "CP-1") -> httpx.Response:
    spelling = SPELLINGS["1.5"]
    document = envelope.request(
        spelling.write_request(action, payload),
        spelling.charge_point,
        action=action,
        identity=identity,
        message_id="urn:uuid:1",
        to=address,
        address="http://central",
    )
    return await post(address, document)


@every_version
@pytest.mark.parametrize("make", [full, minimal])
def test_answers_every_command_of_its_version(version: str, make: Callable[[Any], dict[str, Any]]) -> None:
    """Whatever is asked; and what it says afterwards is of the version."""
    known = VERSIONS[version]
    for action in known.actions:
        if not known.actions[action].to_station:
            continue
        station = speaking(version)
        answer = station.answer(action, make(known.schemas.request_document(action)))
        assert answer is not None, action
        known.schemas.check_response(action, answer.payload)
        if isinstance(answer.effect, Perform):
            for step in answer.effect.steps:
                known.schemas.check_request(*step.call)


@every_version
def test_an_update_ends_when_it_would(version: str) -> None:
    """1.5 tells Downloaded and Installed alone, and not any sooner for that."""
    station = OVER_SOAP[version](Charger("CP-1", lambda: NOW, patience=5), 120)
    asked = {"location": "ftp://f/fw-2.0.bin", "retrieveDate": (NOW + timedelta(seconds=60)).isoformat()}
    answer = station.answer("UpdateFirmware", asked)
    assert answer is not None
    assert isinstance(answer.effect, Perform)
    assert sum(step.after for step in answer.effect.steps) == 75
    assert answer.effect.firmware == "2.0"


def test_what_1_5_has_no_word_for() -> None:
    """Occupied is all that it says of a car; a session ends without a reason; no state of charge."""
    station = speaking("1.5")
    outlet = station.charger.outlets[0]  # type: ignore[attr-defined]
    outlet.plugged = True
    assert (station.state(1), station.status(1)[0][1]["status"]) == ("Occupied", "Occupied")
    session = Session("S", 1, "TAG", NOW, number=7)
    ended = station.ended(session, Reading(NOW, 10, 0, 50), "Remote")
    sampled = station.sampled(session, Reading(NOW, 10, 0, 50))
    assert ended is not None
    assert sampled is not None
    assert "reason" not in ended[1]
    assert "SoC" not in {one["measurand"] for one in sampled[1]["meterValue"][0]["sampledValue"]}
    assert station.security("StartupOfTheDevice") == []


@every_version
async def test_plays_a_whole_session(version: str) -> None:
    csms, told = Csms(version), StringIO()
    async with listening(csms.answer) as server:
        plan = DemoPlan(server.address, "CP 1", "TAG", "secret", pause=0.001, retry=0.001)
        charger = Charger("CP 1", lambda: datetime.now(UTC), patience=0.001)
        station = Demo(plan, charger, OVER_SOAP[version](charger, 120), Console(file=told, width=200))
        await asyncio.wait_for(station.play(), GIVE_UP)
    actions = [action for action, _ in csms.calls]
    assert (actions[0], actions[-1]) == ("BootNotification", "StatusNotification")
    assert actions.count("MeterValues") == 20
    assert csms.of("StopTransaction")[0]["transactionId"] == 42
    states = {payload["status"] for payload in csms.of("StatusNotification")}
    assert states == ({"Available", "Occupied"} if version == "1.5" else {"Available", "Preparing", "Charging"})
    assert {heard.identity for heard in server.heard} == {"CP 1"}
    assert "over SOAP" in told.getvalue()


async def test_counts_what_a_websocket_would() -> None:
    frames: list[tuple[Any, bool]] = []
    counts = WireCounts(on_frame=lambda frame, own: frames.append((frame, own)))
    async with linked(Csms("1.5").answer, lambda *_: {"status": "Accepted"}, counts) as (link, _):
        assert await link.call("Heartbeat", {}) == {"currentTime": TIME}
        assert (await command(link.address, "ClearCache", {})).status_code == 200
    assert (counts.sent, counts.answered, counts.received, counts.rejected) == (1, 1, 1, 0)
    assert [(frame[0], own) for frame, own in frames] == [(2, True), (3, False), (2, False), (3, True)]
    assert frames[0][0][1] == frames[1][0][1]


async def test_a_fault_is_a_refusal() -> None:
    csms, counts = Csms("1.5", [(400, Fault("Sender", "ProtocolError", "no"))]), WireCounts()
    async with linked(csms.answer, counts=counts) as (link, _):
        with pytest.raises(CallRefused, match="ProtocolError no"):
            await link.call("Heartbeat", {})
        assert await link.call("Heartbeat", {})
    assert (counts.refused, counts.answered) == (1, 1)


async def test_who_is_turned_away_at_once_is_not_admitted() -> None:
    turned_away = (401, Fault("Sender", "SecurityError", "wrong password"))
    async with linked(Csms("1.5", [turned_away]).answer) as (link, _):
        with pytest.raises(NotAdmitted) as refused:
            await link.call("Heartbeat", {})
    assert refused.value.status == 401


@pytest.mark.parametrize(
    "end",
    [(503, Fault("Receiver", "InternalError", "try again")), (401, Fault("Sender", "SecurityError", "changed"))],
)
async def test_a_gateway_that_leaves_is_a_connection_that_ends(end: tuple[int, Fault]) -> None:
    csms = Csms("1.5")
    async with linked(csms.answer) as (link, _):
        await link.call("Heartbeat", {})
        csms.faults.append(end)
        with pytest.raises(ConnectionLost):
            await link.call("Heartbeat", {})
        assert link.lost.done()
        with pytest.raises(ConnectionLost):
            await link.call("Heartbeat", {})


async def test_no_answer() -> None:
    """A connection that is closed under a request ends it; a drop of its own, too."""

    def hang_up(_: Envelope) -> tuple[int, bytes]:
        return 200, b"<html/>"

    async with linked(hang_up) as (link, _):
        with pytest.raises(CallRefused, match="InternalError"):
            await link.call("Heartbeat", {})

    held = asyncio.Event()

    def hold(_: Envelope) -> tuple[int, bytes]:
        held.set()
        return 0, b""

    async with linked(hold) as (link, _):
        calling = asyncio.create_task(link.call("Heartbeat", {}))
        await asyncio.wait_for(held.wait(), GIVE_UP)
        link.drop()
        with pytest.raises(ConnectionLost):
            await calling


async def test_silence_ends_after_the_timeout() -> None:
    async with listening(lambda _: (0, b"")) as csms:
        link = await connect(csms.address, "CP-1", None, "1.5", lambda *_: None, call_timeout=0.05)
        with pytest.raises(CallTimedOut):
            await link.call("Heartbeat", {})
        await link.close()


async def test_what_a_station_does_not_do_is_a_fault() -> None:
    def answer(action: str, _: Payload) -> Payload | None:
        if action == "Reset":
            raise OcppError(ErrorCode.FORMAT_VIOLATION, "no")
        return None

    async with linked(Csms("1.5").answer, answer) as (link, _):
        unknown = await command(link.address, "ClearCache", {})
        wrong = await command(link.address, "Reset", {"type": "Soft"})
        other = await command(link.address, "ClearCache", {}, identity="CP-2")
        garbage = await post(link.address, b"<x/>")
    found = [(one.status_code, said(one).fault) for one in (unknown, wrong, other, garbage)]
    assert [(status, fault.sub_code if fault else "") for status, fault in found] == [
        (500, "NotSupported"),
        (400, "ProtocolError"),
        (400, "IdentityMismatch"),
        (400, "ProtocolError"),
    ]


async def test_nobody_there() -> None:
    async with listening(Csms("1.5").answer) as csms:
        gone = csms.address
    with pytest.raises(LocalError, match="nothing answers at"):
        await connect(gone, "CP-1", None, "1.5", lambda *_: None)


def test_versions_that_are_spoken() -> None:
    assert dialect("1.5", False) is dialect("1.5", True)
    assert dialect("1.6", False) is not dialect("1.6", True)
    with pytest.raises(LocalError, match=r"has no SOAP: choose --version 1\.5 or 1\.6"):
        dialect("2.0.1", True)
    with pytest.raises(LocalError, match=r"choose one of 1\.5, 1\.6, 2\.0\.1, 2\.1"):
        dialect("3", False)
