"""A contract certificate pool by the open Plug&Charge protocol (OPCP): POST {url}/v1/ccp/signedContractData, JSON.

It is asked {"certificateInstallationReq": "<EXI, base64>", "xsdMsgDefNamespace": "urn:iso:15118:2:2013:MsgDef"}, and
answers {"CCPResponse": {"emaidContent": [{"messageDef": {"certificateInstallationRes": "<EXI, base64>"}}, …]}}. What is
public of it has no word for updates: with those goes "action": "Update"; what is asked for stands in the EXI.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from services.auth.domain.contract_requests import ContractAction, Wanted
from services.auth.pools.pool import NoContract, PoolAway
from services.common.web.outbound.client import NoAnswer, Outbound

PATH = "/v1/ccp/signedContractData"
# Bytes of an answer: some contracts, each of which OCPP has 17,000 characters for.
MOST_READ, MOST_CONTRACTS = 512 * 1024, 20
# What is at fault is the request of this vehicle.
REFUSED = frozenset({400, 404, 409, 422})


@dataclass(frozen=True, slots=True)
class OpcpPool:
    """url: what stands before the path. headers: with a login, if any."""

    url: str
    outbound: Outbound
    headers: Mapping[str, str] = field(default_factory=dict)

    async def contracts(self, wanted: Wanted) -> Sequence[str]:
        asked = {"certificateInstallationReq": wanted.exi, "xsdMsgDefNamespace": wanted.schema}
        if wanted.action is not ContractAction.INSTALL:
            asked["action"] = wanted.action.value
        headers = {"content-type": "application/json", "accept": "application/json", **self.headers}
        try:
            answer = await self.outbound.post(f"{self.url}{PATH}", headers, orjson.dumps(asked), keep=MOST_READ)
        except NoAnswer as error:
            raise PoolAway(f"the pool cannot be asked: {error}") from None
        if answer.status in REFUSED:
            raise NoContract(f"the pool answers {answer.status}: it has no contract for this vehicle")
        if answer.status != 200:
            raise PoolAway(f"the pool answers {answer.status}")
        found = _read(answer.content)
        if not found:
            raise NoContract("the pool has no contract for this vehicle")
        return found[:MOST_CONTRACTS]


def _read(content: bytes) -> list[str]:
    """Raises PoolAway where it is no such answer."""
    try:
        contracts: list[Any] = orjson.loads(content)["CCPResponse"]["emaidContent"]
        found = [str(one["messageDef"]["certificateInstallationRes"]) for one in contracts]
        for one in found:
            base64.b64decode(one, validate=True)
    except (ValueError, KeyError, TypeError, IndexError, binascii.Error):
        raise PoolAway("the pool answers what is no answer to that") from None
    return found
