"""What is told of an end, once and revised, on Kafka and by REST."""

from typing import Any

from services.common.kafka.bus import Record
from tests.integration.transactions.running import EVENTS, System
from tests.integration.transactions.test_edges import energy, settled, the_one
from tests.integration.transactions.test_edges import event as transaction_event
from tests.integration.transactions.test_rest import get
from voltbus.v1 import events_pb2 as pb


async def ask(system: System, station: str, kind: str, seq_no: int, **more: Any) -> None:
    await system.ask(station, "TransactionEvent", transaction_event(kind, seq_no, **more), "2.0.1")


async def ended_before_its_middle(system: System, station: str) -> list[Any]:
    """A session of which an event comes after the end, offline; its events."""
    await ask(system, station, "Started", 0, **energy(1000, "Transaction.Begin"))
    await ask(system, station, "Ended", 2, **energy(4000, "Transaction.End"))
    await ask(system, station, "Updated", 1, offline=True, **energy(2000))
    return await settled(system, station, 3)


def ids(system: System, station: str) -> list[str]:
    """Of the events of a station."""
    found: list[Record] = [record for record in system.bus.all(EVENTS) if record.key == station.encode()]
    return [dict(record.headers)["ce_id"].decode() for record in found]


async def test_an_end_is_told_once_and_what_changes_later_as_a_revision(system: System, station: str) -> None:
    """E §1.3.2."""
    *_, ended, revised = await ended_before_its_middle(system, station)
    assert (type(ended), type(revised)) == (pb.TransactionEnded, pb.TransactionRevised)
    assert (revised.revision, revised.reason) == (2, pb.REVISION_REASON_LATE_REPORT)
    assert {change.field for change in revised.changes} == {"complete", "missing_seq_nos", "offline"}
    item = await the_one(system, station)
    assert (item["revision"], item["energy_wh"], item["complete"]) == (2, 3000, True)
    shown = await get(system, f"/v1/transactions/{item['id']}/revisions")
    first, second = shown["items"]
    assert (first["revision"], first["reason"], shown["next"]) == (1, "ended", None)
    assert first["changes"] == []
    assert (second["revision"], second["reason"]) == (2, "late_report")
    assert {"field": "missing_seq_nos", "before": [1], "after": []} in second["changes"]


async def test_what_was_told_has_an_id_of_its_own(system: System, station: str) -> None:
    """Made of the transaction and the revision: read again, nothing is told again."""
    await ended_before_its_middle(system, station)
    before = ids(system, station)
    await ask(system, station, "Ended", 2, **energy(4000, "Transaction.End"))
    await settled(system, station, 3)
    assert ids(system, station) == before
    assert len(set(before)) == 3


async def test_revisions_are_read_by_page(system: System, station: str) -> None:
    await ended_before_its_middle(system, station)
    item = await the_one(system, station)
    path = f"/v1/transactions/{item['id']}/revisions"
    first = await get(system, path, limit=1)
    second = await get(system, path, limit=1, cursor=first["next"])
    assert [one["revision"] for page in (first, second) for one in page["items"]] == [1, 2]
    assert second["next"] is None
    assert (await system.client.get("/v1/transactions/2147483647/revisions")).status_code == 404
