"""Every service does what its OpenAPI document says, to requests of every kind, with authentication on.

VOLTBUS_SCHEMATHESIS_EXAMPLES=200 looks deeper, at the boundaries of every OCPP action too.
"""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tests.integration.rest.serving import BUILDS, Serving, serving

NAMES = (*BUILDS, "gateway")
EXAMPLES = os.environ.get("VOLTBUS_SCHEMATHESIS_EXAMPLES")
CONFIG = """
hooks = "{hooks}"
headers = {{ Authorization = "Bearer ${{VOLTBUS_TOKEN}}" }}
continue-on-failure = true
request-timeout = 20
warnings = false

[generation]
deterministic = true
database = "none"
max-examples = {examples}
"""
# What no schema says: that parts of a site or of a profile fit together (K01), that a clear names any (K10.FR.02).
TOGETHER = """
[[operations]]
include-path-regex = "^/v1/(sites|profiles|stations/.station_id./profiles)"
include-method = ["PUT", "POST", "DELETE"]
checks.positive_data_acceptance.enabled = false

# 504 is what a station that does not answer comes to; 500 would be undocumented still.
[[operations]]
include-path-regex = "composite-schedule$"
checks.not_a_server_error.enabled = false
"""
# The routes of OCPP actions are made by the same code: the boundaries of one a service are enough for every day.
BRIEFLY = """
[[operations]]
include-operation-id-regex = "^(?!(ClearChargingProfile|ReserveNow|Reset|SendLocalList)$)[A-Z]"
phases.coverage.enabled = false
"""


@pytest.fixture(scope="module")
async def verdicts(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str]]:
    """What schemathesis says of each, side by side: it mostly waits."""
    config = tmp_path_factory.mktemp("schemathesis") / "schemathesis.toml"
    general = CONFIG.format(hooks=Path(__file__).with_name("hooks.py"), examples=EXAMPLES or 4)
    config.write_text(general + TOGETHER + ("" if EXAMPLES else BRIEFLY))

    async def verdict(name: str) -> tuple[int, str]:
        async with serving(name, environment) as served:
            return await schemathesis(served, config)

    return dict(zip(NAMES, await asyncio.gather(*map(verdict, NAMES)), strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
async def test_the_document_holds(name: str, verdicts: dict[str, tuple[int, str]]) -> None:
    code, said = verdicts[name]
    assert code == 0, said


async def schemathesis(served: Serving, config: Path) -> tuple[int, str]:
    """Its exit code and what it says. One worker: more of them upset CPython 3.11."""
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
