"""What the environment says about the local stack."""

from pathlib import Path
from typing import Any

import pytest

from voltbus.errors import LocalError
from voltbus.settings import port_variable, read_settings, usage


class Asked(dict[str, str]):
    """An empty environment that remembers which variables were asked for."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.names.add(name)
        return default


def test_help_names_what_is_read_and_nothing_else() -> None:
    asked = Asked()
    read_settings(asked)
    assert {line.split()[0] for line in usage().splitlines()} == {
        name for name in asked.names if not name.endswith("_FILE")
    }


def test_defaults() -> None:
    settings = read_settings({})
    assert settings.data == Path(__file__).parents[2] / ".voltbus"
    assert settings.host == "127.0.0.1"
    assert settings.postgres_dsn is settings.redis_url is settings.kafka_bootstrap is None
    assert [settings.ports[name] for name in ("gateway", "gateway_http", "auth", "firmware", "rest")] == [
        9000,
        9080,
        9081,
        9084,
        9070,
    ]


def test_everything_can_be_said() -> None:
    settings = read_settings(
        {
            "VOLTBUS_DATA": "/data",
            "VOLTBUS_POSTGRES_DSN": "postgresql://elsewhere",
            "VOLTBUS_REDIS_URL": "redis://elsewhere",
            "VOLTBUS_KAFKA_BOOTSTRAP": "elsewhere:9092",
            "VOLTBUS_AUTH_PORT": "1234",
        }
    )
    assert settings.data == Path("/data")
    assert settings.postgres_dsn == "postgresql://elsewhere"
    assert settings.redis_url == "redis://elsewhere"
    assert settings.kafka_bootstrap == "elsewhere:9092"
    assert settings.ports["auth"] == 1234


def test_secrets_come_from_files_too(tmp_path: Path) -> None:
    (tmp_path / "dsn").write_text("postgresql://filed\n")
    assert read_settings({"VOLTBUS_POSTGRES_DSN_FILE": str(tmp_path / "dsn")}).postgres_dsn == "postgresql://filed"
    with pytest.raises(LocalError, match=r"^cannot read .*none .*: correct VOLTBUS_JWT_SECRET_FILE$"):
        read_settings({"VOLTBUS_JWT_SECRET_FILE": str(tmp_path / "none")})


@pytest.mark.parametrize(
    ("environment", "policy"),
    [
        ({}, "accept"),
        ({"VOLTBUS_HOST": "0.0.0.0"}, "quarantine"),
        ({"VOLTBUS_HOST": "192.0.2.7"}, "quarantine"),
        ({"VOLTBUS_HOST": "0.0.0.0", "VOLTBUS_UNKNOWN_STATIONS": "accept"}, "accept"),
        ({"VOLTBUS_UNKNOWN_STATIONS": "reject"}, "reject"),
    ],
)
def test_unknown_stations_are_welcome_only_while_nobody_else_can_come(environment: dict[str, str], policy: str) -> None:
    assert read_settings(environment).stations_policy == policy


@pytest.mark.parametrize("port", ["0", "65536", "http", "-1"])
def test_a_port_that_is_none(port: str) -> None:
    with pytest.raises(LocalError, match=r"^VOLTBUS_GATEWAY_PORT is .*: set it to a port between 1 and 65535$"):
        read_settings({"VOLTBUS_GATEWAY_PORT": port})


def test_further_gateways_have_ports_of_their_own() -> None:
    settings = read_settings({"VOLTBUS_GATEWAYS": "3", "VOLTBUS_GATEWAY_PORT": "8000"})
    assert settings.gateways == ("gateway", "gateway-1", "gateway-2")
    names = ("gateway-1", "gateway-1_http", "gateway-2", "gateway-2_http")
    assert [settings.ports[name] for name in names] == [8100, 9180, 8200, 9280]
    assert port_variable("gateway-2_http") == "VOLTBUS_GATEWAY_HTTP_PORT"
    assert read_settings({}).gateways == ("gateway",)


@pytest.mark.parametrize("count", ["0", "17", "-1", "two"])
def test_a_number_of_gateways_that_is_none(count: str) -> None:
    with pytest.raises(LocalError, match=r"^VOLTBUS_GATEWAYS is .*: set it to a number from 1 to 16$"):
        read_settings({"VOLTBUS_GATEWAYS": count})


def test_replicas_of_services_have_ports_of_their_own() -> None:
    settings = read_settings({"VOLTBUS_REPLICAS": "transactions=3,auth=2", "VOLTBUS_TRANSACTIONS_PORT": "8000"})
    of_two = ("auth", "auth-1", "transactions", "transactions-1", "transactions-2")
    assert settings.services == (*of_two, "smartcharging", "firmware")
    assert settings.processes == ("gateway", *settings.services, "rest")
    names = ("transactions", "transactions-1", "transactions-2", "auth-1")
    assert [settings.ports[name] for name in names] == [8000, 8100, 8200, 9181]
    assert port_variable("transactions-2") == "VOLTBUS_TRANSACTIONS_PORT"
    assert read_settings({}).services == ("auth", "transactions", "smartcharging", "firmware")


@pytest.mark.parametrize("replicas", ["cards=2", "2", "transactions", "transactions=0", "transactions=17", "auth=two"])
def test_replicas_that_are_none(replicas: str) -> None:
    with pytest.raises(LocalError, match="VOLTBUS_REPLICAS is "):
        read_settings({"VOLTBUS_REPLICAS": replicas})
