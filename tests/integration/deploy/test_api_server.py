"""What the chart renders, as a real Kubernetes API server takes it: make kube-check builds one first."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.deploy.api_server import BINARIES, ApiServer, api_server
from tests.unit.deploy.chart import SET_NAMES, Object, of_set
from tests.unit.deploy.schemas import NEWEST

pytestmark = pytest.mark.skipif(
    not (BINARIES / "kube-apiserver").exists(), reason="there is no API server: make kube-check builds one"
)
# Of Kubernetes itself: others are known to a server that has their operators.
OWN = ("v1", "apps/v1", "batch/v1", "policy/v1", "autoscaling/v2", "networking.k8s.io/v1")


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ApiServer]:
    async with api_server(tmp_path_factory.mktemp("kube")) as one:
        # What the large set counts on.
        named = {"kind": "PriorityClass", "metadata": {"name": "production"}, "value": 1000}
        await one.create("/apis/scheduling.k8s.io/v1/priorityclasses", {"apiVersion": "scheduling.k8s.io/v1", **named})
        yield one


def own(name: str) -> list[Object]:
    """Without the namespace that a set names for objects of Strimzi."""
    return [one for one in of_set(name) if one["apiVersion"] in OWN]


async def test_it_is_the_newest_version(server: ApiServer) -> None:
    """A build from a module has no version of its own, but the one that its schemas are of."""
    assert (await server.version()).startswith(f"v{NEWEST}.")


@pytest.mark.parametrize("name", SET_NAMES)
async def test_every_object_is_taken_without_a_warning(server: ApiServer, name: str) -> None:
    assert [line for one in own(name) for line in await server.apply(one)] == []


@pytest.mark.parametrize("name", SET_NAMES)
async def test_pods_may_run_in_a_restricted_namespace(server: ApiServer, name: str) -> None:
    workloads = [one for one in own(name) if "template" in one.get("spec", {})]
    pods = [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": one["metadata"]["name"]},
            "spec": one["spec"]["template"]["spec"],
        }
        for one in workloads
    ]
    assert [line for pod in pods for line in await server.apply(pod)] == []


async def test_what_is_wrong_is_refused(server: ApiServer) -> None:
    """Or else these tests could not fail: a field that does not exist, and a pod that runs as root."""
    [gateway] = [one for one in own("tiny") if one["kind"] == "Deployment"]
    assert await server.apply({**gateway, "spec": {**gateway["spec"], "replica": 1}}) != []
    template = gateway["spec"]["template"]
    spec = {**template["spec"], "securityContext": {"runAsUser": 0}}
    assert await server.apply({**gateway, "spec": {**gateway["spec"], "template": {**template, "spec": spec}}}) != []
