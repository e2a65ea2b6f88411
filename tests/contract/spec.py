"""The folder of OCPP specifications, which is not part of the project: its table of messages and its schemas."""

import csv
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
# Kept from before the settings of the shell are taken away from tests.
GIVEN = os.environ.get("VOLTBUS_SPEC")
REQUIRED = os.environ.get("VOLTBUS_REQUIRE_SPEC") == "1"
SCHEMAS = {
    "1.6": ("ocpp16/schemas/json", "ocpp16/security-schemas"),
    "2.0.1": ("ocpp201/OCPP-2.0.1_part3_JSON_schemas",),
    "2.1": ("ocpp21/OCPP-2.1_part3_JSON_schemas",),
}


@dataclass(frozen=True, slots=True)
class Message:
    """A row of messages.csv. direction: CS->CSMS, CSMS->CS or both."""

    version: str
    action: str
    direction: str
    block: str
    owner: str

    @property
    def from_station(self) -> bool:
        return self.direction != "CSMS->CS"

    @property
    def to_station(self) -> bool:
        return self.direction != "CS->CSMS"


@dataclass(frozen=True, slots=True)
class Spec:
    folder: Path

    def messages(self, version: str) -> list[Message]:
        """Of 1.6 with its security extension."""
        names = {version, f"{version}-security"}
        with (self.folder / "messages.csv").open(newline="") as file:
            return [Message(**row) for row in csv.DictReader(file) if row["version"] in names]

    def document(self, version: str, name: str) -> dict[str, Any]:
        """The schema of that name, without ".json"."""
        file = next(file for file in self._candidates(version, name) if file.exists())
        document: dict[str, Any] = json.loads(file.read_text("utf-8-sig"))
        return document

    def _candidates(self, version: str, name: str) -> Iterator[Path]:
        return (self.folder / "spec" / folder / f"{name}.json" for folder in SCHEMAS[version])


def find() -> Spec:
    """Skips the test where the folder is not there; fails it where VOLTBUS_REQUIRE_SPEC=1 asks for it."""
    folder = Path(GIVEN) if GIVEN else ROOT.parent / "shared"
    if (folder / "messages.csv").exists():
        return Spec(folder)
    reason = f"no OCPP specifications in {folder}: set VOLTBUS_SPEC to a folder with messages.csv and spec/"
    if REQUIRED:
        pytest.fail(reason)
    pytest.skip(reason)
