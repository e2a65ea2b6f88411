"""What a scrape learns of a process: its readiness now, and whether each server answers."""

from dataclasses import dataclass, field

from prometheus_client import REGISTRY

from services.common.process import health
from services.common.process.health import HealthMetrics, unready
from services.common.process.readiness import NotReady


@dataclass
class Servers:
    """Which are away; what was asked."""

    away: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    async def kafka(self) -> bool:
        return self._answer("kafka")

    async def redis(self) -> bool:
        return self._answer("redis")

    def part(self) -> bool | NotReady:
        return self._answer("part") or NotReady("it is not loaded")

    def _answer(self, name: str) -> bool:
        self.asked.append(name)
        return name not in self.away


def made(servers: Servers) -> HealthMetrics:
    checks = {"kafka": servers.kafka, "part": servers.part}
    return HealthMetrics(checks, {"kafka": servers.kafka, "redis": servers.redis})


def value(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)


async def test_it_is_known_at_the_scrape() -> None:
    servers = Servers()
    await made(servers).measure()
    assert value("voltbus_ready") == 1
    assert [value("voltbus_dependency_up", dependency=name) for name in ("kafka", "redis")] == [1, 1]
    assert sorted(servers.asked) == ["kafka", "part", "redis"], "what is both is asked once"
    servers.away = {"part"}
    await made(servers).measure()
    assert value("voltbus_ready") == 0
    assert [value("voltbus_check", check=name) for name in ("kafka", "part")] == [1, 0]


async def test_a_server_that_readiness_does_not_need_leaves_it_true() -> None:
    servers = Servers({"redis"})
    await made(servers).measure()
    assert (value("voltbus_ready"), value("voltbus_dependency_up", dependency="redis")) == (1, 0)


async def test_scrapes_that_follow_each_other_at_once_cost_one_look() -> None:
    """The port asks for no token."""
    servers = Servers()
    metrics = made(servers)
    await metrics.measure()
    await metrics.measure()
    assert len(servers.asked) == 3
    assert metrics._measured_at is not None
    metrics._measured_at -= health.FRESH
    await metrics.measure()
    assert len(servers.asked) == 6


async def test_why_it_is_not_ready() -> None:
    servers = Servers({"part", "kafka"})
    assert await unready({"kafka": servers.kafka, "part": servers.part}) == ["kafka", "part: it is not loaded"]
