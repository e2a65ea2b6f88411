"""Get15118EVCertificate: a vehicle's request goes to the pool, and its answer back, both unopened (M01, M02)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_network
from typing import Any

import pytest
from pydantic import SecretStr

from services.auth.app import NAME, build
from services.auth.settings import PoolKind, Settings
from tests.clients.pool import EXI, pooling
from tests.integration.common.running import Running, running

ASKED = {"iso15118SchemaVersion": "urn:iso:15118:2:2013:MsgDef", "exiRequest": "Z0o="}


@asynccontextmanager
async def asking(settings: Settings, url: str) -> AsyncIterator[Running]:
    more = {"contract_pool": PoolKind.OPCP, "contract_pool_url": url, "contract_pool_token": SecretStr("s3cret")}
    given = settings.model_dump() | more | {"outbound_allow": [ip_network("127.0.0.0/8")]}
    async with running(NAME, build, Settings(**given)) as auth:
        yield auth


async def test_a_contract_certificate_comes_from_the_pool(settings: Settings) -> None:
    """M01.FR.01, M02.FR.01; M01.FR.03, FR.04: of ISO 15118-20 with how many more there are to be had."""
    more: Any
    async with pooling(contracts=[EXI, "AAAA"]) as pool, asking(settings, pool.url) as auth:
        for version, action, more in (
            ("2.0.1", "Install", {}),
            ("2.0.1", "Update", {}),
            ("2.1", "Install", {}),
            ("2.1", "Install", {"maximumContractCertificateChains": 3}),
        ):
            payload = ASKED | {"action": action} | more
            answer = await auth.ask_slowly(auth.call("Get15118EVCertificate", payload, version=version))
            assert answer == {"status": "Accepted", "exiResponse": EXI} | ({"remainingContracts": 0} if more else {})
    assert [body.get("action", "Install") for body, _ in pool.asked] == ["Install", "Update", "Install", "Install"]
    assert all("authorization: bearer s3cret" in head.lower() for _, head in pool.asked)
    told = auth.announced("ContractCertificateAsked")
    assert [(one.action, one.given, one.reason) for one in told][:2] == [("Install", True, ""), ("Update", True, "")]


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
async def test_a_pool_that_is_away_is_told(settings: Settings, version: str) -> None:
    """Failed with a reason, and an event."""
    async with asking(settings, "http://127.0.0.1:1") as auth:
        call = auth.call("Get15118EVCertificate", ASKED | {"action": "Install"}, version=version)
        answer = await auth.ask_slowly(call)
        assert (answer["status"], answer["exiResponse"]) == ("Failed", "")
        assert "the pool cannot be asked" in answer["statusInfo"]["additionalInfo"]
        await auth.settled()
        (told,) = auth.announced("ContractCertificateAsked")
        assert (told.station_id, told.given) == ("CP1", False)
        assert told.reason == answer["statusInfo"]["additionalInfo"]
