"""PUT of what is new by many at once: one has created it, and the others have found it."""

import asyncio
from typing import Any

import pytest

from tests.integration.common.running import running, settings_of
from tests.integration.rest.serving import BUILDS

SITE = {"limit": {"value": 32, "unit": "A"}, "stations": ["CP1"]}
SCHEDULE = {"unit": "A", "periods": [{"start": 0, "limit": 6}]}


@pytest.mark.parametrize(
    ("service", "path", "body"),
    [
        ("auth", "/v1/stations/CP1", {}),
        ("auth", "/v1/locations/garage", {"country": "AT"}),
        ("auth", "/v1/tokens/TAG", {"type": "Central"}),
        ("smartcharging", "/v1/sites/garage", SITE),
        ("firmware", "/v1/webhooks/billing", {"url": "https://billing.example/hooks"}),
        ("smartcharging", "/v1/profiles/night", {"id": 1, "purpose": "TxDefaultProfile", "schedule": SCHEDULE}),
    ],
)
async def test_it_is_created_once(environment: dict[str, str], service: str, path: str, body: Any) -> None:
    build, kind = BUILDS[service]
    async with running(service, build, settings_of(kind, environment)) as one:
        answers = await asyncio.gather(*(one.http.put(path, json=body) for _ in range(30)))
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [*[200] * 29, 201], answers[0].text
