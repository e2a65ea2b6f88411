"""The example consumer finds Kafka where the stack has it; what it prints, tests/e2e shows."""

import runpy
import ssl
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from services.common.kafka.security import client_options
from services.common.process.settings import CommonSettings
from services.transactions.announcements import transaction_fields
from services.transactions.domain.review import Review
from services.transactions.domain.transaction import new_transaction
from tests.unit.transactions.making import NOON, report
from voltbus.secrets import load_secrets
from voltbus.v1 import events_pb2 as pb

EXAMPLE = runpy.run_path(str(Path(__file__).parents[3] / "docs" / "examples" / "consumer.py"))


def test_it_finds_kafka(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose password the stack keeps, unless another Kafka is named."""
    (tmp_path / "ports.json").write_text('{"kafka": 4711}')
    reached: dict[str, Any] = {**load_secrets(tmp_path / "secrets").kafka_settings}
    monkeypatch.setenv("VOLTBUS_DATA", str(tmp_path))
    assert EXAMPLE["connection"]() == client_options(CommonSettings(kafka_bootstrap="127.0.0.1:4711", **reached))
    monkeypatch.setenv("VOLTBUS_KAFKA_BOOTSTRAP", "kafka:9092")
    assert EXAMPLE["connection"]() == client_options(CommonSettings(kafka_bootstrap="kafka:9092"))


def test_it_finds_the_data_folder_of_the_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load_secrets(tmp_path / ".voltbus" / "secrets")
    (tmp_path / ".voltbus" / "ports.json").write_text('{"kafka": 4712}')
    monkeypatch.chdir(tmp_path)
    assert EXAMPLE["connection"]()["bootstrap_servers"] == "127.0.0.1:4712"


def test_it_reaches_a_secured_kafka_as_the_services_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "password").write_text("secret\n")
    given = {
        "BOOTSTRAP": "kafka:9093",
        "SECURITY_PROTOCOL": "SASL_SSL",
        "SASL_USERNAME": "reader",
        "SASL_PASSWORD_FILE": str(tmp_path / "password"),
    }
    for name, value in given.items():
        monkeypatch.setenv(f"VOLTBUS_KAFKA_{name}", value)
    ours, theirs = client_options(CommonSettings.read()), EXAMPLE["connection"]()
    assert ours.pop("ssl_context").verify_mode == theirs.pop("ssl_context").verify_mode == ssl.CERT_REQUIRED
    assert ours == theirs


@pytest.mark.parametrize("review", list(Review))
@pytest.mark.parametrize("authorization", [None, "Accepted", "Unknown"])
@pytest.mark.parametrize("account", [None, "", "ACME"])
@pytest.mark.parametrize("ended", [False, True])
def test_it_bills_what_is_billable(review: Review, authorization: str | None, account: str | None, ended: bool) -> None:
    begun = new_transaction(report(), 7, free_vend=account)
    one = replace(begun, review=review, authorization=authorization, stopped_at=NOON if ended else None)
    told = pb.Transaction(**transaction_fields(one, "2.0.1"))
    assert EXAMPLE["is_billable"](told) is one.billable
