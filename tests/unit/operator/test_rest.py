"""The commands that call REST, on a server that answers as it is told."""

import http.server
import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import services.auth.api.verbs as auth
import services.firmware.api.verbs as firmware
from services.common.commands.command import End
from services.ocpp.services import SERVICES
from voltbus.cli import app
from voltbus.operator.call import EXIT_CODES, VERBS

STATION = {
    "station_id": "CP001",
    "groups": ["vienna", "fast"],
    "online": True,
    "quarantined": False,
    "version": "1.6",
    "vendor": "Maker",
    "model": None,
    "firmware_version": "7",
    "boot_status": "Accepted",
    "last_seen_at": "2026-01-02T03:04:05.678Z",
    "evses": [
        {"evse_id": 1, "connectors": [{"connector_id": 1, "status": "Charging"}]},
        {
            "evse_id": 2,
            "connectors": [{"connector_id": 1, "status": "Available"}, {"connector_id": 2, "status": "Faulted"}],
        },
    ],
}
REFUSED = {
    "station_id": "CP\x1b1",
    "reason": "wrong_password",
    "times": 17,
    "first_at": "2026-01-02T03:04:05.678Z",
    "last_at": "2026-01-02T04:05:06.789Z",
    "remote_address": "2001:db8::7",
    "connected_from": "192.0.2.1",
    "subprotocols": "ocpp1.6",
    "registered": True,
    "quarantined": False,
}
SESSION = {
    "id": 7,
    "station_id": "CP001",
    "evse_id": 1,
    "started_at": "2026-01-02T03:04:05Z",
    "stopped_at": None,
    "energy_wh": 1234.5,
    "id_token": "04A2",
    "status": "active",
    "charging_state": "Charging",
    "stop_reason": None,
    "ended_by": None,
    "review": "held",
    "doubts": ["clock"],
}
COMMAND = {
    "command_id": "c-1",
    "station_id": "CP001",
    "action": "Reset",
    "version": "1.6",
    "status": "answered",
    "outcome": "answered",
    "payload": {"type": "Soft"},
    "request": None,
    "response": {"status": "Rejected"},
    "error_code": None,
    "error_description": None,
    "ended_at": "2026-01-02T03:04:05Z",
}


@dataclass
class Server:
    """answers: status and body by method and path. seen: requests as `GET /path?query`, with their body.

    before: what is answered first, one after another; a status of 0 is none. keys: idempotency keys of requests.
    """

    port: int = 0
    answers: dict[str, tuple[int, Any]] = field(default_factory=dict)
    seen: list[tuple[str, Any]] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    before: list[tuple[int, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        address = f"http://127.0.0.1:{self.port}"
        addresses = ",".join(f"{name}={address}/{name}" for name in SERVICES)
        return {"VOLTBUS_ADDRESSES": addresses, "VOLTBUS_TOKEN": "opaque"}

    def items(self, path: str, *items: Mapping[str, Any], next: str | None = None) -> None:
        self.answers[f"GET {path}"] = 200, {"items": items, "next": next}


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("VOLTBUS_DATA", str(tmp_path))
    told = Server()

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self) -> None:
            length = int(self.headers["Content-Length"] or 0)
            told.seen.append((f"{self.command} {self.path}", json.loads(self.rfile.read(length) or "null")))
            told.tokens.add(self.headers["Authorization"])
            told.keys.append(self.headers["Idempotency-Key"])
            answer = told.answers.get(f"{self.command} {self.path.partition('?')[0]}", (404, "not here"))
            status, body = told.before.pop(0) if told.before else answer
            if not status:
                return
            content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
            self.send_response(status)
            if status == 302:
                self.send_header("Location", f"http://127.0.0.1:{told.port}/elsewhere")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = answer

        def log_message(self, *_: object) -> None:
            pass

    listening = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.port = listening.server_port
    threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True).start()
    yield told
    listening.shutdown()
    listening.server_close()


def run(server: Server, *words: str, **environment: str) -> Result:
    return CliRunner().invoke(app, words, env=server.environment | environment)


def test_stations(server: Server) -> None:
    server.items("/firmware/v1/stations", STATION)
    result = run(server, "stations", "--online", "--vendor", "Maker", "--boot", "Accepted")
    assert server.seen == [("GET /firmware/v1/stations?limit=51&status=Accepted&vendor=Maker&online=true", None)]
    assert server.tokens == {"Bearer opaque"}
    rows = [line.split() for line in result.stdout.splitlines()[1:]]
    assert rows == [
        ["CP001", "vienna", "yes", "1.6", "Maker", "7", "Accepted", "1:", "Charging", "2026-01-02T03:04:05Z"],
        ["fast", "2/1:", "Available"],
        ["2/2:", "Faulted"],
        ["1", "station"],
    ]


@pytest.mark.parametrize(
    ("security", "shown"),
    [
        (None, []),
        ({"profile": 1, "tls_version": None, "certificate": None}, ["1"]),
        ({"profile": 2, "tls_version": "TLSv1.2", "certificate": None}, ["2,", "TLSv1.2"]),
        (
            {"profile": 3, "tls_version": None, "certificate": {"not_after": "2027-01-02T03:04:05Z"}},
            ["3", "to", "2027-01-02"],
        ),
    ],
)
def test_how_stations_are_let_in(server: Server, security: Any, shown: list[str]) -> None:
    server.items("/firmware/v1/stations", STATION | {"groups": [], "evses": [], "security": security})
    result = run(server, "stations", "--certificate-ends-within", "30")
    assert server.seen == [("GET /firmware/v1/stations?limit=51&certificate_ends_within=30", None)]
    words = result.stdout.split()
    start = words.index("1.6") + 1
    assert [one for one in words[start:-2] if one not in ("Maker", "7", "Accepted", "2026-01-02T03:04:05Z")] == shown


def test_refused(server: Server) -> None:
    server.items("/firmware/v1/stations/refused", REFUSED)
    since = "2026-01-01T00:00:00+00:00"
    words = ("--reason", "wrong_password", "--address", "2001:db8::7", "--search", "cp", "--since", since)
    result = run(server, "refused", *words)
    [(asked, _)] = server.seen
    assert asked == (
        "GET /firmware/v1/stations/refused?limit=51&reason=wrong_password&remote_address=2001%3Adb8%3A%3A7"
        "&since=2026-01-01T00%3A00%3A00%2B00%3A00&q=cp"
    )
    [_, row, count] = [line.split() for line in result.stdout.splitlines()]
    assert row[:3] == ["CP\\x1b1", "wrong_password", "17"]
    assert row[3:] == ["2026-01-02T03:04:05Z", "2026-01-02T04:05:06Z", "2001:db8::7", "192.0.2.1", "ocpp1.6", "yes"]
    assert count == ["1", "id"]
    assert json.loads(run(server, "refused", "--json").stdout) == [REFUSED]


def test_sessions(server: Server) -> None:
    server.items("/transactions/v1/transactions", SESSION)
    result = run(
        server, "sessions", "--active", "--station", "CP 1", "--group", "vienna", "--since", "2026-01-01T00:00:00+00:00"
    )
    [(asked, _)] = server.seen
    assert asked == (
        "GET /transactions/v1/transactions?limit=51&received_after=2026-01-01T00%3A00%3A00%2B00%3A00"
        "&station_id=CP+1&group=vienna&status=active"
    )
    row = result.stdout.splitlines()[1].split()
    assert row[:4] == ["7", "CP001", "1", "2026-01-02T03:04:05Z"]
    assert row[4:] == ["1.234", "kWh", "04A2", "active", "(Charging)", "held,", "clock"]


def test_lists_are_read_page_by_page_up_to_the_limit(server: Server) -> None:
    server.items("/transactions/v1/transactions", SESSION, SESSION, next="further")
    result = run(server, "sessions", "--limit", "3", "--json")
    assert [asked.partition("?")[2] for asked, _ in server.seen] == ["limit=4", "limit=4&cursor=further"]
    assert json.loads(result.stdout) == [SESSION] * 3
    assert "3 sessions, and more (--limit)" in run(server, "sessions", "--limit", "3").stdout


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((401, {"detail": "no"}), "firmware at {0}/firmware refused the bearer token: set VOLTBUS_TOKEN"),
        ((403, {"detail": "the token lacks firmware:read"}), "firmware: the token lacks firmware:read (403)"),
        ((200, "<html>"), "what answers at {0}/firmware is not firmware of Voltbus (200)"),
        ((302, ""), "what answers at {0}/firmware is not firmware of Voltbus (302)"),
    ],
)
def test_what_goes_wrong_is_one_line(server: Server, answer: tuple[int, Any], message: str) -> None:
    server.answers["GET /firmware/v1/stations"] = answer
    result = run(server, "stations")
    assert (result.exit_code, result.stdout, len(server.seen)) == (1, "", 1)
    assert result.stderr.startswith("voltbus: " + message.format(f"http://127.0.0.1:{server.port}"))
    assert result.stderr.count("\n") == 1


def test_one_address_has_each_service_below_its_name(server: Server) -> None:
    server.items("/firmware/v1/stations", STATION)
    one = f"http://127.0.0.1:{server.port}/"
    assert run(server, "stations", VOLTBUS_ADDRESSES="", VOLTBUS_URL=one).exit_code == 0
    assert run(server, "stations", VOLTBUS_URL="http://127.0.0.1:9").exit_code == 0  # each of its own goes before
    assert [asked for asked, _ in server.seen] == ["GET /firmware/v1/stations?limit=51"] * 2


def test_a_service_that_is_away(server: Server) -> None:
    result = run(server, "stations", VOLTBUS_ADDRESSES="firmware=http://127.0.0.1:9/")
    assert result.exit_code == 1
    assert result.stderr == (
        "voltbus: firmware does not answer at http://127.0.0.1:9 (Connection refused): start it with `make run`, "
        "or set VOLTBUS_URL\n"
    )


def test_a_command_and_its_answer(server: Server) -> None:
    path = "/firmware/v1/stations/CP%2F1/commands/Reset"
    server.answers[f"POST {path}"] = 202, COMMAND | {"ended_at": None, "outcome": None, "status": "sent"}
    server.answers["GET /firmware/v1/commands/c-1"] = 200, COMMAND
    result = run(server, "call", "CP/1", "RESET", '{"type": "Soft"}', "--wait", "5")
    assert result.exit_code == 0
    assert server.seen[0] == (f"POST {path}?wait=5.0&expires_in=5.0", {"type": "Soft"})
    words = result.stdout.split()
    assert words[:2] == ["station", "CP001"]
    assert words[words.index("outcome") + 1] == "answered"
    assert '"Rejected"' in words
    assert json.loads(run(server, "call", "CP/1", "Reset", "--json").stdout) == COMMAND


@pytest.mark.parametrize("before", [[(503, {"detail": "try again"})], [(0, None), (503, {}), (0, None)]])
def test_a_service_that_goes_away_meanwhile_is_asked_again_for_the_same_command(
    server: Server, monkeypatch: pytest.MonkeyPatch, before: list[tuple[int, Any]]
) -> None:
    """It may have taken it: who is told to try again would do it twice."""
    monkeypatch.setattr("voltbus.operator.call.time.sleep", lambda _: None)
    path = "/firmware/v1/stations/CP1/commands/Reset"
    server.answers[f"POST {path}"] = 202, COMMAND | {"ended_at": None, "outcome": None, "status": "sent"}
    server.answers["GET /firmware/v1/commands/c-1"] = 200, COMMAND
    server.before = [*before]
    assert run(server, "call", "CP1", "Reset").exit_code == 0
    posts = [key for (request, _), key in zip(server.seen, server.keys, strict=True) if request.startswith("POST")]
    assert len(posts) == len(before) + 1
    assert len(set(posts)) == 1
    assert posts[0]

    server.answers["GET /firmware/v1/commands/c-1"] = 503, {"detail": "try again"}
    monkeypatch.setattr("voltbus.operator.call._ANSWER", -30.0)
    result = run(server, "call", "CP1", "Reset", "--wait", "30")
    assert (result.exit_code, "c-1" in result.stdout) == (5, True)


def test_what_was_taken_back_between_its_parts_has_been_there_in_part(server: Server) -> None:
    parts = {"count": 4, "items": 60, "sent": 16, "answered": 16, "results": 15}
    cancelled = COMMAND | {"outcome": "cancelled", "parts": parts}
    server.answers["POST /firmware/v1/stations/CP1/commands/GetVariables"] = 200, cancelled
    result = run(server, "call", "CP1", "GetVariables")
    assert result.exit_code == 5
    assert "4 sent; 16 of 60 items are in those that were answered, which have 15 results" in " ".join(
        result.stdout.split()
    )


@pytest.mark.parametrize("outcome", list(End))
def test_the_exit_code_says_how_a_command_ended(server: Server, outcome: End) -> None:
    server.answers["POST /firmware/v1/stations/CP1/commands/Reset"] = 200, COMMAND | {"outcome": outcome}
    assert run(server, "call", "CP1", "Reset").exit_code == EXIT_CODES[outcome]


@pytest.mark.parametrize(
    ("verb", "address", "body", "query"),
    [
        ("unlock", "/firmware/v1/stations/CP1/unlock", {"evse_id": 1}, "&expires_in=5.0"),
        ("stop", "/transactions/v1/stations/CP1/stop", {"evse_id": 1, "expires_in": 5.0}, ""),
    ],
)
def test_a_verb_has_an_address_of_its_own(server: Server, verb: str, address: str, body: Any, query: str) -> None:
    server.answers[f"POST {address}"] = 200, COMMAND | {"effect": "refused"}
    result = run(server, "call", "CP1", verb, '{"evse_id": 1}', "--wait", "5")
    assert server.seen == [(f"POST {address}?wait=5.0{query}", body)]
    words = result.stdout.split()
    assert words[words.index("effect") + 1] == "refused"


def test_verbs_are_those_that_services_have() -> None:
    of_auth = auth.verbs(lambda: datetime.now(UTC))
    served = {verb.path: "firmware" for verb in firmware.VERBS} | {verb.path: "auth" for verb in of_auth}
    assert served | {"start": "transactions", "stop": "transactions"} == VERBS


def test_a_token_that_cannot_be_one_is_not_printed(server: Server) -> None:
    result = run(server, "sessions", VOLTBUS_TOKEN="opaque\nsecret")
    assert result.exit_code == 1
    assert result.stderr == "voltbus: VOLTBUS_TOKEN has a character that no bearer token has, such as a line break\n"
    server.items("/transactions/v1/transactions", SESSION)
    assert run(server, "sessions", VOLTBUS_TOKEN="opaque\n").exit_code == 0
    assert server.tokens == {"Bearer opaque"}


def test_a_misspelt_action_or_verb_names_the_one_that_was_meant(server: Server) -> None:
    for said, meant in (("unlok", "unlock"), ("triggermesage", "TriggerMessage")):
        assert f"did you mean {meant}?" in run(server, "call", "CP1", said).stderr
    assert server.seen == []


def test_a_command_that_is_refused_by_the_service(server: Server) -> None:
    problem = {"detail": "no station CP1 is registered: did you mean CP2?"}
    server.answers["POST /firmware/v1/stations/CP1/commands/Reset"] = 404, problem
    result = run(server, "call", "CP1", "Reset")
    assert result.exit_code == 1
    assert result.stderr == "voltbus: firmware: no station CP1 is registered: did you mean CP2? (404)\n"


def test_the_status_says_what_each_part_waits_for(server: Server) -> None:
    for name in SERVICES:
        server.answers[f"GET /{name}/readyz"] = 200, {"status": "ready", "waiting_for": []}
    server.answers["GET /auth/readyz"] = 503, {"status": "not ready", "waiting_for": ["postgres", "kafka"]}
    server.answers["GET /smartcharging/readyz"] = 200, "<html>"
    server.answers["GET /firmware/v1/stations/summary"] = 200, {"count": 1}
    server.items("/transactions/v1/transactions", SESSION, SESSION)
    result = run(server, "status", VOLTBUS_POSTGRES_DSN=f"postgresql://u:secret@127.0.0.1:{server.port}/x")
    assert result.exit_code == 1
    lines = [line.split(maxsplit=2) for line in result.stdout.splitlines()]
    said = {words[0]: " ".join(words[2].split()) for words in lines if len(words) == 3}
    assert said["postgres"] == "ready"
    assert said["auth"] == "not ready waits for postgres, waits for kafka"
    assert said["transactions"] == "ready"
    assert said["smartcharging"] == "no answer what answers there is not Voltbus (200)"
    assert result.stdout.endswith("\nstations connected: 1\nsessions active: 2\n")
    assert "secret" not in result.stdout

    server.answers["GET /auth/readyz"] = server.answers["GET /smartcharging/readyz"] = server.answers[
        "GET /firmware/readyz"
    ]
    server.answers["GET /firmware/v1/stations/summary"] = 401, {}
    result = run(server, "status", "--json")
    assert result.exit_code == 0
    shown = json.loads(result.stdout)
    assert (shown["stations_connected"], shown["sessions_active"]) == (None, 2)
    assert {part["state"] for part in shown["parts"]} == {"ready"}


FRAME = {
    "id": "1.1.1",
    "at": "2026-01-02T03:04:05.678Z",
    "kind": "call",
    "direction": "in",
    "action": "Authorize",
    "message_id": "m1",
    "payload": {"idTag": "…E6F7"},
    "size": 26,
    "outcome": "unanswered",
    "answer": None,
    "answered_by": None,
    "latency_ms": None,
    "error_code": "",
    "error_description": "",
}
ANSWERED = FRAME | {"outcome": "answered", "answer": {"x": 1}, "answered_by": "service", "latency_ms": 12.4}


def test_tail_prints_what_is_kept_the_oldest_first(server: Server) -> None:
    gone = FRAME | {
        "id": "2",
        "kind": "disconnected",
        "direction": None,
        "action": "",
        "message_id": "",
        "payload": None,
    }
    gone |= {"outcome": "", "error_description": "the connection was lost"}
    server.items("/firmware/v1/stations/CP%201/log", gone, ANSWERED)
    result = run(server, "tail", "CP 1", "--no-follow", "-n", "5", "--errors", "--transaction", "7")
    assert server.seen == [("GET /firmware/v1/stations/CP%201/log?limit=5&transaction_id=7&errors=true", None)]
    assert result.stdout.splitlines() == [
        '03:04:05.678 → Authorize answered by service 12 ms {"idTag": "…E6F7"} ⇒ {"x": 1} m1',
        "03:04:05.678 · disconnected the connection was lost",
    ]


def test_tail_shows_a_frame_that_would_be_another_line_as_one(server: Server) -> None:
    said = '[2,"1"\n03:04:05.678 → StopTransaction answered\x1b[2J\x9b'
    server.items("/firmware/v1/stations/CP001/log", FRAME | {"kind": "refused", "payload": said, "message_id": "a\nb"})
    [line] = run(server, "tail", "CP001", "--no-follow").stdout.splitlines()
    assert '[2,"1"\\n03:04:05.678' in line
    assert not {"\x1b", "\x9b"} & set(line)


def test_tail_goes_on_with_what_comes_and_shows_nothing_twice(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    log = "/firmware/v1/stations/CP001/log"
    server.items(log, FRAME)
    events = [f": from now on\n\ndata: {json.dumps(FRAME)}\n\ndata: {json.dumps(ANSWERED)}\n\n"]
    events.append('event: closed\ndata: {"reason": "connect again"}\n\n')
    server.answers[f"GET {log}/tail"] = 200, "".join(events)

    def ends(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("voltbus.operator.tail.time.sleep", ends)
    result = run(server, "tail", "CP001", "--json")
    assert [json.loads(line)["outcome"] for line in result.stdout.splitlines()] == ["unanswered", "answered"]
    station = "GET /firmware/v1/stations/CP001"
    assert [path.partition("?")[0] for path, _ in server.seen] == [station, f"GET {log}/tail", f"GET {log}"]


@pytest.mark.parametrize("follow", [True, False])
def test_tail_says_that_nobody_knows_a_station(server: Server, follow: bool) -> None:
    """Who mistypes its id would think that it is silent."""
    log = "/firmware/v1/stations/CP01/log"
    server.items(log)
    server.answers[f"GET {log}/tail"] = 403, {"detail": "ends"}
    server.answers["GET /firmware/v1/stations/CP01"] = 404, {"detail": "no station CP01: did you mean CP001?"}
    result = run(server, "tail", "CP01", *([] if follow else ["--no-follow"]))
    assert result.exit_code == 1
    assert result.stderr.startswith("voltbus: firmware: no station CP01: did you mean CP001? (404)\n")
    server.answers["GET /firmware/v1/stations/CP01"] = 200, {}
    assert run(server, "tail", "CP01", "--no-follow").exit_code == 0


def test_tail_of_what_may_not_be_read_ends(server: Server) -> None:
    server.answers["GET /firmware/v1/stations/CP001/log/tail"] = 403, {"detail": "needs firmware:read"}
    result = run(server, "tail", "CP001")
    assert result.exit_code == 1
    assert "needs firmware:read" in result.stderr
