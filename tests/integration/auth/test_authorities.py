"""CAs that the operator trusts, by REST."""

from typing import Any

import pytest

from tests.clients.contracts import Holder, contract
from tests.integration.common.running import Running

PATH = "/v1/certificates/authorities"


async def trust(
    auth: Running, certificate: str, kind: str = "mobility_operator", status: int = 201, **more: Any
) -> Any:
    answer = await auth.http.post(PATH, json={"certificate": certificate, "kind": kind} | more)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_authorities_are_trusted_and_no_more(auth: Running) -> None:
    root = Holder("MO root")
    middle = Holder("MO sub-CA", above=root)
    first = await trust(auth, root.pem, label="G1")
    assert (first["label"], first["root"], first["author"], first["certificate"]) == ("G1", True, "test", root.pem)
    # Told again it stays as it is.
    assert await trust(auth, root.pem, "v2g", 200, label="other") == first
    second = await trust(auth, middle.pem, "v2g")
    assert (second["root"], second["subject"], second["issuer"]) == (False, "CN=MO sub-CA", "CN=MO root")
    assert {one["id"] for one in (await auth.get(PATH))["items"]} >= {first["id"], second["id"]}
    assert first["id"] not in {one["id"] for one in (await auth.get(PATH, kind="v2g"))["items"]}
    for one in (first, second):
        assert await auth.get(f"{PATH}/{one['id']}") == one
        assert (await auth.http.delete(f"{PATH}/{one['id']}")).status_code == 204
        assert (await auth.http.delete(f"{PATH}/{one['id']}")).status_code == 404
        assert (await auth.http.get(f"{PATH}/{one['id']}")).status_code == 404
    await auth.settled()
    ids = (first["id"], second["id"])
    added = [one for one in auth.announced("AuthorityAdded") if one.authority_id in ids]
    told = {(one.authority_id, one.author, one.kind) for one in added}
    assert told == {(first["id"], "test", "mobility_operator"), (second["id"], "test", "v2g")}
    removed = {one.authority_id for one in auth.announced("AuthorityRemoved")}
    assert removed.issuperset(ids)


@pytest.mark.parametrize("pem", ["no PEM", contract(Holder("MO root")).pem])
async def test_what_is_no_authority(auth: Running, pem: str) -> None:
    problem = await trust(auth, pem, status=422)
    assert problem["errors"][0]["field"] == "body.certificate"
