"""A real Kubernetes API server on an etcd, without nodes: what it takes and refuses, and what it warns of."""

import asyncio
import json
import os
import secrets
import subprocess
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.patience import GIVE_UP
from voltbus.local.ports import free_ports

BINARIES = Path(__file__).parents[3] / "build" / "kube"
NAMESPACE = "csms"
# Pods that are not restricted are refused, and warned of where they are to be made by something else.
RESTRICTED = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")}


@dataclass(frozen=True)
class ApiServer:
    """http: a client of its own, who may do everything."""

    http: httpx.AsyncClient

    async def version(self) -> str:
        answer = await self.http.get("/version")
        return str(answer.json()["gitVersion"])

    async def create(self, path: str, content: Mapping[str, Any]) -> None:
        (await self.http.post(path, json=content)).raise_for_status()

    async def apply(self, given: Mapping[str, Any]) -> list[str]:
        """Why it would not take an object as it is, or what it warns of. Nothing is changed."""
        where = f"{given['kind']} {given['metadata']['name']}"
        api, name = given["apiVersion"], given["metadata"]["name"]
        root = f"/apis/{api}" if "/" in api else f"/api/{api}"
        plural = {
            one["kind"]: one["name"]
            for one in (await self.http.get(root)).json()["resources"]
            if "/" not in one["name"]
        }
        answer = await self.http.patch(
            f"{root}/namespaces/{NAMESPACE}/{plural[given['kind']]}/{name}",
            params={"dryRun": "All", "fieldManager": "helm", "fieldValidation": "Strict", "force": "true"},
            headers={"Content-Type": "application/apply-patch+yaml"},
            content=json.dumps(given),
        )
        refused = [] if answer.is_success else [answer.json()["message"]]
        return [f"{where}: {one}" for one in (*refused, *answer.headers.get_list("warning"))]


@asynccontextmanager
async def api_server(folder: Path) -> AsyncIterator[ApiServer]:
    """One that has the namespace of the tests."""
    etcd, peer, port = free_ports(3)
    token, key = secrets.token_urlsafe(), folder / "accounts.pem"
    (folder / "tokens.csv").write_text(f"{token},admin,admin,system:masters\n")
    key.write_bytes(_private_key())
    store: list[str | Path] = [
        BINARIES / "server",
        f"--data-dir={folder / 'etcd'}",
        f"--listen-client-urls=http://127.0.0.1:{etcd}",
        f"--advertise-client-urls=http://127.0.0.1:{etcd}",
        f"--listen-peer-urls=http://127.0.0.1:{peer}",
        f"--initial-advertise-peer-urls=http://127.0.0.1:{peer}",
        f"--initial-cluster=default=http://127.0.0.1:{peer}",
    ]
    server: list[str | Path] = [
        BINARIES / "kube-apiserver",
        f"--etcd-servers=http://127.0.0.1:{etcd}",
        "--bind-address=127.0.0.1",
        # Of the loopback none is taken; nobody connects to it.
        "--advertise-address=192.0.2.1",
        "--endpoint-reconciler-type=none",
        f"--secure-port={port}",
        f"--cert-dir={folder}",
        f"--token-auth-file={folder / 'tokens.csv'}",
        "--authorization-mode=AlwaysAllow",
        # There is no controller that makes the accounts' tokens, nor the namespace's default account.
        "--disable-admission-plugins=ServiceAccount",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={key}",
        f"--service-account-signing-key-file={key}",
        "--service-cluster-ip-range=10.0.0.0/24",
    ]
    log = folder / "apiserver.log"
    with _running(store, folder / "etcd.log"), _running(server, log) as process:
        headers = {"Authorization": f"Bearer {token}"}
        url = f"https://127.0.0.1:{port}"
        async with httpx.AsyncClient(base_url=url, headers=headers, verify=False, timeout=GIVE_UP) as http:
            await _until_ready(http, process, log)
            made = ApiServer(http)
            namespace = {"metadata": {"name": NAMESPACE, "labels": RESTRICTED}}
            await made.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", **namespace})
            yield made


@contextmanager
def _running(command: Sequence[str | Path], log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    environment = {"PATH": os.environ["PATH"]}
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output, env=environment) as process:
        try:
            yield process
        finally:
            process.kill()


async def _until_ready(http: httpx.AsyncClient, process: "subprocess.Popen[bytes]", log: Path) -> None:
    async with asyncio.timeout(GIVE_UP):
        while not await _ready(http):
            assert process.poll() is None, _end_of(log)
            await asyncio.sleep(0.2)


def _end_of(log: Path) -> str:
    return log.read_text()[-2000:]


async def _ready(http: httpx.AsyncClient) -> bool:
    try:
        return (await http.get("/readyz")).is_success
    except httpx.TransportError:
        return False


def _private_key() -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    kind, form = serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(kind, form, serialization.NoEncryption())
