"""HTTP answers to upgrade requests that are refused: each is counted, and none repeats what was sent.

picows would quote the header that it cannot read, which may be that with the password.
"""

from picows import WSUpgradeRequest, WSUpgradeResponse
from picows.picows import _parse_http_request, _validate_upgrade_request  # type: ignore[attr-defined]

from services.gateway import metrics
from services.gateway.transport.handshake import Refused

# Bytes of a request, with the certificate that an ingress may put into a header; picows takes no more.
LONGEST_REQUEST = 16 * 1024 - 1
TOO_LONG = Refused(431, "the request is too long", {})
NOT_HTTP = Refused(400, "not an HTTP/1.1 request for a WebSocket", {})
TWICE = Refused(400, "a header is there twice that may be there once", {})
# RFC 9110 §5.3, RFC 9112 §3.2, RFC 6455 §11.3: of two, one may be that of somebody between.
ONCE = ("Authorization", "Host", "Sec-WebSocket-Key", "Sec-WebSocket-Version")
NOT_AN_UPGRADE = Refused(400, "not a WebSocket upgrade as RFC 6455 has it", {})
OTHER_VERSION = Refused(426, "WebSocket version 13 is spoken", {"Sec-WebSocket-Version": "13"})
UNREADABLE_CERTIFICATE = Refused(403, "the certificate cannot be read", {})
FAILED = Refused(500, "internal error", {})
# What is counted of a connection that ended before it was answered.
UNANSWERED = "none"


def answer(refused: Refused) -> WSUpgradeResponse:
    """The answer, which is counted."""
    metrics.HANDSHAKES.labels(refused.status).inc()
    made: WSUpgradeResponse = WSUpgradeResponse.create_error_response(
        refused.status, refused.text.encode(), refused.headers
    )
    return made


def fault_of_head(head: bytes) -> Refused | None:
    """What is wrong with the request line or a header. head: without the empty line at its end."""
    if len(head) >= LONGEST_REQUEST:
        return TOO_LONG
    try:
        _parse_http_request(head)
    except RuntimeError:
        return NOT_HTTP
    return None


def fault_of_upgrade(upgrade: WSUpgradeRequest) -> Refused | None:
    """Why it is no upgrade to a WebSocket (RFC 6455 §4.2.1)."""
    if any(len(upgrade.headers.getall(name, [])) > 1 for name in ONCE):
        return TWICE
    if upgrade.headers.get("Sec-WebSocket-Version", "13") != "13":
        return OTHER_VERSION
    try:
        _validate_upgrade_request(upgrade)
    except RuntimeError:
        return NOT_AN_UPGRADE
    return None
