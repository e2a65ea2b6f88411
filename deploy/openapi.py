"""One OpenAPI document of all services, as they are below one address: python -m deploy.openapi [--check]."""

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Set
from copy import deepcopy
from importlib.metadata import version
from typing import Any, TypeAlias

from services.auth import app as auth
from services.auth.settings import Settings as Auth
from services.common.kafka.broker import KafkaBus
from services.common.postgres.database import Database
from services.common.process.clock import now
from services.common.process.redis import connect
from services.common.process.service import Service
from services.common.process.settings import PREFIX, CommonSettings
from services.common.web.one_address import DOCUMENT, MEANING, TITLE
from services.firmware import app as firmware
from services.firmware.settings import Settings as Firmware
from services.ocpp.services import SERVICES
from services.smartcharging import app as smartcharging
from services.smartcharging.settings import Settings as Smartcharging
from services.transactions import app as transactions
from services.transactions.settings import Settings as Transactions

Json: TypeAlias = dict[str, Any]

BUILDS: Mapping[str, tuple[Callable[..., Service], type[CommonSettings]]] = {
    "auth": (auth.build, Auth),
    "transactions": (transactions.build, Transactions),
    "smartcharging": (smartcharging.build, Smartcharging),
    "firmware": (firmware.build, Firmware),
}
assert BUILDS.keys() == SERVICES.keys()
SCHEMAS = "#/components/schemas/"
# A service is not built without, and none of it is in its document.
SECRETS = {"jwt_secret": "not secret: of a document that nobody signs", "password_key": "not secret: of a document"}


def documents() -> dict[str, Json]:
    """What each service says of itself."""
    return {name: _built(name).app.openapi() for name in BUILDS}


def merged(of: Mapping[str, Json]) -> Json:
    """One document. Paths begin with the service, tags and names of operations, too; schemas where they differ."""
    told_apart = _told_apart({service: one["components"]["schemas"] for service, one in of.items()})
    paths: Json = {}
    tags: list[Json] = []
    components: dict[str, Json] = {"schemas": {}}
    for service, document in of.items():
        own = _renamed(deepcopy(document), {name: f"{service.capitalize()}{name}" for name in told_apart})
        items = {path: item for path, item in own["paths"].items() if path.startswith("/v1")}
        paths |= {f"/{service}{path}": _of_service(service, item) for path, item in items.items()}
        used = {tag for item in items.values() for operation in item.values() for tag in operation["tags"]}
        tags += [{**tag, "name": f"{service}: {tag['name']}"} for tag in own["tags"] if tag["name"] in used]
        for kind, named in own["components"].items():
            components.setdefault(kind, {}).update(named)
    return {
        "openapi": next(iter(of.values()))["openapi"],
        "info": {"title": TITLE, "version": version("voltbus"), "description": MEANING},
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": components,
        "tags": tags,
    }


def _built(name: str) -> Service:
    build, kind = BUILDS[name]
    settings = kind.read(**{key: value for key, value in SECRETS.items() if key in kind.model_fields})
    return build(settings, KafkaBus(settings), Database(settings, name), connect(settings, 1), now)


def _of_service(service: str, item: Json) -> Json:
    return {
        method: operation
        | {
            "operationId": f"{service}_{operation['operationId']}",
            "tags": [f"{service}: {tag}" for tag in operation["tags"]],
        }
        for method, operation in item.items()
    }


def _told_apart(schemas: Mapping[str, Mapping[str, Json]]) -> Set[str]:
    """Names of schemas that are not the same everywhere, or refer to such a one."""
    everywhere = {name for one in schemas.values() for name in one}
    found: dict[str, list[Json]] = {name: [one[name] for one in schemas.values() if name in one] for name in everywhere}
    shared = {name: those for name, those in found.items() if len(those) > 1}
    apart = {name for name, those in shared.items() if any(one != those[0] for one in those)}
    while more := {name for name in shared.keys() - apart if apart & set(_references(shared[name][0]))}:
        apart |= more
    return apart


def _references(schema: Any) -> Iterator[str]:
    for key, part in _parts(schema):
        if key == "$ref":
            yield part.removeprefix(SCHEMAS)
        else:
            yield from _references(part)


def _parts(value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        yield from enumerate(value)


def _renamed(document: Json, names: Mapping[str, str]) -> Json:
    """The same with other names of schemas, and of the classes that generators make of them (their titles)."""
    schemas = document["components"]["schemas"]
    for name in names.keys() & schemas.keys():
        schemas[name]["title"] = names[name]
    document["components"]["schemas"] = {names.get(name, name): schema for name, schema in schemas.items()}
    _refer(document, {SCHEMAS + name: SCHEMAS + other for name, other in names.items()})
    return document


def _refer(value: Any, references: Mapping[str, str]) -> None:
    """Changes it in place."""
    for key, part in _parts(value):
        if key == "$ref":
            value[key] = references.get(part, part)
        else:
            _refer(part, references)


def main(check: bool) -> None:
    """Writes it; with check, exits 1 where it is not what it would write."""
    for variable in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[variable]
    content = json.dumps(merged(documents()), indent=1, ensure_ascii=False) + "\n"
    if not check:
        DOCUMENT.write_text(content)
    elif not DOCUMENT.exists() or DOCUMENT.read_text() != content:
        sys.exit(f"{DOCUMENT} is not what the services say; run: make openapi")


if __name__ == "__main__":
    main("--check" in sys.argv[1:])
