"""Every expression of a dashboard and of a rule finds something in a Prometheus that has scraped a fleet at work."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from deploy.grafana.__main__ import FOLDER
from tests.clients import prometheus
from tests.clients.scraping import scraping
from tests.clients.system import System, eventually
from tests.e2e.test_fleet import limited, living, until
from tests.patience import GIVE_UP
from voltbus.simulator.fleet.fleet import FleetPlan

RULES = sorted((FOLDER.parent / "rules").glob("*.yaml"))
PLAN = FleetPlan(stations=8, mix=0.5, speed=900, seed=17, name="PROM")
SELECTOR = re.compile(r"(?<![\w:])((?:voltbus|up)[\w:]*(?:\{[^}]*\})?(?:\[\w+\])?)")
# By the beginning of the expression, or of the selector in a rule: why it may be empty.
RIGHTLY_EMPTY = {
    "count by (job, check) (voltbus_check": "every part of every process is ready",
    "count by (job, dependency) (voltbus_dependency_up": "every server answers",
    "min by (owner) (voltbus_gateway_admitted_calls": "no service is given less than stations send",
    'sum by (job, action) (rate(voltbus_calls_total{namespace=~".*",outcome="refused"}': "no call is refused",
    "max by (job, webhook) (voltbus_webhook_": "there is no webhook",
    "sum by (job, outcome) (rate(voltbus_webhook_deliveries_total": "there is no webhook",
    "voltbus_webhook_": "there is no webhook",
}


def panels() -> Iterator[tuple[str, str]]:
    """Where, and what."""
    for path in sorted(FOLDER.glob("*.json")):
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel.get("targets", []):
                expr = target["expr"].replace("$__rate_interval", "10s").replace("$namespace", ".*")
                yield f"{path.stem}: {panel['title']}", expr


def rules() -> Iterator[tuple[str, str]]:
    for path in RULES:
        for group in yaml.safe_load(path.read_text())["groups"]:
            for rule in group["rules"]:
                yield rule.get("alert") or rule["record"], rule["expr"]


def may_be_empty(expr: str) -> bool:
    return any(expr.startswith(beginning) for beginning in RIGHTLY_EMPTY)


@pytest.mark.slow
async def test_every_expression_finds_something(voltbus: System, tmp_path: Path) -> None:
    """A rule that is no record finds nothing while all is well: what it is made of does."""
    try:
        prometheus.program("prometheus")
    except prometheus.NoPrometheus as reason:
        pytest.fail(str(reason)) if prometheus.is_required() else pytest.skip(str(reason))
    jobs = ("auth", "transactions", "smartcharging", "firmware")
    targets = {job: [voltbus.processes.rest(job)] for job in jobs}
    targets["gateway"] = [voltbus.processes.rest(gateway) for gateway in voltbus.gateways]
    await voltbus.ready()
    async with scraping(targets, RULES, tmp_path) as scraped, living(voltbus, PLAN) as life:
        await until(lambda: life.fleet.totals.sessions >= 4)
        wanted = [*panels(), *((name, each) for name, expr in rules() for each in SELECTOR.findall(expr))]
        missing = [(where, expr) for where, expr in wanted if not may_be_empty(expr)]

        async def still_missing() -> list[tuple[str, str]]:
            nonlocal missing
            # Some panels show what is under way.
            await limited(voltbus, life.fleet.machines[0])
            missing = [(where, expr) for where, expr in missing if not await scraped.query(expr)]
            return missing

        assert await eventually(still_missing, lambda left: not left, GIVE_UP) == []
        assert await scraped.rule_errors() == {}
        unnecessary = [
            beginning for beginning in RIGHTLY_EMPTY if not any(expr.startswith(beginning) for _, expr in wanted)
        ]
        assert unnecessary == [], "no such expression"
