"""A Prometheus that scrapes the processes of a Voltbus that runs, every two seconds, and what it answers."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.clients import prometheus
from tests.clients.system import eventually
from voltbus.local.ports import free_ports


@dataclass(frozen=True)
class Scraping:
    """http: of its API."""

    http: httpx.AsyncClient

    async def query(self, expr: str) -> list[dict[str, Any]]:
        """The series that an expression has now. Raises AssertionError where it is none."""
        answer = await self.http.post("/api/v1/query", data={"query": expr})
        body = answer.json()
        assert body["status"] == "success", (expr, body)
        found: list[dict[str, Any]] = body["data"]["result"]
        return found

    async def rule_errors(self) -> dict[str, str]:
        """By rule, why it could not be evaluated."""
        groups = (await self.http.get("/api/v1/rules")).json()["data"]["groups"]
        return {rule["name"]: rule["lastError"] for group in groups for rule in group["rules"] if rule.get("lastError")}


@asynccontextmanager
async def scraping(
    targets: Mapping[str, Sequence[str]], rules: Sequence[Path], folder: Path
) -> AsyncIterator[Scraping]:
    """targets: by job, addresses of processes. Ready, and each target scraped, when the block begins."""
    [port] = free_ports(1)
    jobs = [
        {"job_name": job, "static_configs": [{"targets": [address.partition("//")[2] for address in addresses]}]}
        for job, addresses in targets.items()
    ]
    config = {
        "global": {"scrape_interval": "2s", "scrape_timeout": "2s", "evaluation_interval": "2s"},
        "rule_files": [str(path) for path in rules],
        "scrape_configs": jobs,
    }
    (folder / "prometheus.yml").write_text(json.dumps(config))
    command = [
        str(prometheus.program("prometheus")),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--web.console.templates=",
        "--web.console.libraries=",
    ]
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(*command, stdout=log, stderr=log)
        try:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as http:
                one = Scraping(http)

                async def scraped() -> int:
                    assert process.returncode is None, (folder / "log").read_text()
                    try:
                        ready = (await http.get("/-/ready")).is_success
                    except httpx.TransportError:
                        return 0
                    return len(await one.query("up == 1")) if ready else 0

                await eventually(scraped, lambda count: count == sum(map(len, targets.values())))
                yield one
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()
