"""The receiver of docs/webhooks.md takes what Voltbus has signed, and nothing else."""

import runpy
from datetime import timedelta
from pathlib import Path

import pytest

from services.common.process.clock import now
from services.common.push.webhooks.signature import new_secret, read_secret, signed

EXAMPLE = runpy.run_path(str(Path(__file__).parents[3] / "docs" / "examples" / "receiver.py"))
SECRET, BODY = new_secret(), b'{"id": "1"}'


@pytest.mark.parametrize(
    ("secrets", "body", "late", "genuine"),
    [
        ([SECRET], BODY, 0, True),
        # While a secret is being replaced.
        ([new_secret(), SECRET], BODY, 0, True),
        ([new_secret()], BODY, 0, False),
        ([SECRET], BODY + b" ", 0, False),
        ([SECRET], BODY, 3600, False),
    ],
)
def test_it_tells_what_is_genuine(secrets: list[str], body: bytes, late: float, genuine: bool) -> None:
    headers = signed("1", now() - timedelta(seconds=late), BODY, [read_secret(one) for one in secrets])
    assert EXAMPLE["is_genuine"](headers, body, SECRET) is genuine
