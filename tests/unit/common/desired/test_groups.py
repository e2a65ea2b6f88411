"""What is desired of a group is kept, shown and compared, of whatever kind."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from services.common.desired import groups as module
from services.common.desired.group_store import GroupDocument
from services.common.desired.groups import DesiredGroups
from services.common.desired.progress import Step, applied
from services.common.web.problems import Problem
from tests.unit.common.desired.labels import World
from voltbus.v1.events_pb2 import GroupConfigurationChanged, GroupConfigurationRemoved


@dataclass
class Shown:
    station_id: str
    missing: list[str]


class Told:
    """Stands in for the outbox."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    async def add(self, _: Any, event: Any, subject: str, at: datetime) -> None:
        assert (subject, at) == (event.group, event.at.ToDatetime(UTC))
        self.events.append(event)

    def wake(self) -> None:
        pass


def groups(world: World, nudged: list[None], told: Any = None) -> DesiredGroups:
    parts: Any = world
    told = told or Told()
    return DesiredGroups(
        database=parts.database,
        stations=parts.commands.stations,
        groups=parts.groups,
        progress=parts.progress,
        nudge=lambda: nudged.append(None),
        announcer=told,
        changed=GroupConfigurationChanged,
        removed=GroupConfigurationRemoved,
        clock=parts.clock,
    )


async def compare(_: Any, document: GroupDocument, station_ids: Sequence[str]) -> list[Shown]:
    return [Shown(id_, document.content if id_.endswith("1") else []) for id_ in station_ids]


async def test_it_is_kept_and_its_stations_are_due() -> None:
    world, nudged = World(), list[None]()
    world.member("CP1", "vienna")
    world.member("CP2", "graz")
    await world.progress.save(None, [applied(one, world.clock()) for one in world.progress.rows.values()])
    one = groups(world, nudged)
    kept = await one.put("vienna", ["blau"])
    assert (await one.get("vienna"), kept.content, kept.changed_at) == (kept, ["blau"], world.clock())
    assert (world.step("CP1"), world.step("CP2")) == (Step.DUE, Step.IDLE)
    assert len(nudged) == 1


async def test_nothing_is_desired_of_a_group_that_was_never_named_or_is_taken_back() -> None:
    world, told = World(), Told()
    one = groups(world, [], told)
    await one.put("vienna", ["blau"], "anna")
    await one.remove("vienna", "bert")
    assert [(type(event), event.author) for event in told.events] == [
        (GroupConfigurationChanged, "anna"),
        (GroupConfigurationRemoved, "bert"),
    ]
    for what in (one.get("vienna"), one.remove("vienna")):
        with pytest.raises(Problem) as raised:
            await what
        assert raised.value.status == 404


async def test_differences_come_in_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AT_ONCE", 2)
    world = World()
    for number in range(12):
        world.member(f"CP{number:02}", "vienna")
    one = groups(world, [])
    await one.put("vienna", ["blau"])
    everyone = await one.differences("vienna", compare, lambda _: True, limit=5, cursor=None)
    assert [shown.station_id for shown in everyone.items] == ["CP00", "CP01", "CP02", "CP03", "CP04"]
    rest = await one.differences("vienna", compare, lambda _: True, limit=50, cursor=everyone.next)
    assert (rest.items[0].station_id, len(rest.items), rest.next) == ("CP05", 7, None)
    lacking = await one.differences("vienna", compare, lambda shown: bool(shown.missing), limit=50, cursor=None)
    assert [shown.station_id for shown in lacking.items] == ["CP01", "CP11"]
