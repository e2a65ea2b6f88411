"""The contract between a connection and what carries it, be it WebSocket or another."""

from enum import IntEnum, StrEnum
from typing import Protocol

from services.gateway.pressure.hold import Pausable
from services.gateway.pressure.pace import Pace
from services.ocpp.deviations import Told


class CloseCode(IntEnum):
    """Why the gateway closes; the numbers are those of RFC 6455 §7.4."""

    REPLACED = 1000
    GOING_AWAY = 1001
    POLICY_VIOLATION = 1008
    INTERNAL_ERROR = 1011
    SERVICE_RESTART = 1012
    TRY_AGAIN_LATER = 1013


class GivenUp(StrEnum):
    """Why a connection is ended without waiting for the station."""

    NO_PONG = "no_pong"
    NOT_READING = "not_reading"
    FLOOD = "flood"


class Transport(Pausable, Protocol):
    """Carries OCPP-J frames between one station and its connection."""

    @property
    def last_seen(self) -> float:
        """When the station was last heard from, by the monotonic clock in seconds."""

    @property
    def remote_address(self) -> str:
        """Where the station is; empty: unknown."""

    def send(self, frame: bytes) -> None:
        """A frame for the station; never waits."""

    def close(self, code: int, reason: str = "") -> None:
        """Ends the connection; nothing happens if it is over."""

    def keep_alive(self, now: float, interval: float, timeout: float) -> None:
        """Probes the station after `interval` seconds of silence (0: never), and closes after `timeout` more."""

    def probe(self, now: float) -> bool:
        """Asks the station whether it is alive, and soon closes if it does not answer.

        Returns whether it was heard since it was asked before.
        """

    @property
    def hung_up(self) -> bool:
        """Whether the other end is known to have gone, even if what it sent before is not read yet."""


class Receiver(Protocol):
    """What a transport tells its connection: `opened` first, `closed` when nothing can be sent, `finished` last.

    Each of them once. Messages come in the order in which the station sent them, also after `closed`.
    """

    @property
    def occupied(self) -> bool:
        """Whether a CALL would have to wait for the one before it."""

    @property
    def pace(self) -> Pace | None:
        """How fast its station has sent so far; None: it has not, or nobody wants to know."""

    def opened(self, transport: Transport) -> None:
        """The handshake is done."""

    def message(self, frame: bytes, now: float, waited: float = 0.0) -> None:
        """A whole frame of the station, valid UTF-8. now: by the monotonic clock; waited: since it came; in seconds."""

    def oversized(self, head: bytes, size: int, now: float) -> None:
        """A frame that is longer than a message may be has been passed over.

        head: its first bytes. size: how many it had, as it came.
        """

    def closed(self, reason: str) -> None:
        """One side has closed, or the other end is lost: nothing more goes. reason: which of it, in words."""

    def finished(self) -> None:
        """Nothing more comes."""


class CallingReceiver(Receiver, Protocol):
    """What a transport also tells that has to call its station for each command, and may not reach it."""

    def message(self, frame: bytes, now: float, waited: float = 0.0, deviations: tuple[Told, ...] = ()) -> None:
        """See Receiver. deviations: of what the station wrote from that which its version has."""

    def unsent(self, message_id: str) -> None:
        """It could not be reached with that CALL, which was never on the wire."""

    def unsayable(self, message_id: str, reason: str) -> None:
        """That CALL can never be on the wire. reason: in words."""

    def unusable(self, message_id: str, document: bytes, reason: str) -> None:
        """The answer to that CALL cannot be told as a message. reason: as of `unread`."""

    def unread(self, document: bytes, reason: str) -> None:
        """The station has sent what cannot be told as a message. reason: in words that say nothing of what it holds."""

    def listens(self, address: str, reached: bool | None) -> None:
        """Where the station is called. reached: whether it could be, the last time; None: it was not called there."""

    def heard(self) -> None:
        """The station was heard, so that it may be reached again."""
