"""The decisions: what becomes of a transaction, of a stop that nobody started, of meter values without a home."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from msgspec.structs import replace

from services.ocpp.id_tokens import TokenInfo
from services.transactions.domain.messages import Begun, Heard, Kind, MeterValue, Outside, Reply, Report
from services.transactions.domain.transaction import Transaction, first, merge

# No station is offline for so long: its clock lies.
LYING = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Orphan:
    """A stop of a transaction that never began here."""

    call_id: str
    station_id: str
    transaction_id: str
    id_token: str | None
    meter_stop_wh: float | None
    stopped_at: datetime
    received_at: datetime
    stop_reason: str | None
    meter_values: tuple[MeterValue, ...]

    def outside(self) -> Outside:
        """Its meter values, which then belong to no transaction."""
        named = self.transaction_id
        return Outside(self.call_id, self.station_id, self.received_at, None, None, self.meter_values, named)


@dataclass(frozen=True, slots=True)
class Decision:
    """What a report comes to: a reply, and a transaction (changed or not), an orphan, or meter values outside."""

    reply: Reply
    transaction: Transaction | None = None
    changed: bool = False
    orphan: Orphan | None = None
    outside: Outside | None = None


def decide(
    known: Transaction | None,
    report: Report,
    number: int | None = None,
    token: TokenInfo | None = None,
    command_id: str | None = None,
) -> Decision:
    """Takes a report in. Told again (a retry, a replay), it changes nothing and is answered alike.

    known: the transaction it names, where there is one. number: the id that a new one gets, where one begins.
    token: the verdict on its idToken. command_id: of the remote start that it comes from.
    """
    if begins(known, report):
        assert number is not None, "a transaction that begins needs a number"
        occurrence = known.occurrence + 1 if known else 1
        before = replace(first(report, number), occurrence=occurrence)
    elif known:
        before = known
    else:
        return _homeless(report, token)
    after = merge(before, report, token.status.value if token else None, command_id)
    reply = Begun(after.id, token) if report.kind == Kind.STARTED else Heard(token)
    return Decision(reply, after, changed=after is not known)


def begins(known: Transaction | None, report: Report) -> bool:
    """Whether the report makes a transaction: 2.x by any of its events, 1.6 by its start.

    By a clock that lies two starts of 1.6 can look the same. A station that has heard the number of the first, for it
    has stopped it, does not ask again: what we receive after that stop is another start.
    """
    if known is None:
        return report.key is not None
    if report.seq_no is not None or report.kind != Kind.STARTED or known.stopped_received_at is None:
        return False
    return abs(report.at - report.received_at) > LYING and report.received_at > known.stopped_received_at


def _homeless(report: Report, token: TokenInfo | None) -> Decision:
    """1.6: an unknown transactionId, also 0 and -1 (errata 3.18), is answered as if it were known."""
    named = report.transaction_id
    if report.kind == Kind.ENDED:
        orphan = Orphan(
            report.call_id,
            report.station_id,
            named or "",
            report.id_token,
            report.end_wh,
            report.at,
            report.received_at,
            report.stop_reason,
            report.meter_values,
        )
        return Decision(Heard(token), orphan=orphan)
    where = (report.evse_id, report.connector_id)
    outside = Outside(report.call_id, report.station_id, report.received_at, *where, report.meter_values, named)
    return Decision(Heard(token), outside=outside)
