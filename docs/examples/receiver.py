"""Receives webhooks: prints each event whose signature is right, and needs nothing but Python.

WEBHOOK_SECRET=whsec_… python receiver.py      # listens on port 8000
"""

import base64
import hashlib
import hmac
import json
import os
import time
from email.message import Message
from http.server import BaseHTTPRequestHandler, HTTPServer


def is_genuine(headers: Message, body: bytes, secret: str) -> bool:
    id, sent, signatures = (headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    if not (sent.isascii() and sent.isdigit() and len(sent) < 12 and abs(time.time() - int(sent)) < 300):
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = f"{id}.{sent}.".encode(errors="replace") + body
    expected = b"v1," + base64.b64encode(hmac.digest(key, content, hashlib.sha256))
    return any(hmac.compare_digest(expected, one.encode(errors="replace")) for one in signatures.split())


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        length = self.headers.get("content-length", "")
        body = self.rfile.read(int(length)) if length.isdecimal() else b""
        genuine = is_genuine(self.headers, body, os.environ["WEBHOOK_SECRET"])
        if genuine:
            event = json.loads(body)  # event["id"] is the same if it comes again
            print(event["type"], event.get("subject", ""), event["data"], flush=True)
        self.send_response(204 if genuine else 401)
        self.end_headers()


if __name__ == "__main__":
    HTTPServer(("127.0.0.1", 8000), Receiver).serve_forever()
