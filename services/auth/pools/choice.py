"""Which pool there is, by setting."""

from services.auth.pools.opcp import OpcpPool
from services.auth.pools.pool import Pool
from services.auth.settings import PoolKind, Settings
from services.common.process.errors import Misconfigured
from services.common.web.outbound.addresses import wrong_url
from services.common.web.outbound.client import Outbound

EXAMPLE = "https://pool.example"


def pool_of(settings: Settings, outbound: Outbound) -> Pool | None:
    """None: nobody is asked. Raises Misconfigured."""
    if settings.contract_pool is PoolKind.NONE:
        return None
    url = (settings.contract_pool_url or "").rstrip("/")
    if not url:
        raise Misconfigured("VOLTBUS_CONTRACT_POOL_URL: set it, for there is a pool")
    if problem := wrong_url(url, settings.outbound_allow, EXAMPLE):
        raise Misconfigured(f"VOLTBUS_CONTRACT_POOL_URL: {problem}")
    token = settings.contract_pool_token
    headers = {"authorization": f"Bearer {token.get_secret_value()}"} if token else {}
    return OpcpPool(url, outbound, headers)
