"""What the chart takes from the code: python -m deploy.helm.generate [--check].

`files/system.yaml`: processes, ports, topics and their users, as templates read them. `values.schema.json`: the schema
of values, which is written by hand in `values.schema.yaml`, with all settings (`VOLTBUS_…`) of the processes.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from services.auth.settings import Settings as Auth
from services.common.process.settings import PREFIX, CommonSettings
from services.firmware.settings import Settings as Firmware
from services.gateway.settings import Settings as Gateway
from services.ocpp import acls
from services.ocpp.services import SERVICES
from services.ocpp.topics import ALL, Topic
from services.smartcharging.settings import Settings as Smartcharging
from services.transactions.settings import Settings as Transactions
from voltbus.operator.topics import configs

CHART = Path(__file__).parent / "voltbus"
SYSTEM, SCHEMA = CHART / "files" / "system.yaml", CHART / "values.schema.json"
BY_HAND = Path(__file__).parent / "values.schema.yaml"
WRITTEN = "# Written by deploy/helm/generate.py from the tables of services, settings and topics: make chart.\n"

PROCESSES: Mapping[str, type[CommonSettings]] = {
    "gateway": Gateway,
    "auth": Auth,
    "transactions": Transactions,
    "smartcharging": Smartcharging,
    "firmware": Firmware,
    "prepare": CommonSettings,
}
# What the chart sets itself, from values of its own.
OWNED = {
    "host",
    "kafka_bootstrap",
    "topic_prefix",
    "partitions",
    "slots",
    "replication",
    "instance",
    "drain_seconds",
    "topic_days",
}
OWNED |= {
    "gateway_port",
    "gateway_tls_port",
    "gateway_http_port",
    "soap_port",
    "soap_tls_port",
    *(f"{service}_port" for service in SERVICES),
}
# Plain texts in the code that Secrets have as well: a password may be in them, or they come beside one.
ALSO_SECRET = {"redis_url", "kafka_sasl_username", "kafka_ssl_ca", "kafka_ssl_certificate", "kafka_oauth_client_id"}
ALSO_SECRET |= {"jwt_ca", "gateway_tls_certificate", "gateway_tls_second_certificate"}
ALSO_SECRET |= {"gateway_tls_client_ca", "soap_call_ca", "soap_call_certificate"}
ALSO_SECRET |= {"certificate_ca", "certificate_est_ca", "certificate_est_username", "certificate_est_certificate"}
# Who may call REST.
BEARER = {name for name in CommonSettings.model_fields if name.startswith("jwt_")}
# Of the settings that all processes share, those that some of them have no use for.
USELESS = {
    "gateway": {"postgres_dsn", *BEARER},
    "prepare": {"redis_url", *BEARER},
}
# Of the clients of Kafka those that are of this release: readers of events are not.
USERS = [client for client in acls.CLIENTS if client != acls.READER]
REQUIRED = {"postgres_dsn", "redis_url", "password_key"}
# What texts look like that the code reads.
_BYTE = "(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])"
_NETWORK_4 = rf"{_BYTE}(\.{_BYTE}){{3}}(/(3[0-2]|[12]?[0-9]))?"
_NETWORK_6 = "[0-9a-fA-F:]*:[0-9a-fA-F:.]*(/(12[0-8]|1[01][0-9]|[1-9]?[0-9]))?"
_NETWORK = f" *({_NETWORK_4}|{_NETWORK_6}) *"
_NETWORKS = f"^({_NETWORK}(,{_NETWORK})*)?$"
_PORTS = " *[0-9]{1,5}(-[0-9]{1,5})? *"
PATTERNS = {
    "outbound_allow": _NETWORKS,
    "gateway_trusted_proxies": _NETWORKS,
    "soap_allow": _NETWORKS,
    "soap_call_ports": f"^{_PORTS}(,{_PORTS})*$",
    "jwt_jwks_url": "^https?://[^/]",
    "authorizer_url": "^https?://[^/]",
    "certificate_est_url": "^https://[^/]",
    "contract_pool_url": "^https?://[^/]",
    "kafka_oauth_token_url": "^https?://[^/]",
}


class _WithoutAliases(yaml.SafeDumper):
    """What is the same twice is written twice."""

    def ignore_aliases(self, _: Any) -> bool:
        return True


def system() -> str:
    """files/system.yaml"""
    ports = {name: service.port for name, service in SERVICES.items()}
    users = {client: acls.strimzi(acls.acls(client)) for client in USERS}
    content = {"processes": processes(), "ports": ports, "topics": [_topic(topic) for topic in ALL], "users": users}
    return WRITTEN + yaml.dump(content, Dumper=_WithoutAliases, sort_keys=False, width=120)


def processes() -> dict[str, dict[str, list[str]]]:
    """By name: settings and secrets that it takes of those set for all. required: it does not start without."""
    return {name: _process(name, settings) for name, settings in PROCESSES.items()}


def schema() -> str:
    """values.schema.json"""
    content = yaml.safe_load(BY_HAND.read_text())
    for name, settings in PROCESSES.items():
        plain, secret = _fields(name, settings)
        content["$defs"][f"{name}-settings"] = _closed({_variable(one): _type(one, settings) for one in plain})
        content["$defs"][f"{name}-secrets"] = _closed({_variable(one): {"$ref": "#/$defs/key"} for one in secret})
    for kind in ("settings", "secrets"):
        every = [content["$defs"][f"{name}-{kind}"]["properties"] for name in PROCESSES]
        content["$defs"][f"all-{kind}"] = _closed({name: one for each in every for name, one in sorted(each.items())})
    days = {"type": "number", "minimum": 0, "maximum": 99_999}
    content["$defs"]["topic-days"] = _closed({topic.name: days for topic in ALL if topic.retention_ms is not None})
    return json.dumps(content, indent=1) + "\n"


def _process(name: str, settings: type[CommonSettings]) -> dict[str, list[str]]:
    plain, secret = _fields(name, settings)
    return {
        "settings": [_variable(one) for one in plain],
        "secrets": [_variable(one) for one in secret],
        "required": [_variable(one) for one in secret if one in REQUIRED],
    }


def _fields(name: str, settings: type[CommonSettings]) -> tuple[list[str], list[str]]:
    """The names of its plain settings and of its secret ones."""
    fields = {one: field for one, field in sorted(settings.model_fields.items()) if one not in OWNED}
    secret = [one for one, field in fields.items() if _secret(one, field)]
    plain = [one for one in fields if one not in secret or one in ALSO_SECRET]
    useless = USELESS.get(name, set())
    return [one for one in plain if one not in useless], [one for one in secret if one not in useless]


def _secret(name: str, field: FieldInfo) -> bool:
    return name in ALSO_SECRET or SecretStr.__name__ in str(field.annotation)


def _topic(topic: Topic) -> dict[str, Any]:
    return {"name": topic.name, "spread": topic.spread.value, "config": configs(topic)}


def _variable(name: str) -> str:
    return PREFIX + name.upper()


def _type(name: str, settings: type[CommonSettings]) -> dict[str, Any]:
    """What a value may be, as JSON schema. What is no single value in the code is a text in the environment."""
    whole = settings.model_json_schema()
    field = whole["properties"][name]
    found = whole["$defs"][field["$ref"].rpartition("/")[2]] if "$ref" in field else field
    found = next((one for one in found.get("anyOf", ()) if one.get("type") != "null"), found)
    kept = {key: found[key] for key in ("type", "enum", "minimum", "maximum", "exclusiveMinimum") if key in found}
    kept = kept if kept.get("type") in ("integer", "number", "boolean", "string") else {"type": "string"}
    kept |= {"pattern": PATTERNS[name]} if name in PATTERNS else {}
    return {"description": settings.model_fields[name].description, **kept}


def _closed(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": dict(sorted(properties.items()))}


def main(check: bool) -> None:
    """Writes both; with check, exits 1 where one is not what it would write."""
    files = {SYSTEM: system(), SCHEMA: schema()}
    if not check:
        for path, content in files.items():
            path.write_text(content)
    elif old := [str(path) for path, content in files.items() if not path.exists() or path.read_text() != content]:
        sys.exit(f"not up to date: {', '.join(old)}: make chart")


if __name__ == "__main__":
    main("--check" in sys.argv[1:])
