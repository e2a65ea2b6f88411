"""Stations that call: at a rate without omission, in a closed loop, and into trouble."""

import asyncio
import ssl
import time
from pathlib import Path
from typing import Any

import pytest

from voltbus.lab.bench import driver, echo, load_requests
from voltbus.lab.bench.crowd import Crowd
from voltbus.lab.bench.driver import OnCall
from voltbus.lab.bench.tally import Tally
from voltbus.local.certificates import LocalCertificates
from voltbus.simulator.station.link import CallRefused, ConnectionLost, NotAdmitted, WireCounts
from voltbus.simulator.station.types import Payload


class FakeLink:
    """Answers as the echo does; `hold` makes it wait, `error` fail, before it answers."""

    def __init__(self, books: WireCounts) -> None:
        self.books, self.hold, self.error = books, 0.0, None
        self.lost: asyncio.Future[ConnectionLost] = asyncio.get_running_loop().create_future()
        self.calls: list[str] = []

    async def call(self, action: str, _: Payload) -> Payload:
        self.calls.append(action)
        self.books.sent += 1
        await asyncio.sleep(self.hold)
        self.hold = 0.0
        if self.error:
            self.books.refused += 1
            raise self.error
        self.books.answered += 1
        return echo.ANSWERS[action]()

    async def close(self) -> None:
        self.lost.set_result(ConnectionLost())


@pytest.fixture
def links(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    made: dict[str, Any] = {}

    async def connect(*arguments: Any, deflate: bool, tls: ssl.SSLContext | None) -> Any:
        _, station_id, *_, books = arguments
        if station_id == "X00001":
            raise NotAdmitted(station_id, 404)
        made[station_id] = FakeLink(books)
        made[station_id].deflates = deflate and station_id.startswith("D")
        made[station_id].tls = tls
        return made[station_id]

    monkeypatch.setattr(driver, "connect", connect)
    return made


@pytest.mark.parametrize(("profile", "secured", "shared"), [(1, False, True), (2, True, True), (3, True, False)])
async def test_what_stations_connect_with_by_their_profile(
    links: dict[str, Any], tmp_path: Path, profile: int, secured: bool, shared: bool
) -> None:
    LocalCertificates(tmp_path).of_gateway(["localhost"])
    crowd = Crowd()
    crowd.make(load_requests.Make("CP", "1.6", "meter", [0, 1], 2, profile, str(tmp_path)))
    await crowd.connect(load_requests.Connect("wss://x"))
    one, other = (link.tls for link in links.values())
    assert (one is not None) is secured
    assert (one is other) is shared
    if one is not None:
        assert len(one.get_ca_certs()) == 1


async def join(crowd: Crowd, stations: range, prefix: str = "CP", **more: bool) -> Tally:
    crowd.make(load_requests.Make(prefix, "1.6", "meter", list(stations), stations.stop))
    return await crowd.connect(load_requests.Connect("ws://x", **more))


async def crowd(stations: int, told: OnCall | None = None) -> Crowd:
    made = Crowd(told)
    connected = await join(made, range(stations))
    assert connected.closed
    return made


async def test_opens_calls_and_leaves_with_equal_books(links: dict[str, Any]) -> None:
    told: list[tuple[str, str, bool]] = []
    stations = await crowd(
        3, told=lambda station, action, _, response: told.append((station, action, response is None))
    )
    opened = await stations.open()
    assert (opened.sent, opened.answered) == (6, 6)
    assert links["CP00002"].calls == ["BootNotification", "StartTransaction"]
    phase = await stations.run(load_requests.Run(200, 0.1, 0, 1))
    assert phase.closed
    assert (phase.sent, phase.unsent) == (20, 0)
    links_said = await stations.leave()
    assert (links_said.sent, links_said.answered, links_said.unanswered) == (26, 26, 0)
    assert len(told) == 26
    assert not any(silent for *_, silent in told)


async def test_what_waits_behind_a_slow_answer_has_waited(links: dict[str, Any]) -> None:
    stations = await crowd(1)
    await stations.open()
    links["CP00000"].hold = 0.2
    phase = await stations.run(load_requests.Run(50, 0.2, 0, 1))
    assert phase.closed
    assert phase.answered == 10
    # Due every 20 ms, and none could be sent for 200: each has waited for the rest of them.
    assert all(took >= (200 - 20 * turn) * 1000 for turn, took in enumerate(phase.took))
    assert phase.late[0] < phase.late[1]


async def test_a_closed_loop_ends_in_time(links: dict[str, Any]) -> None:
    stations = await crowd(2)
    await stations.open()
    for link in links.values():
        link.hold = 0.01
    phase = await stations.run(load_requests.Run(None, 0.05, time.perf_counter() + 0.01, 1))
    assert phase.closed
    assert phase.sent == sum(len(link.calls) for link in links.values()) - 4
    # A timer may be early by as much as two clocks of the machine differ.
    assert phase.seconds >= 0.049


async def test_a_station_whose_answer_is_missing_does_not_go_on(links: dict[str, Any]) -> None:
    stations = await crowd(2)
    await stations.open()
    links["CP00001"].error = CallRefused("MeterValues", "InternalError", "no")
    phase = await stations.run(load_requests.Run(100, 0.1, 0, 1))
    assert phase.closed
    assert (phase.refused, phase.unanswered, phase.answered, phase.unsent) == (1, 0, 5, 4)
    assert phase.complaint == "CP00001: the CSMS refused MeterValues: InternalError no"


async def test_a_lost_connection_is_no_answer(links: dict[str, Any]) -> None:
    stations = await crowd(1)
    await stations.open()
    links["CP00000"].error = ConnectionLost(1001, "the gateway goes down")
    phase = await stations.run(load_requests.Run(None, 0.05, 0, 1))
    assert phase.closed
    assert (phase.sent, phase.unanswered) == (1, 1)


async def test_what_is_due_after_the_end_is_not_sent(links: dict[str, Any]) -> None:
    stations = await crowd(1)
    await stations.open()
    links["CP00000"].hold = 0.1
    phase = await stations.run(load_requests.Run(100, 0.05, 0, 0))
    assert phase.closed
    assert (phase.answered, phase.unsent) == (1, 4)


async def test_further_stations_come_to_those_that_are_there(links: dict[str, Any]) -> None:
    stations = Crowd()
    for there, count in ((0, 2), (2, 5)):
        tally = await join(stations, range(there, count), boot=True)
        assert tally.answered == len(tally.took) == count - there
    assert {link.calls[0] for link in links.values()} == {"BootNotification"}
    await stations.open()
    assert all(link.calls == ["BootNotification", "StartTransaction"] for link in links.values())
    assert (await stations.leave()).answered == 10
    assert (await stations.leave()).answered == 0


@pytest.mark.usefixtures("links")
async def test_a_boot_that_is_not_accepted_is_no_arrival(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = {"status": "Pending", "interval": 5, "currentTime": "2026-01-01T00:00:00Z"}
    monkeypatch.setitem(echo.ANSWERS, "BootNotification", lambda: answer)
    tally = await join(Crowd(), range(1), boot=True)
    assert (tally.sent, tally.answered, tally.unanswered) == (1, 0, 1)
    assert tally.complaint == "CP00000: its boot is not accepted"


@pytest.mark.usefixtures("links")
async def test_who_asks_for_compression_gets_it() -> None:
    assert (await join(Crowd(), range(1), "D", deflate=True)).answered == 1
    tally = await join(Crowd(), range(1), "P", deflate=True)
    assert (tally.answered, tally.refused) == (0, 1)
    assert "does not compress" in tally.complaint


@pytest.mark.usefixtures("links")
async def test_who_is_not_let_in_is_told() -> None:
    tally = await join(Crowd(), range(2), "X")
    assert (tally.answered, tally.refused) == (1, 1)
    assert tally.complaint.startswith("the gateway refused the station X00001 (404)")


def test_orders_arrive_as_they_were_given() -> None:
    for given in (
        load_requests.Make("p", "1.6", "meter", [1], 2),
        load_requests.Connect("u", True),
        load_requests.Open(),
        load_requests.Run(None, 1.5, 2.5, 1),
        load_requests.Leave(),
    ):
        assert load_requests.read(load_requests.write(given)) == given
