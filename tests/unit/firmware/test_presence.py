"""Whether a station is here, whatever order the news of it comes in (G02.FR.04)."""

from typing import Any

import pytest
from msgspec.structs import replace

from services.firmware.domain.decide import decide
from services.firmware.domain.messages import Alive, Beat, Closed, Connected, Disconnected, Event, Heard, Opened
from services.firmware.domain.presence import silent
from services.firmware.domain.rules import Rules
from services.firmware.domain.station import Station
from tests.unit.firmware.configuration.tables import at, heard, here

RULES = Rules()
NEW = Station("CP1")
SWEPT = replace(here(), presence=replace(here().presence, online=False, disconnected_at=at(200)))

Said = tuple[float, str, str]
SAY: dict[str, Any] = {
    "call": lambda _: Beat(),
    "opened": lambda _: Opened("10.0.0.7"),
    "alive": lambda seconds: Alive(at(seconds)),
    "closed": lambda seconds: Closed(at(seconds)),
}


def told(station: Station, *said: Said, now: float | None = None) -> tuple[Station, list[Event]]:
    """What is known after (seconds, connection, what) was said."""
    events: list[Event] = []
    for seconds, connection, what in said:
        moment = at(seconds if now is None else now)
        decision = decide(station, heard(seconds, connection), SAY[what](seconds), RULES, moment)
        station, events = decision.station, events + list(decision.events)
    return station, events


@pytest.mark.parametrize(
    ("station", "said", "online", "connection", "kinds"),
    [
        pytest.param(NEW, [(0, "a", "opened")], True, "a", [Connected], id="opened"),
        pytest.param(NEW, [(0, "a", "call")], True, "a", [Connected], id="a call is enough"),
        pytest.param(NEW, [(1, "a", "call"), (0, "a", "opened")], True, "a", [Connected], id="a call comes first"),
        pytest.param(NEW, [(0, "a", "alive")], True, "a", [Connected], id="the gateway's word is enough"),
        pytest.param(
            NEW, [(0, "a", "opened"), (9, "a", "closed")], False, None, [Connected, Disconnected], id="opened, closed"
        ),
        pytest.param(
            NEW,
            [(0, "a", "opened"), (5, "b", "opened"), (6, "a", "closed")],
            True,
            "b",
            [Connected],
            id="an older connection takes nobody away",
        ),
        pytest.param(
            NEW,
            [(0, "a", "opened"), (5, "b", "opened"), (5.5, "a", "alive")],
            True,
            "b",
            [Connected],
            id="an older connection stays the older one",
        ),
        pytest.param(
            NEW, [(5, "b", "opened"), (0, "a", "opened")], True, "b", [Connected], id="the older one is heard of late"
        ),
        pytest.param(
            NEW,
            [(0, "a", "opened"), (9, "a", "closed"), (8, "a", "call"), (10, "a", "alive")],
            False,
            None,
            [Connected, Disconnected],
            id="the last words of a connection bring nobody back",
        ),
        pytest.param(
            NEW,
            [(0, "a", "opened"), (5, "b", "opened"), (9, "b", "closed"), (4, "a", "call")],
            False,
            None,
            [Connected, Disconnected],
            id="nor do those of the one before",
        ),
        pytest.param(
            NEW,
            [(0, "a", "opened"), (9, "a", "closed"), (0, "a", "opened"), (9, "a", "closed")],
            False,
            None,
            [Connected, Disconnected],
            id="everything told again",
        ),
        pytest.param(
            NEW,
            [(0, "a", "opened"), (9, "a", "closed"), (20, "b", "opened")],
            True,
            "b",
            [Connected, Disconnected, Connected],
            id="back again",
        ),
        pytest.param(
            NEW,
            [(0, "a", "opened"), (9, "a", "closed"), (7, "b", "opened"), (7.5, "b", "call")],
            True,
            "b",
            [Connected, Disconnected, Connected],
            id="back by a gateway whose clock is behind",
        ),
        pytest.param(SWEPT, [(210, "a", "alive")], True, "a", [Connected], id="silent, not gone"),
        pytest.param(SWEPT, [(210, "a", "call")], True, "a", [Connected], id="silent, and speaks again"),
        pytest.param(SWEPT, [(210, "b", "opened")], True, "b", [Connected], id="silent, and comes anew"),
        pytest.param(SWEPT, [(210, "a", "closed")], False, None, [], id="silent, and gone: announced once"),
        pytest.param(SWEPT, [(100, "a", "call")], False, "a", [], id="what it said before it fell silent"),
    ],
)
def test_news(station: Station, said: list[Said], online: bool, connection: str | None, kinds: list[type]) -> None:
    after, events = told(station, *said)
    assert (after.presence.online, after.presence.connection_id) == (online, connection)
    assert [type(event) for event in events] == kinds


@pytest.mark.parametrize("what", ["call", "opened", "alive"])
def test_old_news_proves_nothing_about_now(what: str) -> None:
    """After this service was down for an hour."""
    after, events = told(NEW, (0, "a", what), now=3600)
    assert not after.presence.online
    assert not events
    assert after.presence.alive_at == at(0)
    back, events = told(after, (3500, "a", "alive"), now=3600)
    assert back.presence.online
    assert [type(event) for event in events] == [Connected]


def test_times_only_go_forward() -> None:
    after, _ = told(here(since=0, seen=50), (40, "a", "call"))
    assert after.presence.last_seen_at == at(50)
    after, _ = told(here(), (60, "a", "call"))
    assert (after.presence.last_seen_at, after.presence.alive_at) == (at(60), at(60))


def test_alive_is_not_seen() -> None:
    """A station that says nothing for long, and whose gateway still has its connection."""
    word = Alive(at(10))
    after = decide(here(), heard(130), word, RULES, at(130)).station
    assert (after.presence.last_seen_at, after.presence.alive_at) == (at(10), at(130))


def test_what_a_connection_tells() -> None:
    said = Heard("x", "CP1", "a", "2.0.1", at(0), quarantined=True)
    station = decide(NEW, said, Opened("10.0.0.7"), RULES, at(0)).station
    assert (station.version, station.quarantined, station.presence.remote_address) == ("2.0.1", True, "10.0.0.7")
    assert station.presence.connected_at == at(0)


def test_causes_tell_events_apart() -> None:
    first, second = here(seen=0).presence, here(seen=9).presence
    assert silent("CP1", first, at(200)).cause != silent("CP1", second, at(200)).cause
    _, [one, _, two] = told(NEW, (0, "a", "opened"), (1, "a", "closed"), (2, "b", "opened"))
    assert one.cause != two.cause
