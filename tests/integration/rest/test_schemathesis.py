"""Every service does what its OpenAPI document says, to requests of every kind, with authentication on.

VOLTBUS_SCHEMATHESIS_EXAMPLES=200 looks deeper, at the boundaries of every OCPP action too.
"""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tests.integration.rest.serving import BUILDS, Serving, serving

EXAMPLES = os.environ.get("VOLTBUS_SCHEMATHESIS_EXAMPLES")
CONFIG = """
hooks = "{hooks}"
headers = {{ Authorization = "Bearer ${{VOLTBUS_TOKEN}}" }}
continue-on-failure = true
request-timeout = 20
warnings = false
workers = 4

[generation]
deterministic = true
database = "none"
max-examples = {examples}
"""
# The routes of OCPP actions are made by the same code: the boundaries of one a service are enough for every day.
BRIEFLY = """
[[operations]]
include-operation-id-regex = "^(?!(ClearChargingProfile|ReserveNow|Reset|SendLocalList)$)[A-Z]"
phases.coverage.enabled = false
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", [*BUILDS, "gateway"])
async def test_the_document_holds(name: str, environment: dict[str, str], tmp_path: Path) -> None:
    config = tmp_path / "schemathesis.toml"
    general = CONFIG.format(hooks=Path(__file__).with_name("hooks.py"), examples=EXAMPLES or 4)
    config.write_text(general if EXAMPLES else general + BRIEFLY)
    async with serving(name, environment) as served:
        code, said = await schemathesis(served, config)
    assert code == 0, said


async def schemathesis(served: Serving, config: Path) -> tuple[int, str]:
    """Its exit code and what it says."""
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("schemathesis"),
        *("--config-file", config, "run", f"{served.url}/openapi.json"),
        cwd=config.parent,
        env={**os.environ, "VOLTBUS_TOKEN": served.token, "NO_COLOR": "1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode()
