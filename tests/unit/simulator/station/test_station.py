"""The demo charger: what it says and answers is valid, and it plays its session against any CSMS."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import StringIO
from itertools import pairwise
from typing import Any

import pytest
from rich.console import Console
from websockets.asyncio.server import ServerConnection, serve

from services.ocpp.versions import VERSIONS
from tests.contract.examples import full, minimal
from voltbus.errors import LocalError
from voltbus.simulator.station.charger import Charger
from voltbus.simulator.station.demo import Demo, DemoPlan
from voltbus.simulator.station.play import DIALECTS
from voltbus.simulator.station.types import Dialect, Perform, RemoteStart, RemoteStop, Session, curve

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANSWERS: dict[str, dict[str, dict[str, Any]]] = {
    "1.6": {
        "BootNotification": {"status": "Accepted", "currentTime": "2026-03-01T12:00:00Z", "interval": 300},
        "Authorize": {"idTagInfo": {"status": "Accepted"}},
        "StartTransaction": {"idTagInfo": {"status": "Accepted"}, "transactionId": 42},
    },
    "2.0.1": {
        "BootNotification": {"status": "Accepted", "currentTime": "2026-03-01T12:00:00Z", "interval": 300},
        "Authorize": {"idTokenInfo": {"status": "Accepted"}},
    },
}
START: dict[str, tuple[str, dict[str, Any]]] = {
    "1.6": ("RemoteStartTransaction", {"idTag": "OTHER"}),
    "2.0.1": ("RequestStartTransaction", {"idToken": {"idToken": "OTHER", "type": "Central"}, "remoteStartId": 7}),
}


# What is the same in 2.1.
ANSWERS["2.1"], START["2.1"] = ANSWERS["2.0.1"], START["2.0.1"]


def alike(version: str) -> str:
    """Whose words it has."""
    return "2.0.1" if version == "2.1" else version


def speaking(version: str) -> Dialect:
    return DIALECTS[version](Charger("CP-1", lambda: NOW), 120)


every_version = pytest.mark.parametrize("version", sorted(DIALECTS))


def test_the_curve_is_that_of_a_car() -> None:
    readings = list(curve(NOW, timedelta(minutes=2), 1_000_000, 21))
    assert len(readings) == 21
    assert readings[-1].at - readings[0].at == timedelta(minutes=40)
    assert all(before.energy_wh < after.energy_wh for before, after in pairwise(readings))
    charges = [reading.soc for reading in readings if reading.soc is not None]
    assert len(charges) == len(readings)
    assert charges == sorted(charges)
    assert max(reading.power_w for reading in readings) < 75_000
    assert 7_000 < readings[-1].power_w < readings[1].power_w / 2
    assert 25_000 < readings[-1].energy_wh - readings[0].energy_wh < 45_000
    assert charges[-1] < 100


def asked_by_csms(version: str) -> frozenset[str]:
    found = VERSIONS[version].schemas.actions - VERSIONS[version].from_station.keys()
    return found | {"DataTransfer"}


@every_version
def test_knows_every_action_a_csms_may_ask(version: str) -> None:
    schemas = VERSIONS[version].schemas
    for action in sorted(asked_by_csms(version)):
        document = schemas.request_document(action)
        for payload in (minimal(document), full(document)):
            answer = speaking(version).answer(action, payload)
            assert answer is not None, action
            schemas.check_response(action, answer.payload)
            for step in answer.effect.steps if isinstance(answer.effect, Perform) else ():
                schemas.check_request(*step.call)
    assert speaking(version).answer("NoSuchAction", {}) is None


@every_version
def test_a_remote_stop_of_another_transaction_is_rejected(version: str) -> None:
    action, key = {"1.6": ("RemoteStopTransaction", 41), "2.0.1": ("RequestStopTransaction", "x")}[alike(version)]
    answer = speaking(version).answer(action, {"transactionId": key})
    assert answer is not None
    assert answer.payload == {"status": "Rejected"}
    assert answer.effect is None


@dataclass
class Csms:
    """Answers a charger as told, and remembers its CALLs; every one must keep to its schema."""

    version: str
    after: Callable[["Csms", ServerConnection, str, int], Any] | None = None
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    replies: list[list[Any]] = field(default_factory=list)
    address: str = ""
    path: str = ""
    open: bool = True
    may_connect: Callable[[], bool] = lambda: True
    failing: str = ""

    async def serve_one(self, socket: ServerConnection) -> None:
        self.path = socket.request.path if socket.request else ""
        async for text in socket:
            frame = json.loads(text)
            if frame[0] != 2:
                self.replies.append(frame)
                continue
            _, message_id, action, payload = frame
            VERSIONS[self.version].schemas.check_request(action, payload)
            self.calls.append((action, payload))
            if self.failing:
                await socket.send(json.dumps([4, message_id, self.failing, "", {}]))
                self.failing = ""
                continue
            answer = {**ANSWERS[self.version], **self.answers}.get(action, self._empty(action))
            await socket.send(json.dumps([3, message_id, answer]))
            if self.after:
                await self.after(self, socket, action, len(self.calls))

    @staticmethod
    def _empty(action: str) -> dict[str, Any]:
        return {"currentTime": "2026-03-01T12:00:00Z"} if action == "Heartbeat" else {}


@asynccontextmanager
async def running(csms: Csms) -> AsyncIterator[Csms]:
    protocol: Any = speaking(csms.version).subprotocol

    def admit(connection: ServerConnection, _: Any) -> Any:
        return None if csms.may_connect() else connection.respond(503, "")

    async with serve(csms.serve_one, "127.0.0.1", 0, subprotocols=[protocol], process_request=admit) as server:
        csms.address = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/ocpp"
        yield csms


def demo(csms: Csms, **plan: Any) -> tuple[Demo, StringIO]:
    told = StringIO()
    made = DemoPlan(csms.address, "CP 1", "TAG", **{"pause": 0.001, "retry": 0.001, **plan})
    charger = Charger("CP 1", lambda: datetime.now(UTC), patience=made.pause)
    return Demo(made, charger, DIALECTS[csms.version](charger, 120), Console(file=told, width=200)), told


@every_version
async def test_plays_a_whole_session(version: str) -> None:
    async with running(Csms(version)) as csms:
        charger, told = demo(csms)
        await asyncio.wait_for(charger.play(), 10)
    actions = [action for action, _ in csms.calls]
    assert csms.path == "/ocpp/CP%201"
    assert actions[0] == "BootNotification"
    assert actions[-1] == "StatusNotification"
    assert "Authorize" in actions
    if version == "1.6":
        assert actions.count("MeterValues") == 20
        start, stop = (dict(csms.calls)[action] for action in ("StartTransaction", "StopTransaction"))
        assert stop["transactionId"] == 42
        assert stop["meterStop"] > start["meterStart"]
        assert stop["timestamp"] > start["timestamp"]
    else:
        events = [payload for action, payload in csms.calls if action == "TransactionEvent"]
        assert [event["eventType"] for event in events] == ["Started", *["Updated"] * 20, "Ended"]
        assert [event["seqNo"] for event in events] == list(range(22))
        assert len({event["transactionInfo"]["transactionId"] for event in events}) == 1
    assert "BootNotification → Accepted" in told.getvalue()
    assert "stopped by the driver," in told.getvalue()


@every_version
async def test_answers_commands_when_it_stays(version: str) -> None:
    started = {"1.6": "StartTransaction", "2.0.1": "TransactionEvent"}[alike(version)]
    stop = {"1.6": "RemoteStopTransaction", "2.0.1": "RequestStopTransaction"}[alike(version)]
    done = asyncio.Event()

    async def ask(csms: Csms, socket: ServerConnection, action: str, _: int) -> None:
        free = action == "StatusNotification" and csms.calls[-2][0] in ("StopTransaction", "TransactionEvent")
        sessions = [payload for name, payload in csms.calls if name == started]
        if version != "1.6":
            sessions = [payload for payload in sessions if payload["eventType"] == "Started"]
        if free and len(sessions) == 1:
            await socket.send(json.dumps([2, "start", *START[version]]))
        elif free and len(sessions) == 2 and action == "StatusNotification":
            done.set()
        elif action in ("MeterValues", "TransactionEvent") and len(sessions) == 2 and "stop" not in str(csms.replies):
            key = 42 if version == "1.6" else sessions[1]["transactionInfo"]["transactionId"]
            await socket.send(json.dumps([2, "stop", stop, {"transactionId": key}]))

    async with running(Csms(version, ask)) as csms:
        charger, told = demo(csms, stay=True)
        playing = asyncio.create_task(charger.play())
        await asyncio.wait_for(done.wait(), 10)
        playing.cancel()
        await asyncio.wait({playing})
    assert csms.replies[0] == [3, "start", {"status": "Accepted"}]
    assert csms.replies[1] == [3, "stop", {"status": "Accepted"}]
    assert f"the CSMS calls {stop} → Accepted" in told.getvalue()
    assert "stopped by the CSMS" in told.getvalue()
    if version != "1.6":
        second = [payload for action, payload in csms.calls if action == "TransactionEvent"][22]
        assert second["transactionInfo"]["remoteStartId"] == 7
        assert second["idToken"]["idToken"] == "OTHER"


@every_version
async def test_a_token_that_is_not_accepted_ends_it(version: str) -> None:
    info = {"1.6": {"idTagInfo": {"status": "Blocked"}}, "2.0.1": {"idTokenInfo": {"status": "Blocked"}}}[
        alike(version)
    ]
    async with running(Csms(version, answers={"Authorize": info})) as csms:
        with pytest.raises(LocalError, match=r"^the id token TAG is Blocked: choose another with --token$"):
            await demo(csms)[0].play()


@every_version
async def test_goes_on_while_the_connection_is_lost_and_tells_everything_afterwards(version: str) -> None:
    """E04, E11, E12: what happens offline is sent later, in order, and says so where the version can."""
    message = {"1.6": "MeterValues", "2.0.1": "TransactionEvent"}[alike(version)]

    async def lose(csms: Csms, socket: ServerConnection, *_: Any) -> None:
        if csms.open and len(sent(csms, message)) == 5:
            csms.open = False
            socket.transport.abort()

    async with running(Csms(version, lose)) as csms:
        charger, told = demo(csms)
        # The gateway is back when three readings could not be sent.
        csms.may_connect = lambda: csms.open or told.getvalue().count("(kept)") >= 3
        await asyncio.wait_for(charger.play(), 20)
    actions = [action for action, _ in csms.calls]
    assert actions.count("BootNotification") == 1
    assert "Heartbeat" in actions  # for the time, on the new connection
    assert "connected again" in told.getvalue()
    if version == "1.6":
        readings = [json.dumps(payload) for payload in sent(csms, message)]
        assert len(dict.fromkeys(readings)) == 20
        assert sent(csms, "StopTransaction")[0]["transactionId"] == 42
        assert actions.index("StopTransaction") > max(n for n, action in enumerate(actions) if action == "MeterValues")
    else:
        events = {event["seqNo"]: event for event in sent(csms, message)}
        assert list(events) == list(range(22))
        assert [event["eventType"] for event in events.values()] == ["Started", *["Updated"] * 20, "Ended"]
        offline = [number for number, event in events.items() if event.get("offline")]
        assert len(offline) == told.getvalue().count("(kept)")
        assert offline == list(range(offline[0], offline[0] + len(offline)))
    last = {action: payload for action, payload in csms.calls if action == "StatusNotification"}
    assert "Available" in last["StatusNotification"].values()


def sent(csms: Csms, action: str) -> list[dict[str, Any]]:
    return [payload for name, payload in csms.calls if name == action]


@every_version
@pytest.mark.parametrize("moment", ["BootNotification", "Authorize", "StatusNotification"])
async def test_what_was_not_answered_is_asked_again(version: str, moment: str) -> None:
    async def lose(csms: Csms, socket: ServerConnection, action: str, _: int) -> None:
        if csms.open and action == moment:
            csms.open = False
            socket.transport.abort()

    async with running(Csms(version, lose)) as csms:
        await asyncio.wait_for(demo(csms)[0].play(), 20)
    assert any(payload.get("eventType") == "Ended" or "meterStop" in payload for _, payload in csms.calls)


async def test_a_call_that_the_csms_could_not_handle_is_sent_again() -> None:
    async def fail(csms: Csms, *_: Any) -> None:
        csms.failing = "InternalError" if len(csms.calls) == 4 else ""

    async with running(Csms("1.6", fail)) as csms:
        await asyncio.wait_for(demo(csms)[0].play(), 20)
    assert csms.calls[4] == csms.calls[5]
    assert len(sent(csms, "StopTransaction")) == 1


async def test_nobody_there() -> None:
    with pytest.raises(LocalError, match=r"^nothing answers at ws://127.0.0.1:9/ocpp/CP%201: start it with `make run`"):
        await demo(Csms("1.6", address="ws://127.0.0.1:9/ocpp"))[0].play()


async def test_refused_by_the_gateway() -> None:
    async with serve(lambda _: asyncio.sleep(0), "127.0.0.1", 0, process_request=refuse) as server:
        address = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/ocpp"
        with pytest.raises(LocalError, match=r"^the gateway refused the station CP 1 \(401\): give its --password"):
            await demo(Csms("1.6", address=address), password="wrong")[0].play()


def refuse(connection: ServerConnection, request: Any) -> Any:
    assert request.headers["Authorization"] == "Basic Q1AgMTp3cm9uZw=="
    return connection.respond(401, "")


def test_effects_of_commands() -> None:
    charger = Charger("CP-1", lambda: NOW)
    dialect = DIALECTS["2.0.1"](charger, 120)
    started = dialect.answer(*START["2.0.1"])
    assert started is not None
    assert started.effect == RemoteStart("OTHER", 7, 1, "Central")
    charger.outlets[0].session = Session("tx", 1, "OTHER", NOW)
    stopped = dialect.answer("RequestStopTransaction", {"transactionId": "tx"})
    assert stopped is not None
    assert stopped.effect == RemoteStop(1)


def test_what_a_monitor_sees_comes_as_a_stream_where_that_is_asked_for() -> None:
    """N11.FR.02, N12, N13.FR.05, N14, N15."""
    charger = Charger("CP-1", lambda: now)
    now, schemas, dialect = NOW, VERSIONS["2.1"].schemas, DIALECTS["2.1"](charger, 120)
    place = {"component": {"name": "EVSE", "evse": {"id": 1}}, "variable": {"name": "Power"}}
    monitor = {"value": 60, "type": "Periodic", "severity": 5, **place, "periodicEventStream": {"interval": 60}}
    asked = dialect.answer("SetVariableMonitoring", {"setMonitoringData": [monitor]})
    assert asked is not None
    [opened] = dialect.alarms()
    assert opened[0] == "OpenPeriodicEventStream"
    now += timedelta(minutes=1)
    [told] = dialect.alarms()
    assert told[0] == "NotifyPeriodicEventStream"
    changed = dialect.answer("AdjustPeriodicEventStream", {"id": 1, "params": {"values": 2}})
    assert changed is not None
    assert changed.payload == {"status": "Accepted"}
    listed = dialect.answer("GetPeriodicEventStream", {})
    assert listed is not None
    assert listed.payload["constantStreamData"][0]["params"] == {"values": 2}
    dialect.answer("ClearVariableMonitoring", {"id": [1]})
    [closed] = dialect.alarms()
    assert closed == ("ClosePeriodicEventStream", {"id": 1})
    for call in (opened, told, closed):
        schemas.check_request(*call)


def test_a_dynamic_profile_is_updated_and_no_other() -> None:
    """K28.FR.06, K28.FR.11."""
    charger = Charger("CP-1", lambda: NOW)
    dialect = DIALECTS["2.1"](charger, 120)
    schedule = {"id": 1, "chargingRateUnit": "W", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 9000}]}
    profile = {"id": 3, "stackLevel": 0, "chargingProfilePurpose": "TxDefaultProfile", "chargingSchedule": [schedule]}
    for kind, status in (("Relative", "Rejected"), ("Dynamic", "Accepted")):
        dialect.answer("SetChargingProfile", {"evseId": 1, "chargingProfile": profile | {"chargingProfileKind": kind}})
        asked = {"chargingProfileId": 3, "scheduleUpdate": {"limit": 4000}}
        updated = dialect.answer("UpdateDynamicSchedule", asked)
        assert updated is not None
        assert updated.payload["status"] == status
    assert charger.allowed_w(charger.outlets[0]) == 4000


def test_what_only_2_1_says_is_answered() -> None:
    dialect = speaking("2.1")
    kept = dialect.answer("SetDefaultTariff", {"evseId": 1, "tariff": {"tariffId": "T", "currency": "EUR"}})
    assert kept is not None
    for action, payload, status in (
        ("GetTariffs", {"evseId": 0}, "Accepted"),
        ("GetTariffs", {"evseId": 2}, "NoTariff"),
        ("Reset", {"type": "ImmediateAndResume"}, "Rejected"),
        ("Reset", {"type": "OnIdle"}, "Accepted"),
    ):
        answer = dialect.answer(action, payload)
        assert answer is not None
        assert answer.payload["status"] == status
    cleared = [dialect.answer("ClearTariffs", {}) for _ in range(2)]
    told = [one.payload["clearTariffsResult"] for one in cleared if one]
    assert told == [[{"status": "Accepted", "tariffId": "T"}], [{"status": "NoTariff"}]]
