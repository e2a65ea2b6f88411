"""The secrets of one data folder: created once, readable by their owner only."""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from voltbus.errors import LocalError

KAFKA_USER = "voltbus"


@dataclass(frozen=True, slots=True)
class Secrets:
    """Hexadecimal strings of 256 bits; never log them."""

    jwt_secret: str
    password_key: str
    postgres_password: str
    redis_password: str
    kafka_sasl_password: str

    @property
    def kafka_settings(self) -> Mapping[str, str]:
        """How the Kafka of this folder is reached, beside its address: settings by name."""
        return {
            "kafka_security_protocol": "SASL_PLAINTEXT",
            "kafka_sasl_mechanism": "PLAIN",
            "kafka_sasl_username": KAFKA_USER,
            "kafka_sasl_password": self.kafka_sasl_password,
        }

    def __repr__(self) -> str:
        return "Secrets(***)"


def load_secrets(file: Path) -> Secrets:
    """Reads `file`, or creates it; lines of `VOLTBUS_NAME=value`, mode 600. Raises LocalError."""
    try:
        stored = _read(file)
        names = [field.name for field in fields(Secrets)]
        values = stored | {name: secrets.token_hex(32) for name in names if name not in stored}
        if values != stored:
            _write(file, values)
        return Secrets(**{name: values[name] for name in names})
    except OSError as error:
        raise LocalError(f"cannot use {file} ({error.strerror}): change its owner, or set VOLTBUS_DATA") from None


def _read(file: Path) -> dict[str, str]:
    if not file.exists():
        return {}
    file.chmod(0o600)
    lines = (line.partition("=") for line in file.read_text().splitlines())
    return {name.removeprefix("VOLTBUS_").lower(): value for name, _, value in lines if value}


def _write(file: Path, values: dict[str, str]) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    with open(draft, "w", opener=lambda path, flags: os.open(path, flags | os.O_EXCL, 0o600)) as out:
        out.writelines(f"VOLTBUS_{name.upper()}={value}\n" for name, value in values.items())
    draft.replace(file)
