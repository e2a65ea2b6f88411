"""The receiver of docs/webhooks.md takes what Voltbus has signed, and nothing else."""

import runpy
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import HTTPServer
from pathlib import Path

import pytest

from services.common.process.clock import now
from services.common.push.webhooks.signature import new_secret, read_secret, signed
from tests.patience import GIVE_UP

EXAMPLE = runpy.run_path(str(Path(__file__).parents[3] / "docs" / "examples" / "receiver.py"))
SECRET, BODY = new_secret(), b'{"id": "1"}'


@pytest.mark.parametrize(
    ("secrets", "body", "late", "genuine"),
    [
        ([SECRET], BODY, 0, True),
        # While a secret is being replaced.
        ([new_secret(), SECRET], BODY, 0, True),
        ([new_secret()], BODY, 0, False),
        ([SECRET], BODY + b" ", 0, False),
        ([SECRET], BODY, 3600, False),
    ],
)
def test_it_tells_what_is_genuine(secrets: list[str], body: bytes, late: float, genuine: bool) -> None:
    headers = signed("1", now() - timedelta(seconds=late), BODY, [read_secret(one) for one in secrets])
    assert EXAMPLE["is_genuine"](headers, body, SECRET) is genuine


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("webhook-id", None),
        ("webhook-timestamp", None),
        ("webhook-timestamp", "abc"),
        ("webhook-timestamp", ""),
        ("webhook-timestamp", "9" * 400),
        ("webhook-timestamp", "\u0663"),
        ("webhook-signature", None),
        ("webhook-signature", "v1,\u00e4"),
    ],
)
def test_what_is_not_signed_is_not_genuine(name: str, value: str | None) -> None:
    headers = dict(signed("1", now(), BODY, [read_secret(SECRET)]))
    del headers[name]
    assert EXAMPLE["is_genuine"](headers if value is None else {**headers, name: value}, BODY, SECRET) is False


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setenv("WEBHOOK_SECRET", SECRET)
    with HTTPServer(("127.0.0.1", 0), EXAMPLE["Receiver"]) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    "request_",
    [
        b"POST / HTTP/1.0\r\ncontent-length: 2\r\n\r\n{}",
        b"POST / HTTP/1.0\r\n\r\n",
        b"POST / HTTP/1.0\r\ncontent-length: x\r\nwebhook-timestamp: abc\r\nwebhook-signature: \xe4\r\n\r\n",
    ],
)
def test_what_is_not_genuine_is_answered_401(port: int, request_: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=GIVE_UP) as client, client.makefile("rb") as answer:
        client.sendall(request_)
        assert answer.readline().split()[1] == b"401"
