"""A site with a station of each version: what stations are told, seen at the stations; never more than the limit."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from tests.clients import rpc
from tests.clients.sessions import SESSIONS, Session
from tests.clients.system import System, eventually
from tests.e2e.conftest import NUMBERS

LIMIT = 32
OBEYS = {action: {"status": "Accepted"} for action in ("SetChargingProfile", "ClearChargingProfile")}
SCHEDULE = {"duration": 60, "chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16}]}
COMPOSES: dict[str, Any] = {
    "1.6": {"status": "Accepted", "connectorId": 1, "scheduleStart": "2026-03-01T12:00:00Z"}
    | {"chargingSchedule": SCHEDULE},
    "2.0.1": {"status": "Accepted", "schedule": SCHEDULE | {"evseId": 1, "scheduleStart": "2026-03-01T12:00:00Z"}},
}


@dataclass
class Charger:
    """A station, and its session."""

    id: str
    password: str
    session: Session
    connection: rpc.Station

    def limits(self) -> list[float]:
        """What its TxProfiles have said, oldest first."""
        return [limit for purpose, limit in map(profile, self._told()) if purpose == "TxProfile"]

    def defaults(self) -> list[float]:
        return [limit for purpose, limit in map(profile, self._told()) if purpose == "TxDefaultProfile"]

    def _told(self) -> list[Any]:
        return [it["payload"] for it in self.connection.happened if it.get("action") == "SetChargingProfile"]


def profile(payload: Any) -> tuple[str, float]:
    """Purpose and limit, whatever the version."""
    told = payload.get("csChargingProfiles") or payload["chargingProfile"]
    schedule = told["chargingSchedule"]
    schedule = schedule[0] if isinstance(schedule, list) else schedule
    return told["chargingProfilePurpose"], schedule["chargingSchedulePeriod"][0]["limit"]


@pytest.fixture
async def chargers(voltbus: System, node: rpc.Node, id_token: str) -> AsyncIterator[list[Charger]]:
    """One of each version, connected."""
    async with AsyncExitStack() as stack:
        made = []
        for version, composes in COMPOSES.items():
            name = f"CP-{next(NUMBERS):03}"
            password = await voltbus.register(name)
            answers = OBEYS | {"GetCompositeSchedule": composes}
            session = SESSIONS[version](id_token)
            connection = await node.connect(voltbus.endpoint(), name, session.protocol, password, answers)
            stack.push_async_callback(connection.close)
            made.append(Charger(name, password, session, connection))
        yield made
        assert not [it for charger in made for it in charger.connection.happened if it["event"] == "invalid"]


async def shares(voltbus: System, site: str) -> dict[str, float]:
    items = (await voltbus.get("smartcharging", f"/v1/sites/{site}/sessions"))["items"]
    return {item["station_id"]: item["confirmed_a"] for item in items}


async def test_active_sessions_share_the_limit(voltbus: System, chargers: list[Charger]) -> None:
    first, second = chargers[0], chargers[1]
    site = f"site-{first.id}"
    body = {"limit": {"value": LIMIT}, "stations": [first.id, second.id]}
    (await voltbus.ask("PUT", "smartcharging", f"/v1/sites/{site}", json=body)).raise_for_status()

    async def evses() -> list[Any]:
        found: list[Any] = (await voltbus.get("smartcharging", f"/v1/sites/{site}"))["evses"]
        return found

    await eventually(evses, lambda found: all(evse["default_a"] == 0 for evse in found))
    assert (first.defaults(), second.defaults()) == ([0], [0])

    for charger in (first, second):
        await charger.connection.call(*charger.session.boot())
        await charger.connection.call(*charger.session.status())
    assert first.session.started(await first.connection.call(*first.session.start(1000))) == "Accepted"
    await eventually(lambda: shares(voltbus, site), lambda found: found == {first.id: LIMIT})
    await second.connection.call(*second.session.start(1000))
    half = LIMIT / 2
    await eventually(lambda: shares(voltbus, site), lambda found: found == {first.id: half, second.id: half})
    # The first had less before the second had anything.
    assert (first.limits(), second.limits()) == ([LIMIT, half], [half])

    path = f"/v1/stations/{second.id}/composite-schedule"
    composed = await voltbus.get("smartcharging", path, evse_id="1", duration="60")
    assert composed["schedule"]["periods"][0]["limit"] == 16

    lower = body | {"limit": {"value": 20}}
    (await voltbus.ask("PUT", "smartcharging", f"/v1/sites/{site}", json=lower)).raise_for_status()
    await eventually(lambda: shares(voltbus, site), lambda found: found == {first.id: 10, second.id: 10})
    await voltbus.feed.until(lambda: 10 in granted(voltbus, first) and 10 in granted(voltbus, second))
    await first.connection.call(*first.session.stop(2000))
    await eventually(lambda: shares(voltbus, site), lambda found: found.keys() == {second.id})
    response = await voltbus.ask("DELETE", "smartcharging", f"/v1/sites/{site}")
    assert response.status_code == 204
    await second.connection.until("call", lambda it: bool(it["action"] == "ClearChargingProfile"))


def granted(voltbus: System, charger: Charger) -> list[float]:
    """What ShareChanged said that a charger was granted."""
    return [event.body.granted_a for event in voltbus.feed.of(charger.id, "ShareChanged")]
