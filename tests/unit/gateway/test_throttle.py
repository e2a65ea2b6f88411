"""Wrong passwords are slowed down: of the station that says them, from where it says them, and nobody else."""

import asyncio
import base64
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from services.common.kafka.bus import Record
from services.common.testing.memory import MemoryBus
from services.gateway.cluster.memory import MemoryDirectory
from services.gateway.gateway import Gateway
from services.gateway.settings import Settings
from services.gateway.throttle import OF_ADDRESS, OF_STATION, Throttle
from services.gateway.timing import Clocks
from services.gateway.transport.handshake import Refused, Request
from services.ocpp.passwords import keyed
from voltbus.v1.credentials_pb2 import Credentials

IDS, ADDRESSES = ("CP1", "CP2", "CP3"), ("10.0.0.1", "10.0.0.2", "2001:db8::1")
# Id, address, and seconds since the one before.
TRIES = st.lists(
    st.tuples(st.sampled_from(IDS), st.sampled_from(ADDRESSES), st.floats(0, 30, allow_subnormal=False)), max_size=200
)
Try = tuple[str, str, float]


def told(tries: Iterable[Try], throttle: Throttle) -> list[tuple[str, str, float, float]]:
    """Each with when it was, and how long it was told to wait."""
    now, found = 1e6, []
    for station_id, address, later in tries:
        now += later
        found.append((station_id, address, now, throttle.failed(station_id, address, now)))
    return found


@given(TRIES)
def test_what_one_id_does_changes_nothing_for_another(tries: list[Try]) -> None:
    """Thousands of stations are behind one address of a carrier."""
    together = told(tries, Throttle())
    for station_id in IDS:
        alone = Throttle()
        of_it = [(address, now, wait) for one, address, now, wait in together if one == station_id]
        assert [alone.failed(station_id, address, now) for address, now, _ in of_it] == [wait for *_, wait in of_it]


@given(TRIES)
def test_so_many_wrong_ones_a_minute_are_answered_as_such(tries: list[Try]) -> None:
    found = told(tries, Throttle())
    for station_id in IDS:
        within = [(address, now) for one, address, now, wait in found if one == station_id and not wait]
        for _, begin in within:
            minute = [address for address, now in within if begin <= now < begin + 60]
            assert len(minute) <= OF_STATION.burst + 60 / OF_STATION.interval
            for address in ADDRESSES:
                assert minute.count(address) <= OF_ADDRESS.burst + 60 / OF_ADDRESS.interval


@given(TRIES, st.sampled_from(ADDRESSES))
def test_who_waits_as_long_as_it_is_told_is_answered_as_before(tries: list[Try], address: str) -> None:
    throttle = Throttle()
    found = told(tries, throttle)
    now = found[-1][2] if found else 0.0
    wait = throttle.failed("CP1", address, now)
    assert throttle.failed("CP1", address, now + wait + 1) == 0 or not wait
    assert wait <= max(OF_ADDRESS.interval, OF_STATION.interval)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), max_size=300))
def test_memory_is_bounded(tries: list[tuple[int, int]]) -> None:
    throttle = Throttle(most=10)
    for number, address in tries:
        throttle.failed(f"CP{number}", f"10.0.0.{address}", 0.0)
        assert len(throttle) <= 20


def test_many_addresses_are_no_way_around_it() -> None:
    throttle = Throttle()
    waits = [throttle.failed("CP1", f"2001:db8::{n:x}", 0.0) for n in range(1000)]
    assert sum(not wait for wait in waits) == OF_STATION.burst
    assert len(throttle) == OF_STATION.burst + 1


def knocking(now: list[float]) -> Gateway:
    """A gateway that knows IDS, whose passwords are their ids. now: what its clock shows."""
    clocks = Clocks(monotonic=lambda: now[0])
    gateway = Gateway(Settings(password_key="k", slots=4), MemoryBus(), MemoryDirectory(), clocks=clocks)
    gateway.lease._slot = 0
    for one in IDS:
        known = Credentials(station_id=one, password_hash=keyed(b"k", one.encode()))
        gateway.credentials._apply(Record("credentials", one.encode(), known.SerializeToString()))
    gateway.credentials._loaded.set()
    gateway.revocations._loaded.set()
    return gateway


# Of an id no more than sixty are let in a minute, however right.
LOGINS = st.lists(
    st.tuples(st.sampled_from(IDS), st.sampled_from(ADDRESSES), st.floats(0, 5), st.booleans()), max_size=50
)


@given(LOGINS)
def test_who_has_the_right_password_is_let_in_whatever_was_before(tries: list[tuple[str, str, float, bool]]) -> None:
    async def tried() -> None:
        now = [1e6]
        gateway = knocking(now)
        for station_id, address, later, right in [*[("CP1", ADDRESSES[0], 0.0, False)] * 20, *tries]:
            now[0] += later
            user = f"{station_id}:{station_id if right else 'wrong'}".encode()
            basic = f"Basic {base64.b64encode(user).decode()}"
            # In any case, too.
            asked = Request(f"/ocpp/{station_id.lower()}", basic, ["ocpp1.6"], address)
            answer = gateway.admit(asked)
            if right:
                assert isinstance(answer, tuple)
            else:
                assert isinstance(answer, Refused)
                assert answer.status in (401, 429)

    asyncio.run(tried())
