"""Time as it is passed in: the two clocks of a gateway, and the durations that no operator sets."""

import time
from collections.abc import Callable
from dataclasses import dataclass

Seconds = Callable[[], float]
"""A clock, in seconds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Clocks:
    """monotonic: for time-outs; it never goes back. wall: for records, in seconds since 1970; it may be set."""

    monotonic: Seconds = time.monotonic
    wall: Seconds = time.time


@dataclass(frozen=True, kw_only=True, slots=True)
class Timing:
    """In seconds, but for the two rates. Tests pass shorter ones."""

    tick: float = 1.0
    """Between two looks at the time-outs of all connections."""
    handshake_timeout: float = 10.0
    """How long a client may take over its upgrade request."""
    tls_timeout: float = 10.0
    """How long a client may take to begin its TLS handshake, and to end it."""
    certificates_interval: float = 10.0
    """Between two looks at the files of the gateway's own certificates."""
    refusal_timeout: float = 1.0
    """How long one without a common subprotocol may take to answer the close frame."""
    close_timeout: float = 5.0
    """How long the other end may take to answer a close frame before the socket is dropped."""
    flush_timeout: float = 5.0
    """How long the end waits for a Kafka or a Redis that does not answer."""
    probe_timeout: float = 10.0
    """How long a station may take to answer a ping while another device wants its id."""
    drain_wave: float = 0.1
    """Between two waves of connections that are closed at shutdown."""
    route_retry: float = 1.0
    """Between two attempts to renew all routes while Redis is away."""

    stuck_after: float = 5.0
    """A gateway whose records wait so long for Kafka is not ready for more stations."""
    resend_after: float = 0.5
    """When a record that Kafka gave up is sent again."""

    progress_interval: float = 0.25
    """Between two questions about how far services are."""
    busy_calls: int = 25
    """A gateway that sends a service fewer CALLs than that in between does not ask."""
    progress_timeout: float = 2.0
    """A Kafka that answers later than this is not asked for advice."""
    release_interval: float = 0.05
    """Between two releases of held stations."""
    longest_hold: float = 5.0
    """No station is held for longer, whatever the rate: it would think us dead."""

    rate_window: float = 8.0
    """Over which rates are measured."""
    commit_timeout: float = 4.0
    """A service that commits nothing for so long counts as away."""
    away_after: float = 20.0
    """A partition that stands still for so long has no reader, while others are read."""
    in_hand: float = 2.0
    """A service may always be so far behind: what it has in hand and has not committed looks like that."""
    long_wait: float = 2.0
    """A gateway whose stations wait so long asks for a little more than its share, so that waits become equal."""
    least_rate: float = 50.0
    """CALLs a second that every gateway may send: one that has just got its stations has no share yet."""


SYSTEM_CLOCKS = Clocks()
DEFAULT_TIMING = Timing()
