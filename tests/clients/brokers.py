"""Brokers of Kafka beside those of the test run, configured as operators configure theirs; certificates for them."""

import asyncio
import ipaddress
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from voltbus.local import kafka
from voltbus.local.data_dir import DataDir
from voltbus.local.ports import free_ports
from voltbus.local.process import ChildProcess

PLAIN_PASSWORD, SCRAM_PASSWORD = "the password of plain", "the password of scram"
LOGIN = "org.apache.kafka.common.security.plain.PlainLoginModule required"
SCRAM_LOGIN = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
TOKEN_LOGIN = (
    'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="x";'
)


@dataclass(frozen=True)
class Authority:
    """A CA, and what it signs. pem: its own certificate."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @classmethod
    def new(cls, name: str) -> "Authority":
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _named(name)
        signed = _builder(subject, subject, key).add_extension(x509.BasicConstraints(True, None), critical=True)
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        return cls(signed.add_extension(usage, critical=True).sign(key, hashes.SHA256()), key)

    def issue(self, name: str, *hosts: str, key_password: str = "") -> tuple[str, str]:
        """A certificate and its key, in PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_named(name), self.certificate.subject, key)
        if hosts:
            addresses = [x509.IPAddress(ipaddress.ip_address(host)) for host in hosts]
            builder = builder.add_extension(x509.SubjectAlternativeName(addresses), critical=False)
        signed = builder.sign(self.key, hashes.SHA256())
        encryption = (
            serialization.BestAvailableEncryption(key_password.encode())
            if key_password
            else serialization.NoEncryption()
        )
        private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
        return signed.public_bytes(serialization.Encoding.PEM).decode(), private.decode()


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
    )


def configuration(base: str, changes: Mapping[str, str]) -> str:
    """The content of a broker's configuration file, with changes."""
    lines = dict(line.split("=", 1) for line in base.splitlines())
    return "".join(f"{name}={value}\n" for name, value in (lines | dict(changes)).items())


def secured(folder: Path, authority: Authority, plain: int, controller: int, ports: Mapping[str, int]) -> str:
    """A broker that is reached in every way. ports: of TLS, MTLS, SASLTLS, SASLPLAIN."""
    certificate, key = authority.issue("broker", "127.0.0.1")
    (folder / "broker.pem").write_text(key + certificate)
    (folder / "ca.pem").write_text(authority.pem)
    protocols = {"TLS": "SSL", "MTLS": "SSL", "SASLTLS": "SASL_SSL", "SASLPLAIN": "SASL_PLAINTEXT"}
    listeners = [f"PLAINTEXT://127.0.0.1:{plain}", *(f"{name}://127.0.0.1:{port}" for name, port in ports.items())]
    kinds = ["PLAINTEXT:PLAINTEXT", "CONTROLLER:PLAINTEXT", *(f"{name}:{protocols[name]}" for name in ports)]
    changes = {
        "listeners": ",".join([*listeners, f"CONTROLLER://127.0.0.1:{controller}"]),
        "advertised.listeners": ",".join(listeners),
        "listener.security.protocol.map": ",".join(kinds),
        "inter.broker.listener.name": "PLAINTEXT",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(folder / "broker.pem"),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(folder / "ca.pem"),
        "listener.name.mtls.ssl.client.auth": "required",
    }
    for name in ("sasltls", "saslplain"):
        changes |= {
            f"listener.name.{name}.sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER",
            f"listener.name.{name}.plain.sasl.jaas.config": f'{LOGIN} user_plain="{PLAIN_PASSWORD}";',
            f"listener.name.{name}.scram-sha-256.sasl.jaas.config": SCRAM_LOGIN,
            f"listener.name.{name}.scram-sha-512.sasl.jaas.config": SCRAM_LOGIN,
            f"listener.name.{name}.oauthbearer.sasl.jaas.config": TOKEN_LOGIN,
        }
    return configuration(kafka.properties(plain, controller, "not asked for"), changes)


def scram_users(*names: str) -> Sequence[str]:
    """Options of kafka-storage."""
    users = [f"SCRAM-SHA-{size}=[name={name},password={SCRAM_PASSWORD}]" for name in names for size in (256, 512)]
    return [word for user in users for word in ("--add-scram", user)]


@asynccontextmanager
async def cluster(data_dir: DataDir, count: int) -> AsyncIterator[tuple[str, Sequence[ChildProcess]]]:
    """Brokers that are controllers, too, as their defaults are for three: the addresses, and the processes to kill."""
    ports = list(zip(free_ports(count), free_ports(count), strict=True))
    voters = ",".join(f"{number}@127.0.0.1:{controller}" for number, (_, controller) in enumerate(ports, 1))
    copies = ("default", "offsets.topic", "transaction.state.log", "share.coordinator.state.topic")
    processes, cluster_id = [], kafka.new_cluster_id()
    for number, (port, controller) in enumerate(ports, 1):
        changes = {
            "node.id": str(number),
            "controller.quorum.voters": voters,
            **{f"{name}.replication.factor": str(count) for name in copies},
            "transaction.state.log.min.isr": "2",
            "share.coordinator.state.topic.min.isr": "2",
            # As by default: on a slow machine one that only waited for a processor would be taken for dead.
            "broker.session.timeout.ms": "9000",
            "broker.heartbeat.interval.ms": "2000",
            "metadata.max.idle.interval.ms": "500",
            **_open(port, controller),
        }
        content = configuration(kafka.properties(port, controller, "not asked for"), changes)
        name = f"kafka-{number}"
        spec = kafka.node(data_dir, content, port, lambda _: None, name=name, cluster_id=cluster_id)
        processes.append(ChildProcess(spec, data_dir))
    # None is ready before most of them are there.
    await asyncio.gather(*(process.start() for process in processes))
    try:
        yield ",".join(f"127.0.0.1:{port}" for port, _ in ports), processes
    finally:
        await asyncio.gather(*(process.stop() for process in processes))


def _open(port: int, controller: int) -> dict[str, str]:
    """Listeners that ask for nothing."""
    return {
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "PLAINTEXT",
    }


@asynccontextmanager
async def broker(
    data_dir: DataDir,
    content: str,
    port: int,
    *,
    name: str = "kafka",
    cluster_id: str | None = None,
    users: Sequence[str] = (),
    java: str = "",
) -> AsyncIterator[ChildProcess]:
    """One that runs until the block ends. java: options for it. See `kafka.node`."""
    spec = kafka.node(
        data_dir,
        content,
        port,
        lambda _: None,
        name=name,
        cluster_id=cluster_id,
        format_options=scram_users(*users),
    )
    process = ChildProcess(replace(spec, env={**spec.env, "JAVA_TOOL_OPTIONS": java}), data_dir)
    await process.start(lambda _: None)
    try:
        yield process
    finally:
        await process.stop()
