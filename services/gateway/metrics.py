"""Every metric of the gateway, declared once."""

from prometheus_client import REGISTRY, Counter, Gauge

from services.common.process.fast_metrics import FastCounter, FastHistogram
from services.common.process.metrics import BUCKETS

FRAMES = FastCounter(
    "voltbus_gateway_frames",
    "OCPP-J frames by direction (in: from the station), message type, version and action (empty: unknown)",
    ("direction", "kind", "version", "action"),
)
LATENCY = FastHistogram(
    "voltbus_gateway_call_seconds",
    "from the receipt of a station's CALL to its CALLRESULT",
    ("action", "version"),
    BUCKETS,
)
CONNECTIONS = Gauge("voltbus_gateway_connections", "open connections", ["version"])
HANDSHAKES = Counter(
    "voltbus_gateway_handshakes_total",
    "upgrade requests by HTTP status of the answer; none: the connection ended before it was answered",
    ["status"],
)
REFUSED_HANDSHAKES = Counter(
    "voltbus_gateway_refused_handshakes_total", "stations that were not let in, or only to be seen", ["reason"]
)
TLS_HANDSHAKES = Counter("voltbus_gateway_tls_handshakes_total", "TLS handshakes by what became of them", ["outcome"])
TLS_HANDSHAKES_UNDER_WAY = Gauge("voltbus_gateway_tls_handshakes_under_way", "TLS handshakes that are not done yet")
CERTIFICATE_EXPIRES = Gauge(
    "voltbus_gateway_certificate_expires_timestamp_seconds",
    "when the certificate that stations are shown expires, or one of its chain, by the kind of its key (rsa, ec); "
    "calls: of the one for calls to stations that speak SOAP",
    ["key"],
)
CERTIFICATE_REFUSED = Gauge(
    "voltbus_gateway_certificate_refused", "1: the files of certificates have changed and cannot be used; 0: they are"
)
PASSWORDS = Counter(
    "voltbus_gateway_passwords_total",
    "stations let in by a password, by the key of its hash: current, or the one before it",
    ["key"],
)
FAILED = Counter(
    "voltbus_gateway_failed_connections_total", "connections that were closed for what came on them, by code", ["code"]
)
UNANSWERED = Gauge("voltbus_gateway_unanswered_handshakes", "connections whose upgrade request has not come yet")
CROWDED_OUT = Counter(
    "voltbus_gateway_crowded_out_total", "connections that had sent no upgrade request when others needed their place"
)
TAKEOVERS = Counter("voltbus_gateway_takeovers_total", "times that another device took the place of one that was alive")
CONTESTED = Gauge("voltbus_gateway_contested_ids", "ids that several devices have: the one that is connected stays")
GIVEN_UP = Counter(
    "voltbus_gateway_given_up_connections_total",
    "connections that were ended for what the station did not do (no_pong, not_reading), or did for too long (flood)",
    ["reason"],
)
SLOWED = Counter(
    "voltbus_gateway_slowed_total",
    "times that a station was not read for a while, or answered over SOAP: it sent too fast",
)
DROPPED = Counter("voltbus_gateway_dropped_total", "frames and records that came to nothing", ["reason"])
TOLERATED = Counter(
    "voltbus_gateway_tolerated_total", "deviations of messages from their schemas that were passed over", ["kind"]
)
REFUSED = Counter(
    "voltbus_gateway_refused_total", "messages that were answered with a CALLERROR, or not at all", ["code", "version"]
)
RESULTS = Counter("voltbus_gateway_command_results_total", "outcomes of commands", ["outcome", "version"])
UNACKNOWLEDGED = Gauge("voltbus_gateway_unacknowledged_records", "records that wait for Kafka's acknowledgement")
BEHIND = Gauge("voltbus_gateway_behind_records", "CALLs that a service has not done, while much is sent", ["owner"])
ADMITTED = Gauge("voltbus_gateway_admitted_calls", "CALLs a second that may go to a service; -1: any", ["owner"])
HELD = Gauge("voltbus_gateway_held_connections", "sockets that are not read because a service is behind", ["owner"])
PAUSED = Gauge("voltbus_gateway_paused_connections", "sockets that are not read because Kafka is behind")
WAITING = Gauge("voltbus_gateway_waiting_bytes", "messages that have been read from stations and wait in the gateway")
SOAP_REQUESTS = Counter(
    "voltbus_gateway_soap_requests_total",
    "requests of stations that speak SOAP, by HTTP status of the answer",
    ["status"],
)
SOAP_CALLS = Counter(
    "voltbus_gateway_soap_calls_total",
    "commands posted to stations that speak SOAP: answered, unanswered, unreachable, refused (not allowed)",
    ["outcome"],
)
SLOT = Gauge("voltbus_gateway_slot", "the leased slot; -1: none")
ROUTES = Gauge("voltbus_gateway_routes_pending", "routes that wait to be written to Redis")

REGISTRY.register(FRAMES)
REGISTRY.register(LATENCY)
