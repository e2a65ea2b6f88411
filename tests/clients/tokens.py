"""A token address as an OIDC issuer has it, and tokens that a broker without a key set believes."""

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs


def unsigned(subject: str, lifetime: float = 300.0) -> str:
    """A JWT without a signature."""
    now = time.time()
    parts = {"alg": "none"}, {"sub": subject, "iat": now, "exp": now + lifetime, "scope": []}
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts) + "."


@dataclass
class TokenAddress:
    """status, answer: what it says; asked: what it was asked, as the header of the client and the form."""

    url: str
    status: int = 200
    answer: Any = None
    asked: list[tuple[str, dict[str, list[str]]]] = field(default_factory=list)


@contextmanager
def token_address() -> Iterator[TokenAddress]:
    """One that runs until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
            address.asked.append((self.headers["authorization"], form))
            content = address.answer if isinstance(address.answer, bytes) else json.dumps(address.answer).encode()
            self.send_response(address.status)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        address = TokenAddress(f"http://127.0.0.1:{server.server_port}/token")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield address
        finally:
            server.shutdown()
            thread.join()
