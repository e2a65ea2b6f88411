"""Stands in for a process of Voltbus: answers /readyz on the port that its environment names."""

import os
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer


class Ready(BaseHTTPRequestHandler):
    """Always ready."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def main(name: str) -> None:
    if name == "prepare":
        return
    variable = "VOLTBUS_GATEWAY_HTTP_PORT" if name == "gateway" else f"VOLTBUS_{name.upper()}_PORT"
    HTTPServer(("127.0.0.1", int(os.environ[variable])), Ready).serve_forever()


if __name__ == "__main__":
    main(sys.argv[1])
