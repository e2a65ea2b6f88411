"""The example consumer finds Kafka where the stack has it; what it prints, tests/e2e shows."""

import runpy
from pathlib import Path

import pytest
from msgspec.structs import replace

from services.transactions.announcements import transaction_fields
from services.transactions.domain.review import Review
from services.transactions.domain.transaction import new_transaction
from tests.unit.transactions.making import NOON, report
from voltbus.v1 import events_pb2 as pb

EXAMPLE = runpy.run_path(str(Path(__file__).parents[3] / "docs" / "examples" / "consumer.py"))


def test_it_finds_kafka(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ports.json").write_text('{"kafka": 4711}')
    monkeypatch.delenv("VOLTBUS_KAFKA_BOOTSTRAP", raising=False)
    monkeypatch.setenv("VOLTBUS_DATA", str(tmp_path))
    assert EXAMPLE["bootstrap"]() == "127.0.0.1:4711"
    monkeypatch.setenv("VOLTBUS_KAFKA_BOOTSTRAP", "kafka:9092")
    assert EXAMPLE["bootstrap"]() == "kafka:9092"


def test_it_finds_the_data_folder_of_the_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".voltbus").mkdir()
    (tmp_path / ".voltbus" / "ports.json").write_text('{"kafka": 4712}')
    for name in ("VOLTBUS_KAFKA_BOOTSTRAP", "VOLTBUS_DATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    assert EXAMPLE["bootstrap"]() == "127.0.0.1:4712"


@pytest.mark.parametrize("review", list(Review))
@pytest.mark.parametrize("authorization", [None, "Accepted", "Unknown"])
@pytest.mark.parametrize("account", [None, "", "ACME"])
@pytest.mark.parametrize("ended", [False, True])
def test_it_bills_what_is_billable(review: Review, authorization: str | None, account: str | None, ended: bool) -> None:
    begun = new_transaction(report(), 7, free_vend=account)
    one = replace(begun, review=review, authorization=authorization, stopped_at=NOON if ended else None)
    told = pb.Transaction(**transaction_fields(one, "2.0.1"))
    assert EXAMPLE["is_billable"](told) is one.billable
