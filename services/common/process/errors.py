"""The error tree: what the code raises itself, and what becomes of it.

VoltbusError
├── Unavailable             infrastructure does not answer now; the work is tried again, nobody is refused for it
├── Unprocessable           a record that no retry will make right; it goes to the dead letters
│   └── InvalidContent      its sender is at fault: it says nothing about the release, and counts for no limit
├── Misconfigured           a setting is missing or wrong; the process says so in one line and ends
├── DeadLetterLimitReached  common.kafka.dead_letter_limit: too many of them; the consumer stops
├── Unrenderable            common.commands.command: a command that the station's version cannot say; it fails at once
├── KeyReused               common.commands.idempotency: an idempotency key of another request; 409
├── UnknownStations         common.commands.service: not registered, never connected; 404
├── NoSuchStation           auth.password_changing: not registered; 404
├── ChangeUnderWay          auth.password_changing: another change of its password is not decided yet; 409
├── NoSuchRequest           auth.certificate_signing: a signing request that there is not; 404
├── Unlistable              auth.local_list_desires: an idToken that no local list can have; 422
├── TooLong                 auth.local_list_desires: a local list that its stations cannot keep; 422
├── RequestClosed           auth.certificate_signing: it is signed, or has come to its end; 409
├── SlotLost                gateway.cluster.slot_lease: another gateway has the slot; the process ends
├── StationTaken            smartcharging.sites: the station belongs to another site; 409
├── NotOpen                 transactions.closing: the transaction has ended already; 409
├── NotLimitable            transactions.limiting: a limit that it cannot have, or its station does not keep to; 409
└── NotReviewable           transactions.domain.reviewing: what an operator decides cannot be decided of it; 409

Beside it stand `Problem` (common.web.problems), an answer of the REST API; `OcppError` (ocpp.errors), a CALLERROR, and
`CannotOpen` (ocpp.sealing), for `ocpp` imports nothing of ours; `ClientBroken` (common.kafka.client), after which only
a new process helps; and `LocalError` (voltbus.errors), which a command of the command line ends with.
"""


class VoltbusError(Exception):
    """Base of all errors that Voltbus raises itself."""


class Unavailable(VoltbusError):
    """Kafka, Postgres or Redis does not answer now."""


class Unprocessable(VoltbusError):
    """A record that cannot be handled, now or later; the text says why and holds no secret."""


class InvalidContent(Unprocessable):
    """What a station said cannot be used: the fault is in its words, not in the code that reads them."""


class Misconfigured(VoltbusError):
    """A setting is missing or wrong; the text says which and what to do."""


def reason(error: BaseException) -> str:
    """What a server or the network says, in one line: what follows may quote values."""
    return (str(error).splitlines() or [type(error).__name__])[0]
