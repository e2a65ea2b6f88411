"""The chart, rendered by Helm itself."""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import helm_python
import yaml

DEPLOY = Path(__file__).parents[3] / "deploy"
CHART = DEPLOY / "helm" / "voltbus"
SETS = sorted((CHART / "ci").glob("*-values.yaml"))
SET_NAMES = [path.name.removesuffix("-values.yaml") for path in SETS]

Object = Mapping[str, Any]


def values(name: str) -> dict[str, Any]:
    """Those of a set in ci/."""
    found: dict[str, Any] = yaml.safe_load((CHART / "ci" / f"{name}-values.yaml").read_text())
    return found


def changed(base: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """Values with some of them changed, as a second file of values changes them."""
    deep = {key: changed(base.get(key) or {}, value) for key, value in change.items() if isinstance(value, Mapping)}
    return {**base, **change, **deep}


def rendered(given: Mapping[str, Any], *, release: str = "voltbus", chart: Path = CHART) -> dict[str, str]:
    """By template. Raises HelmError where the chart refuses the values."""
    with helm_python.Chart.load(chart) as loaded:
        loaded.validate_schema(dict(given))
        return loaded.render(dict(given), name=release, namespace="csms")


def objects(given: Mapping[str, Any], *, release: str = "voltbus", chart: Path = CHART) -> list[Object]:
    """What would be sent to Kubernetes."""
    return list(_parsed(rendered(given, release=release, chart=chart)))


@cache
def of_set(name: str) -> tuple[Object, ...]:
    """The objects of a set."""
    return tuple(objects(values(name)))


def find(given: "list[Object] | tuple[Object, ...]", kind: str, name: str) -> Object:
    """The one of that kind and name."""
    [found] = [one for one in given if (one["kind"], one["metadata"]["name"]) == (kind, name)]
    return found


def kinds(given: "list[Object] | tuple[Object, ...]", kind: str) -> list[Object]:
    return [one for one in given if one["kind"] == kind]


def pod(given: Object) -> Object:
    """The spec of the pods of a workload."""
    spec: Object = given["spec"]["template"]["spec"]
    return spec


def container(given: Object) -> Object:
    [only] = pod(given)["containers"]
    found: Object = only
    return found


def environment(given: Object) -> dict[str, Any]:
    """What its process finds: values, or where they come from."""
    return {one["name"]: one.get("value", one.get("valueFrom")) for one in container(given)["env"]}


def _parsed(templates: Mapping[str, str]) -> Iterator[Object]:
    for path, text in sorted(templates.items()):
        if path.endswith(".yaml"):
            yield from filter(None, yaml.load_all(text, yaml.CSafeLoader))
