"""The page for operators, run as its reader would run it: every block of it, one after the other, in one shell."""

import asyncio
import os
import re
from pathlib import Path

from tests.clients.system import System
from voltbus.settings import REST

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "operating.md"
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PATIENCE = 180
# What the reader's shell does not do, and a test must: end at the first failure, and say which block that was.
BEFORE = "set -euo pipefail\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n"


async def test_every_command_of_it_works(voltbus: System, tmp_path: Path) -> None:
    blocks = BLOCK.findall(PAGE.read_text())
    assert len(blocks) > 10
    script = BEFORE + "".join(f"echo '# block {n}'\n{block}" for n, block in enumerate(blocks))
    said = await run(script, voltbus, tmp_path)
    shown = dict(zip(*[iter(re.split(r"^# block (\d+)\n", said, flags=re.MULTILINE)[1:])] * 2, strict=True))
    assert shown.keys() == {str(n) for n in range(len(blocks))}
    assert '"field":"body.type"' in shown["1"]
    assert all(word in said for word in ('"online":true', '"by_status":{"answered":2}', '"status":"cancelled"'))
    assert "no such station is registered or has ever connected; did you mean CP001?" in said
    assert '"share_a":' in said
    assert '"of_site":true' in said
    assert '"result":"applied"' in said or '"result":"read_only"' in said


async def run(script: str, voltbus: System, folder: Path) -> str:
    """What the script says, with the addresses and secrets of the system; it must end well."""
    (folder / ".venv").symlink_to(ROOT / ".venv")
    stack = voltbus.processes
    one = stack.rest(REST)
    addresses = {"REST": one, "VOLTBUS_URL": one, "VOLTBUS_ADDRESSES": f"gateway={stack.rest('gateway')}"}
    ports = {"VOLTBUS_AUTH_PORT": str(stack.ports["auth"]), "VOLTBUS_DATA": str(folder)}
    process = await asyncio.create_subprocess_exec(
        "bash",
        cwd=folder,
        env={**os.environ, **voltbus.env, **addresses, **ports, "GATEWAY": voltbus.endpoint()},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(PATIENCE):
        said, _ = await process.communicate(script.encode())
    assert process.returncode == 0, said.decode()
    return said.decode()
