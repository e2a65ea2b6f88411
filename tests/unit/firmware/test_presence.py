"""Whether a station is here, whatever order the news of it comes in (G02.FR.04)."""

from typing import Any

import pytest
from msgspec.structs import replace

from services.firmware.domain.decide import decide
from services.firmware.domain.messages import (
    ConnectionAlive,
    ConnectionClosed,
    ConnectionOpened,
    Event,
    Heartbeat,
    StationConnected,
    StationDisconnected,
)
from services.firmware.domain.presence import fell_silent
from services.firmware.domain.security import ConnectionSecurity
from services.firmware.domain.station import Station
from tests.unit.firmware.tables import at, context, online

NEW = Station("CP1")
SILENT = replace(online(), presence=replace(online().presence, online=False, disconnected_at=at(200)))

Message = tuple[float, str, str]
MESSAGES: dict[str, Any] = {
    "call": lambda _: Heartbeat(),
    "opened": lambda _: ConnectionOpened("10.0.0.7"),
    "alive": lambda seconds: ConnectionAlive(at(seconds)),
    "closed": lambda seconds: ConnectionClosed(at(seconds)),
}


def after_messages(station: Station, *messages: Message, now: float | None = None) -> tuple[Station, list[Event]]:
    """What is known after messages (seconds, connection, kind) have been read."""
    events: list[Event] = []
    for seconds, connection, message in messages:
        moment = None if now is None else at(now)
        decision = decide(station, MESSAGES[message](seconds), context(seconds, connection, now=moment))
        station, events = decision.station, events + list(decision.events)
    return station, events


@pytest.mark.parametrize(
    ("station", "messages", "online", "connection", "kinds"),
    [
        pytest.param(NEW, [(0, "a", "opened")], True, "a", [StationConnected], id="opened"),
        pytest.param(NEW, [(0, "a", "call")], True, "a", [StationConnected], id="a call is enough"),
        pytest.param(
            NEW, [(1, "a", "call"), (0, "a", "opened")], True, "a", [StationConnected], id="a call comes first"
        ),
        pytest.param(NEW, [(0, "a", "alive")], True, "a", [StationConnected], id="the gateway's word is enough"),
        pytest.param(
            NEW,
            [(0, "a", "opened"), (9, "a", "closed")],
            False,
            None,
            [StationConnected, StationDisconnected],
            id="opened, closed",
        ),
        pytest.param(
            NEW,
            [(0, "a", "opened"), (5, "b", "opened"), (6, "a", "closed")],
            True,
            "b",
            [StationConnected],
            id="an older connection takes nobody away",
        ),
        pytest.param(
            NEW,
            [(0, "a", "opened"), (5, "b", "opened"), (5.5, "a", "alive")],
            True,
            "b",
            [StationConnected],
            id="an older connection stays the older one",
        ),
        pytest.param(
            NEW,
            [(5, "b", "opened"), (0, "a", "opened")],
            True,
            "b",
            [StationConnected],
            id="the older one is heard of late",
        ),
        pytest.param(
            NEW,
            [(0, "a", "opened"), (9, "a", "closed"), (8, "a", "call"), (10, "a", "alive")],
            False,
            None,
            [StationConnected, StationDisconnected],
            id="the last words of a connection bring nobody back",
        ),
        pytest.param(
            NEW,
            [(0, "a", "opened"), (5, "b", "opened"), (9, "b", "closed"), (4, "a", "call")],
            False,
            None,
            [StationConnected, StationDisconnected],
            id="nor do those of the one before",
        ),
        pytest.param(
            NEW,
            [(0, "a", "opened"), (9, "a", "closed"), (0, "a", "opened"), (9, "a", "closed")],
            False,
            None,
            [StationConnected, StationDisconnected],
            id="everything told again",
        ),
        pytest.param(
            NEW,
            [(0, "a", "opened"), (9, "a", "closed"), (20, "b", "opened")],
            True,
            "b",
            [StationConnected, StationDisconnected, StationConnected],
            id="back again",
        ),
        pytest.param(
            NEW,
            [(0, "a", "opened"), (9, "a", "closed"), (7, "b", "opened"), (7.5, "b", "call")],
            True,
            "b",
            [StationConnected, StationDisconnected, StationConnected],
            id="back by a gateway whose clock is behind",
        ),
        pytest.param(SILENT, [(210, "a", "alive")], True, "a", [StationConnected], id="silent, not gone"),
        pytest.param(SILENT, [(210, "a", "call")], True, "a", [StationConnected], id="silent, and speaks again"),
        pytest.param(SILENT, [(210, "b", "opened")], True, "b", [StationConnected], id="silent, and comes anew"),
        pytest.param(SILENT, [(210, "a", "closed")], False, None, [], id="silent, and gone: announced once"),
        pytest.param(SILENT, [(100, "a", "call")], False, "a", [], id="what it said before it fell silent"),
    ],
)
def test_news(
    station: Station, messages: list[Message], online: bool, connection: str | None, kinds: list[type]
) -> None:
    after, events = after_messages(station, *messages)
    assert (after.presence.online, after.presence.connection_id) == (online, connection)
    assert [type(event) for event in events] == kinds


@pytest.mark.parametrize("kind", ["call", "opened", "alive"])
def test_old_news_proves_nothing_about_now(kind: str) -> None:
    """After this service was down for an hour."""
    after, events = after_messages(NEW, (0, "a", kind), now=3600)
    assert not after.presence.online
    assert not events
    assert after.presence.alive_at == at(0)
    back, events = after_messages(after, (3500, "a", "alive"), now=3600)
    assert back.presence.online
    assert [type(event) for event in events] == [StationConnected]


def test_times_only_go_forward() -> None:
    after, _ = after_messages(online(since=0, seen=50), (40, "a", "call"))
    assert after.presence.last_seen_at == at(50)
    after, _ = after_messages(online(), (60, "a", "call"))
    assert (after.presence.last_seen_at, after.presence.alive_at) == (at(60), at(60))


def test_alive_is_not_seen() -> None:
    """A station that says nothing for long, and whose gateway still has its connection."""
    after = decide(online(), ConnectionAlive(at(10)), context(130)).station
    assert (after.presence.last_seen_at, after.presence.alive_at) == (at(10), at(130))


def test_what_a_connection_tells() -> None:
    opened = context(version="2.0.1", quarantined=True)
    station = decide(NEW, ConnectionOpened("10.0.0.7"), opened).station
    assert (station.version, station.quarantined, station.presence.remote_address) == ("2.0.1", True, "10.0.0.7")
    assert station.presence.connected_at == at(0)


def test_the_profile_that_a_connection_is_let_in_with() -> None:
    """A message that is read before the word of its gateway does not say it."""
    [event] = decide(NEW, ConnectionOpened("", ConnectionSecurity(3)), context()).events
    assert isinstance(event, StationConnected)
    assert event.security_profile == 3
    for update in (ConnectionOpened(""), Heartbeat()):
        [event] = decide(NEW, update, context()).events
        assert isinstance(event, StationConnected)
        assert event.security_profile is None


def test_causes_tell_events_apart() -> None:
    first, second = online(seen=0).presence, online(seen=9).presence
    assert fell_silent("CP1", first, at(200)).cause != fell_silent("CP1", second, at(200)).cause
    _, [one, _, two] = after_messages(NEW, (0, "a", "opened"), (1, "a", "closed"), (2, "b", "opened"))
    assert one.cause != two.cause
