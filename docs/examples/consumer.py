"""Prints charging sessions as they happen: reads events.transactions from its beginning, and on.

Beside `make run`, from the project's folder:   .venv/bin/python docs/examples/consumer.py
The data folder is that of VOLTBUS_DATA, as for `make run`.
With a Kafka of your own:                       VOLTBUS_KAFKA_BOOTSTRAP=kafka:9092 python consumer.py
With TLS and a password, the variables of docs/settings.md, such as VOLTBUS_KAFKA_SECURITY_PROTOCOL=SASL_SSL.
"""

import asyncio
import json
import os
import ssl
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer
from google.protobuf import json_format

from voltbus.v1 import events_pb2


def connection() -> dict[str, Any]:
    if "VOLTBUS_KAFKA_BOOTSTRAP" not in os.environ:
        return of_make_run()
    protocol = setting("SECURITY_PROTOCOL") or "PLAINTEXT"
    options: dict[str, Any] = {"bootstrap_servers": setting("BOOTSTRAP"), "security_protocol": protocol}
    if protocol.endswith("SSL"):
        options["ssl_context"] = ssl.create_default_context(cadata=setting("SSL_CA"))
    if protocol.startswith("SASL"):
        options["sasl_mechanism"] = setting("SASL_MECHANISM") or "SCRAM-SHA-512"
        options["sasl_plain_username"] = setting("SASL_USERNAME")
        options["sasl_plain_password"] = setting("SASL_PASSWORD")
    return options


def setting(name: str) -> str | None:
    """VOLTBUS_KAFKA_…, or what is in the file that it names."""
    file = os.environ.get(f"VOLTBUS_KAFKA_{name}_FILE")
    return os.environ.get(f"VOLTBUS_KAFKA_{name}") or (Path(file).read_text().strip() if file else None)


def of_make_run() -> dict[str, Any]:
    """Its Kafka, and the password that is in its data folder."""
    data = Path(os.environ.get("VOLTBUS_DATA") or ".voltbus")
    secrets = dict(line.split("=", 1) for line in (data / "secrets").read_text().splitlines())
    return {
        "bootstrap_servers": f"127.0.0.1:{json.loads((data / 'ports.json').read_text())['kafka']}",
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "PLAIN",
        "sasl_plain_username": "voltbus",
        "sasl_plain_password": secrets["VOLTBUS_KAFKA_SASL_PASSWORD"],
    }


def is_billable(session: events_pb2.Transaction) -> bool:
    """It has ended, is neither held nor void, and a card was accepted or a free-vend station has an account."""
    is_clear = session.review in (events_pb2.REVIEW_NONE, events_pb2.REVIEW_RELEASED)
    is_paid = session.authorization == "Accepted" or bool(session.free_vend_account)
    return session.status == events_pb2.TRANSACTION_STATUS_ENDED and is_clear and is_paid


async def main() -> None:
    topic = os.environ.get("VOLTBUS_TOPIC_PREFIX", "") + "events.transactions"
    async with AIOKafkaConsumer(topic, **connection(), auto_offset_reset="earliest") as consumer:
        async for record in consumer:
            headers = {name: value.decode() for name, value in record.headers}
            kind = headers["ce_type"].rpartition(".")[2]  # of voltbus.v1.TransactionStarted
            if kind in ("TransactionStarted", "TransactionUpdated", "TransactionEnded", "TransactionRevised"):
                event = getattr(events_pb2, kind)()
                if headers["content-type"] == "application/json":
                    json_format.Parse(record.value, event, ignore_unknown_fields=True)
                else:
                    event.ParseFromString(record.value)
                session = event.transaction
                said = f"{session.station_id} {session.transaction_id} {session.id_token}"
                energy = f"{session.energy_wh / 1000:.3f} kWh" if session.HasField("energy_wh") else "energy unknown"
                # A later event may say otherwise: it counts, and what was billed is taken back.
                billed = " (to be billed)" if is_billable(session) else ""
                print(headers["ce_time"], kind, said, energy + billed, flush=True)


if __name__ == "__main__":
    asyncio.run(main())
