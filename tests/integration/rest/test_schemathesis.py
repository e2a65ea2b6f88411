"""Every service does what its OpenAPI document says, to requests of every kind, with authentication on.

VOLTBUS_SCHEMATHESIS_EXAMPLES=200 looks deeper, at the boundaries of every OCPP action too.
"""

import asyncio
import json
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
# What no schema says: that parts of a site or of a profile fit together (K01), that a clear names any (K10.FR.02), what
# is in a file; which addresses webhooks may have; whose a maintenance window is, how many bytes a reason has.
TOGETHER = """
[[operations]]
include-path-regex = "^/v1/(sites|profiles|webhooks|maintenance|stations/[^/]+/(profiles|disconnect)|[a-z]+/import)"
include-method = ["PUT", "POST", "DELETE"]
checks.positive_data_acceptance.enabled = false

# Nor which time zones there are.
[[operations]]
include-path-regex = "^/v1/locations"
include-method = ["PUT", "PATCH"]
checks.positive_data_acceptance.enabled = false

# Nor that a period begins before it ends.
[[operations]]
include-path-regex = "^/v1/(uptime|security-events)"
checks.positive_data_acceptance.enabled = false

# 504 is what a station that does not answer comes to; 500 would be undocumented still.
[[operations]]
include-path-regex = "composite-schedule$"
checks.not_a_server_error.enabled = false
"""
# What is the same code in all services is looked at closely in one, and there one action, for one route is for all. Of
# other actions the examples are enough for every day; and a few methods that an address does not have.
BRIEFLY = """
[phases.coverage]
unexpected-methods = ["PATCH", "TRACE"]

[[operations]]
include-operation-id-regex = "^(?!Reset(ToMany)?$)[A-Z]"
phases.coverage.enabled = false
phases.fuzzing.enabled = false
"""
CLOSELY, AGAIN = (
    "firmware",
    """
[[operations]]
include-path-regex = "^/v1/(commands|batches|messages|events|webhooks)"
phases.coverage.enabled = false
""",
)


@pytest.fixture(scope="module")
async def verdicts(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str]]:
    """What schemathesis says of each, side by side: it mostly waits."""
    folder = tmp_path_factory.mktemp("schemathesis")
    general = CONFIG.format(hooks=Path(__file__).with_name("hooks.py"), examples=EXAMPLES or 4)

    async def verdict(name: str) -> tuple[int, str]:
        briefly = BRIEFLY if name == CLOSELY else BRIEFLY + AGAIN
        config = folder / f"{name}.toml"
        config.write_text(general + ("" if EXAMPLES else briefly) + TOGETHER)
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
    document = served.service.app.openapi()
    (file := config.with_name(f"{served.name}.json")).write_text(json.dumps(document))
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("schemathesis"),
        *("--config-file", config, "run", file, "--url", served.url),
        cwd=config.parent,
        env={**os.environ, "VOLTBUS_TOKEN": served.token, "NO_COLOR": "1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said = (await process.communicate())[0].decode()
    # No operation may be left out.
    assert process.returncode or f"Tested: {sum(map(len, document['paths'].values()))}\n" in said, said
    return process.returncode or 0, said
