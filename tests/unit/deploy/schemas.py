"""What a Kubernetes of a version takes: the strict schemas of kubernetes-validate, and those of CRDs in crds/."""

import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema_rs

from tests.unit.deploy.chart import Object

BUILT_IN = files("kubernetes_validate") / "kubernetes-json-schema"
CRDS = Path(__file__).parent / "crds"
# The oldest of Chart.yaml, and the newest there is.
OLDEST, NEWEST = "1.31", "1.37"


def refusals(given: Object, version: str) -> list[str]:
    """Why an API server of that version would not take it as it is: fields that it does not know, or wrong values."""
    where = f"{given['kind']} {given['metadata']['name']}"
    errors = _validator(given["apiVersion"], given["kind"], version).iter_errors(given)
    return [f"{where}: {'.'.join(map(str, error.instance_path))}: {error.message}" for error in errors]


@cache
def _validator(api: str, kind: str, version: str) -> jsonschema_rs.Validator:
    custom = CRDS / f"{kind}.json"
    if custom.exists():
        return jsonschema_rs.validator_for(json.loads(custom.read_text()))
    group, _, name = api.rpartition("/")
    prefix = f"{group.split('.')[0]}-" if group else ""
    schema = _read(version, f"{kind.lower()}-{prefix}{name}.json")
    return jsonschema_rs.validator_for(
        schema, base_uri="file:///schemas/", retriever=lambda uri: _read(version, uri.rpartition("/")[2])
    )


@cache
def _read(version: str, name: str) -> Any:
    return json.loads((BUILT_IN / f"v{version}.0-local-strict" / name).read_text())
