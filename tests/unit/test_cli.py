"""The command line: what it prints, and that every error is one line."""

import http.server
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jwt
import pytest
from pydantic import SecretStr
from rich.console import Console
from typer.testing import CliRunner

from services.ocpp.services import SERVICES
from voltbus.cli import ROOMS, app, build
from voltbus.errors import LocalError
from voltbus.local.banner import banner
from voltbus.local.progress import Progress
from voltbus.operator.kafka import kafka_bus
from voltbus.running import announce, running_servers, server_addresses, with_running
from voltbus.secrets import load_secrets
from voltbus.settings import LocalSettings, usage
from voltbus.simulator.station.play import register_token

NOWHERE = {service.port_setting: "9" for service in SERVICES.values()}
# What a shell tells of a command line that ends in `voltbus stat`.
TYPED = {
    "bash": {"COMP_WORDS": "voltbus stat", "COMP_CWORD": "1"},
    "zsh": {"_TYPER_COMPLETE_ARGS": "voltbus stat"},
    "fish": {"_TYPER_COMPLETE_ARGS": "voltbus stat", "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
}


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VOLTBUS_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def test_the_version() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"voltbus {version('voltbus')}\n")


def test_help_names_every_command_and_loads_nothing_that_takes_long() -> None:
    heavy = ("aiokafka", "google.protobuf", "httpx", "msgspec", "orjson", "pydantic", "rich", "structlog")
    script = f"""
import sys, voltbus.cli
try:
    voltbus.cli.app(["--help"])
finally:
    print([name for name in {heavy} if name in sys.modules], file=sys.stderr)
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert result.stderr == "[]\n"
    listed = [line.split()[0] for line in result.stdout.partition("Commands:\n")[2].splitlines()]
    assert listed == [name for room in ROOMS for name in room.commands]
    assert "..." not in result.stdout.partition("Commands:")[2]


def test_help_of_up_has_its_variables_a_line_each() -> None:
    lines = CliRunner().invoke(app, ["up", "--help"], env={"COLUMNS": "80"}).stdout.splitlines()
    assert [line for line in lines if line.split()[:1] == ["VOLTBUS_HOST"]] == [
        next(f"  {line}" for line in usage().splitlines() if line.startswith("VOLTBUS_HOST"))
    ]


def test_help_says_what_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voltbus.cli.find_spec", lambda name: None if name == "matplotlib" else find_spec(name))
    result = CliRunner().invoke(build(), ["--help"])
    assert result.stdout.splitlines()[-1].strip() == "Not installed: bench, chaos (voltbus[dev])."


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_of_the_shell(shell: str) -> None:
    result = CliRunner().invoke(
        app, [], env={"_VOLTBUS_COMPLETE": f"complete_{shell}", **TYPED[shell]}, prog_name="voltbus"
    )
    assert [name for name in ("station", "up") if name in result.stdout] == ["station"]


def test_token(data: Path) -> None:
    result = CliRunner().invoke(app, ["token"])
    assert result.exit_code == 0
    secret = (data / "secrets").read_text().split("VOLTBUS_JWT_SECRET=")[1].split()[0]
    jwt.decode(result.stdout.strip(), secret, ["HS256"])


@pytest.mark.usefixtures("data")
@pytest.mark.parametrize(
    ("arguments", "environment", "message"),
    [
        (["up"], {"VOLTBUS_AUTH_PORT": "no"}, "VOLTBUS_AUTH_PORT is 'no': set it to a port between 1 and 65535"),
        (["station"], {"VOLTBUS_AUTH_PORT": "9"}, "nothing answers at http://127.0.0.1:9: start it with `make run`"),
        (["station", "--version", "3"], {}, "OCPP 3 is not simulated: choose one of 1.5, 1.6, 2.0.1"),
        (["station", "--version", "2.1", "--soap"], {}, "OCPP 2.1 has no SOAP: choose --version 1.5 or 1.6"),
        (["station", "--version", "1.5", "--security-profile", "2"], {}, "there is no"),
        (["fleet", "3"], {"VOLTBUS_AUTH_PORT": "9"}, "nothing answers at http://127.0.0.1:9: start it with `make run`"),
        (["fleet", "0"], {}, "0 stations: choose 1 to 20000"),
        (["fleet", "--mix", "2"], {}, "--mix is 2: choose a number between 0 (none of 2.0.1) and 1 (all 2.0.1)"),
        (["fleet", "--newest", "0.6"], {}, "--newest is 0.6: choose a number between 0 and what --mix leaves of 1"),
        (["fleet", "--soap", "0.6"], {}, "--soap is 0.6: choose a number between 0 and what --mix and --newest leave"),
        (["fleet", "--speed", "0"], {}, "--speed is 0: choose a number between 1 and 1000"),
        (
            ["bench", "--only", "stops"],
            {},
            "there is no scenario stops: choose from meter, meter-logged, meter-5000, pace, sessions",
        ),
        (["dead", "list"], {}, "no Kafka: start it with `make run`, or set VOLTBUS_KAFKA_BOOTSTRAP"),
        (["dead", "list", "--service", "cards"], {}, "there is no service cards: choose from auth, transactions"),
        (["dead", "list", "--since", "noon"], {}, "noon is not a time: give how long ago, such as 90m, 24h or 7d"),
        (["dead", "show", "CP001"], {}, "there is no dead letter CP001: `voltbus dead list` shows ids"),
        (["dead", "replay"], {}, "which dead letters? Give ids, or --service, --station, --reason or --since"),
        (["dead", "list"], {"VOLTBUS_KAFKA_BOOTSTRAP": "127.0.0.1:9"}, "Kafka at 127.0.0.1:9 does not answer"),
        (["events"], {}, "no Kafka: start it with `make run`, or set VOLTBUS_KAFKA_BOOTSTRAP"),
        (["events"], {"VOLTBUS_KAFKA_BOOTSTRAP": "127.0.0.1:9"}, "Kafka at 127.0.0.1:9 does not answer"),
        (["status"], {"VOLTBUS_ADDRESSES": "auth=http://127.0.0.1:9"} | NOWHERE, "nothing runs here: start it with"),
        (["status"], {"VOLTBUS_ADDRESSES": "cards=http://h"}, "VOLTBUS_ADDRESSES: there is no service cards, only"),
        (["stations"], {}, "no bearer token: start a stack with `make run`, or set VOLTBUS_TOKEN"),
        (["sessions", "--since", "noon"], {}, "noon is not a time: give how long ago, such as 90m, 24h or 7d"),
        (["tail", "CP001"], {}, "no bearer token: start a stack with `make run`, or set VOLTBUS_TOKEN"),
        (["call", "CP001", "Rset"], {}, "there is no action Rset for stations: did you mean Reset?"),
        (["call", "CP001", "Reset", "{"], {}, "the payload is not JSON"),
        (["call", "CP001", "Reset", "[]"], {}, "the payload is not a JSON object: []"),
        (
            ["token"],
            {"VOLTBUS_JWT_JWKS_URL": "https://x"},
            "bearer tokens come from the issuer whose keys are at https://x (VOLTBUS_JWT_JWKS_URL), none is made here: "
            "get one there, as docs/access.md says, and set VOLTBUS_TOKEN",
        ),
        (
            ["token"],
            {"VOLTBUS_JWT_ISSUER": "https://sso.example", "VOLTBUS_JWT_SECRET": "s" * 32},
            "bearer tokens come from https://sso.example (VOLTBUS_JWT_ISSUER), none is made here",
        ),
    ],
)
def test_errors_are_one_line(arguments: list[str], environment: dict[str, str], message: str) -> None:
    result = CliRunner().invoke(app, arguments, env=environment)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith(f"voltbus: {message}")
    assert result.stderr.count("\n") == 1


@pytest.fixture
def auth() -> Iterator[Any]:
    class Auth(http.server.BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            server.asked.append((self.path, self.headers["Authorization"], body))
            self.send_response(server.answer)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server: Any = http.server.HTTPServer(("127.0.0.1", 0), Auth)
    server.asked, server.answer = [], 201
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_registers_the_drivers_token(auth: Any) -> None:
    register_token(f"http://127.0.0.1:{auth.server_port}", "bearer", "A/B")
    assert auth.asked == [("/v1/tokens/A%2FB", "Bearer bearer", {"type": "ISO14443", "status": "Accepted"})]


def test_a_stack_with_other_secrets(auth: Any) -> None:
    auth.answer = 401
    with pytest.raises(
        LocalError, match=r"refused the bearer token \(401 Unauthorized\): is it the stack of this data folder"
    ):
        register_token(f"http://127.0.0.1:{auth.server_port}", "bearer", "A")


def test_an_id_token_that_cannot_be_is_named(auth: Any) -> None:
    auth.answer = 422
    with pytest.raises(LocalError, match=r"does not accept the id token 'Ä' \(422 .*\): choose another with --token"):
        register_token(f"http://127.0.0.1:{auth.server_port}", "bearer", "Ä")


def test_the_running_stack_is_found_whatever_its_ports(tmp_path: Path) -> None:
    ports = {"auth": 1, "gateway": 2, "gateway_http": 3, "gateway-1": 4, "gateway-1_http": 5, "rest": 6}
    started = LocalSettings(
        tmp_path,
        host="0.0.0.0",
        ports=ports,
        gateways=("gateway", "gateway-1"),
        services=("auth",),
        kafka_bootstrap="k:1",
    )
    servers = server_addresses("postgresql://user:secret@h:1/x", "redis://:secret@[::1]/0", "k:1")
    assert servers == {"postgres": "h:1", "redis": "[::1]:6379", "kafka": "k:1"}
    assert server_addresses(None, "redis+sentinel://:secret@a:1,b:2/main", None) == {"redis": "a:1,b:2"}
    asking = LocalSettings(tmp_path)
    assert with_running(asking) == asking
    with announce(started, servers):
        assert running_servers(asking) == servers
        assert with_running(asking) == started
        assert with_running(replace(asking, kafka_bootstrap="other:2")).kafka_bootstrap == "other:2"
    assert with_running(asking) == asking
    assert running_servers(asking) == {}


def test_only_the_kafka_of_the_stack_asks_for_the_password_of_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not one that the stack, or the command, was given; nor that of an earlier version, which has none."""
    monkeypatch.setenv("VOLTBUS_DATA", str(tmp_path))
    servers, password = server_addresses(None, None, "k:1"), load_secrets(tmp_path / "secrets").kafka_sasl_password
    with announce(LocalSettings(tmp_path), servers):
        settings = kafka_bus()[1]
        assert settings.kafka_bootstrap == "k:1"
        assert settings.kafka_sasl_password == SecretStr(password)
        with monkeypatch.context() as given:
            given.setenv("VOLTBUS_KAFKA_BOOTSTRAP", "other:2")
            assert kafka_bus()[1].kafka_sasl_password is None
        file = tmp_path / "running.json"
        earlier = json.loads(file.read_text())
        del earlier["kafka_embedded"]
        file.write_text(json.dumps(earlier))
        assert kafka_bus()[1].kafka_sasl_password is None
    with announce(LocalSettings(tmp_path, kafka_bootstrap="k:1"), servers):
        assert kafka_bus()[1].kafka_sasl_password is None


def test_the_welcome_can_be_copied_line_by_line(tmp_path: Path) -> None:
    lines = banner(LocalSettings(tmp_path), "127.0.0.1:25000").splitlines()
    assert any("ws://localhost:9000/ocpp/{station_id} " in line for line in lines)
    assert any(line.split()[:2] == ["kafka", "127.0.0.1:25000"] for line in lines)
    assert len([line for line in lines if line.startswith("eyJ")]) == 1
    assert any(line.endswith(" station") for line in lines)
    curl = next(line for line in lines if line.startswith("curl"))
    assert curl.endswith('"localhost:9070/transactions/v1/transactions?station_id=DEMO-1"')


def test_the_welcome_makes_no_token_where_an_issuer_does(tmp_path: Path) -> None:
    text = banner(LocalSettings(tmp_path, jwt_issuer="https://sso.example", jwt_secret="s" * 32), "127.0.0.1:25000")
    assert (
        "For the REST APIs, bearer tokens come from https://sso.example (VOLTBUS_JWT_ISSUER), none is made here" in text
    )
    assert "eyJ" not in text
    assert " token" not in text.partition("VOLTBUS_TOKEN.")[2]
    assert 'curl -H "Authorization: Bearer $VOLTBUS_TOKEN"' in text


def test_progress_in_plain_lines_where_there_is_no_terminal() -> None:
    console = Console(record=True, width=100, force_terminal=False, file=open("/dev/null", "w"))  # noqa: SIM115
    board = Progress(console, ["kafka"])
    with board:
        board("kafka", "starting")
        board("kafka", "ready")
    lines = console.export_text().splitlines()
    assert [line[9:] for line in lines] == ["kafka: starting", "kafka: ready (0.0 s)"]
