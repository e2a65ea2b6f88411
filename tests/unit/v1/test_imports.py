"""The messages on Kafka are for consumers, too: they need protobuf, and nothing of Voltbus."""

import subprocess
import sys
from pathlib import Path

import pytest

import voltbus.v1

NAMES = sorted(path.stem for path in Path(voltbus.v1.__file__).parent.glob("*_pb2.py"))
# What an import brings in that is neither Python's own nor protobuf's.
OTHERS = """
import importlib, sys
before = set(sys.modules)
importlib.import_module("voltbus.v1.{name}")
new = {{module.partition(".")[0] for module in sys.modules.keys() - before}}
print(*sorted(new - sys.stdlib_module_names - {{"google", "voltbus"}}))
print(*sorted(module for module in sys.modules if module.startswith("voltbus")))
"""


@pytest.mark.parametrize("name", NAMES)
def test_a_message_module_needs_protobuf_alone(name: str) -> None:
    done = subprocess.run([sys.executable, "-c", OTHERS.format(name=name)], capture_output=True, text=True, check=True)
    others, own = done.stdout.splitlines()
    assert others == ""
    assert own.split() == ["voltbus", "voltbus.v1", f"voltbus.v1.{name}"]
