"""Pools of contract certificates: what is asked of one on this machine, and what is made of its answers (M01, M02)."""

from ipaddress import ip_network
from typing import Any

import pytest

from services.auth.domain.contract_requests import ContractAction, Wanted
from services.auth.pools.choice import pool_of
from services.auth.pools.opcp import MOST_READ
from services.auth.pools.pool import NoContract, Pool, PoolAway
from services.auth.settings import PoolKind, Settings
from services.common.process.errors import Misconfigured
from services.common.web.outbound.client import Outbound
from tests.clients.pool import EXI, pooling
from tests.patience import GIVE_UP

SCHEMA = "urn:iso:15118:2:2013:MsgDef"
INSTALL = Wanted(ContractAction.INSTALL, SCHEMA, "Z0o=")
LOOPBACK = [ip_network("127.0.0.0/8")]


def pool_at(url: str | None, networks: Any = LOOPBACK) -> Pool:
    settings = Settings.model_construct(contract_pool=PoolKind.OPCP, contract_pool_url=url, outbound_allow=networks)
    found = pool_of(settings, Outbound(networks, GIVE_UP))
    assert found
    return found


async def test_what_the_pool_is_asked() -> None:
    async with pooling(contracts=[EXI, "AAAA"]) as there:
        assert list(await pool_at(there.url).contracts(INSTALL)) == [EXI, "AAAA"]
        await pool_at(f"{there.url}/").contracts(Wanted(ContractAction.UPDATE, SCHEMA, "Z0o="))
    (first, head), (second, _) = there.asked
    assert first == {"certificateInstallationReq": "Z0o=", "xsdMsgDefNamespace": SCHEMA}
    assert second == first | {"action": "Update"}
    assert head.startswith("POST /v1/ccp/signedContractData HTTP/1.1")
    assert "authorization" not in head.lower()


@pytest.mark.parametrize(
    ("how", "kind", "why"),
    [
        ({"contracts": []}, NoContract, "no contract"),
        ({"status": "404 No"}, NoContract, "404"),
        ({"status": "503 No"}, PoolAway, "503"),
        ({"status": "302 Found"}, PoolAway, "302"),
        ({"raw": b"no JSON"}, PoolAway, "no answer to that"),
        ({"raw": b"{}"}, PoolAway, "no answer to that"),
        ({"contracts": ["no base64"]}, PoolAway, "no answer to that"),
        ({"raw": bytes(MOST_READ + 1)}, PoolAway, "longer than"),
    ],
)
async def test_a_pool_that_gives_none(how: Any, kind: type[Exception], why: str) -> None:
    async with pooling(**how) as there:
        with pytest.raises(kind, match=why):
            await pool_at(there.url).contracts(INSTALL)


async def test_a_pool_that_is_away() -> None:
    with pytest.raises(PoolAway, match="cannot connect"):
        await pool_at("http://127.0.0.1:1").contracts(INSTALL)


@pytest.mark.parametrize(
    ("url", "networks"), [(None, LOOPBACK), ("http://127.0.0.1:1", ()), ("http://pool.example", ())]
)
def test_settings_that_name_no_pool(url: str | None, networks: Any) -> None:
    with pytest.raises(Misconfigured, match="VOLTBUS_CONTRACT_POOL_URL"):
        pool_at(url, networks=networks)
