"""All series of the gateway that can be known, at 0 from the start: a rise from nothing is none to Prometheus."""

from itertools import product

from services.gateway import metrics
from services.gateway.ocppj.actions import MessageType, Reason
from services.gateway.ocppj.dialects import DIALECTS
from services.gateway.ocppj.frames import CALLRESULTERROR
from services.gateway.transport.answers import UNANSWERED
from services.gateway.transport.tls import HandshakeOutcome
from services.gateway.transport.transport import GivenUp
from services.ocpp.deviations import Deviation
from services.ocpp.errors import ErrorCode
from services.ocpp.refusals import RefusalReason
from services.ocpp.versions import VERSIONS
from voltbus.v1.bus_pb2 import Outcome

# Of the answer to a handshake, and of a connection that was closed for what came on it (RFC 6455 §7.4.1).
STATUSES = (101, 400, 401, 403, 404, 426, 429, 431, 500, 503, UNANSWERED)
CODES = (1002, 1003, 1007, 1008, 1009, 1011)
# Of answers to stations that speak SOAP, and what comes of calls to them.
SOAP_STATUSES = (200, 400, 401, 413, 500, 503)
CALLED = ("answered", "unanswered", "unreachable", "refused")
ANSWERS = (MessageType.RESULT, MessageType.ERROR)


def begin() -> None:
    """Before the first connection."""
    sends = [(name, action) for name, version in VERSIONS.items() for action in version.schemas.sends]
    from_station = [(name, action) for name, version in VERSIONS.items() for action in version.from_station]
    from_station = [call for call in from_station if call not in sends]
    to_station = [(name, action) for name, version in VERSIONS.items() for action in version.to_station]
    answered = [call for call in to_station if CALLRESULTERROR in DIALECTS[call[0]].message_types]
    metrics.LATENCY.begin((action, version) for version, action in from_station)
    for direction, calls in (("in", from_station), ("out", to_station)):
        back = "out" if direction == "in" else "in"
        metrics.FRAMES.begin((direction, MessageType.CALL, *call) for call in calls)
        metrics.FRAMES.begin((back, answer, *call) for answer, call in product(ANSWERS, calls))
    metrics.FRAMES.begin(("in", MessageType.SEND, *sent) for sent in sends)
    metrics.FRAMES.begin(("out", MessageType.RESULT_ERROR, *call) for call in answered)
    for status in STATUSES:
        metrics.HANDSHAKES.labels(status)
    for handshake in HandshakeOutcome:
        metrics.TLS_HANDSHAKES.labels(handshake)
    for status in SOAP_STATUSES:
        metrics.SOAP_REQUESTS.labels(status)
    for called in CALLED:
        metrics.SOAP_CALLS.labels(called)
    for reason in RefusalReason:
        metrics.REFUSED_HANDSHAKES.labels(reason)
    for code in CODES:
        metrics.FAILED.labels(code)
    for given_up in GivenUp:
        metrics.GIVEN_UP.labels(given_up)
    for dropped in Reason:
        metrics.DROPPED.labels(dropped)
    for deviation in Deviation:
        metrics.TOLERATED.labels(deviation)
    for version in VERSIONS:
        metrics.CONNECTIONS.labels(version)
    for error, version in product(ErrorCode, VERSIONS):
        metrics.REFUSED.labels(error, version)
    # Without a version: what never came to a connection.
    for outcome, version in product(Outcome.keys()[1:], (*VERSIONS, "")):
        metrics.RESULTS.labels(outcome, version)
