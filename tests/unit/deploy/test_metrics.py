"""Which process has which metric, and with which labels: the page says it; dashboards and alerts use no other."""

import json
import re
from collections.abc import Mapping

import pytest
import yaml

from deploy import metrics_page
from deploy.grafana.__main__ import FOLDER, rendered
from deploy.metrics_page import BEGIN, END, PAGE, Metric

RULES = FOLDER.parent / "rules"
# Of targets, as Prometheus and its operator set them: a label of ours would be renamed.
TARGET = {"job", "instance", "namespace", "pod", "service", "container", "endpoint"}
SINGLE = {"station", "station_id", "evse_id", "connector_id", "id_token", "transaction_id", "site_id", "group", "path"}
NAME = re.compile(r"\bvoltbus_\w+")
SELECTOR = re.compile(r"\b(voltbus_\w+)\{([^}]*)\}")


@pytest.fixture(scope="module")
def declared() -> Mapping[str, list[Metric]]:
    return metrics_page.by_part()


def names(metrics: list[Metric]) -> set[str]:
    return {metric.name for metric in metrics}


def test_the_page_is_up_to_date(declared: Mapping[str, list[Metric]]) -> None:
    table = PAGE.read_text().split(BEGIN)[1].split(END)[0]
    assert table == "".join(metrics_page.table(declared)), "run: make monitoring"


def test_a_process_has_what_it_does(declared: Mapping[str, list[Metric]]) -> None:
    gateway, firmware, auth = (names(declared[part]) for part in ("gateway", "firmware", "auth"))
    for name in (
        "voltbus_calls_total",
        "voltbus_outbox_rows",
        "voltbus_consumer_lag_records",
        "voltbus_postgres_waiting",
    ):
        assert name in firmware
        assert name not in gateway
    assert not [name for name in firmware | auth if name.startswith("voltbus_gateway_")]
    assert {"voltbus_stations", "voltbus_refused_connector_statuses_total"} <= firmware - auth
    for part in declared.values():
        assert {"voltbus_ready", "voltbus_build_info", "voltbus_dependency_up"} <= names(part)


def test_labels(declared: Mapping[str, list[Metric]]) -> None:
    """Nothing is counted by what there are thousands of, and no label is one of the target."""
    for metric in {metric for part in declared.values() for metric in part}:
        assert metric.name.startswith("voltbus_")
        assert not set(metric.labels) & (TARGET | SINGLE), metric
        assert metric.meaning, metric


def test_the_dashboards_are_up_to_date() -> None:
    assert {path: path.read_text() for path in FOLDER.glob("*.json")} == rendered(), "run: make monitoring"


def expressions() -> dict[str, list[str]]:
    """Of dashboards and rules, by their file."""
    found = {
        path.name: [
            target["expr"] for panel in json.loads(path.read_text())["panels"] for target in panel.get("targets", [])
        ]
        for path in FOLDER.glob("*.json")
    }
    for path in RULES.glob("*.yaml"):
        found[path.name] = [
            rule["expr"] for group in yaml.safe_load(path.read_text())["groups"] for rule in group["rules"]
        ]
    return found


@pytest.mark.parametrize("name", sorted(expressions()))
def test_expressions_name_what_there_is(name: str, declared: Mapping[str, list[Metric]]) -> None:
    known = {metric.name: set(metric.labels) for part in declared.values() for metric in part}
    for metric in [metric for part in declared.values() for metric in part if metric.kind == "histogram"]:
        known |= {f"{metric.name}_{suffix}": {*metric.labels, "le"} for suffix in ("bucket", "sum", "count")}
    for expr in expressions()[name]:
        assert set(NAME.findall(expr)) <= known.keys(), expr
        for metric_name, selector in SELECTOR.findall(expr):
            labels = set(re.findall(r"(\w+)\s*(?:=|!=|=~|!~)", selector))
            assert labels <= known[metric_name] | {"namespace"}, expr
