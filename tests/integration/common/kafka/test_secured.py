"""A Kafka with TLS and SASL, in every way that operators have it; and what is said where something is wrong."""

import asyncio
import os
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from services.common.kafka.broker import KafkaBus
from services.common.kafka.bus import Record
from services.common.process.errors import Unavailable
from services.common.process.readiness import NotReady
from services.common.process.settings import CommonSettings
from tests.clients.brokers import PLAIN_PASSWORD, SCRAM_PASSWORD, Authority, broker, secured
from tests.clients.tokens import TokenAddress, token_address, unsigned
from tests.patience import GIVE_UP
from voltbus.local.data_dir import DataDir
from voltbus.local.ports import free_ports

LISTENERS = ("TLS", "MTLS", "SASLTLS", "SASLPLAIN")


@dataclass(frozen=True)
class Secured:
    """The broker. plain: where it asks for nothing. ports: by listener."""

    authority: Authority
    plain: int
    ports: dict[str, int]

    def reached(self, listener: str, **settings: Any) -> CommonSettings:
        """Settings by which it is reached there."""
        protocol = {"TLS": "SSL", "MTLS": "SSL", "SASLTLS": "SASL_SSL", "SASLPLAIN": "SASL_PLAINTEXT"}[listener]
        known = {
            "kafka_bootstrap": f"127.0.0.1:{self.ports[listener]}",
            "kafka_security_protocol": protocol,
            "kafka_ssl_ca": self.authority.pem,
        }
        return CommonSettings(**{**known, **settings})


@pytest.fixture(scope="module")
async def kafka(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Secured]:
    folder, authority = tmp_path_factory.mktemp("secured"), Authority.new("the CA of the tests")
    plain, controller, *others = free_ports(2 + len(LISTENERS))
    ports = dict(zip(LISTENERS, others, strict=True))
    content = secured(folder, authority, plain, controller, ports)
    with DataDir(folder / "data") as data_dir:
        async with broker(data_dir, content, plain, users=["scram"]):
            yield Secured(authority, plain, ports)


@pytest.fixture
def tokens() -> Iterator[TokenAddress]:
    with token_address() as address:
        address.answer = {"access_token": unsigned("voltbus"), "expires_in": 300}
        yield address


def scram(password: str = SCRAM_PASSWORD, size: int = 512) -> dict[str, Any]:
    return {
        "kafka_sasl_mechanism": f"SCRAM-SHA-{size}",
        "kafka_sasl_username": "scram",
        "kafka_sasl_password": password,
    }


def plain(password: str = PLAIN_PASSWORD) -> dict[str, Any]:
    return {"kafka_sasl_mechanism": "PLAIN", "kafka_sasl_username": "plain", "kafka_sasl_password": password}


def oauth(tokens: TokenAddress) -> dict[str, Any]:
    return {
        "kafka_sasl_mechanism": "OAUTHBEARER",
        "kafka_oauth_token_url": tokens.url,
        "kafka_oauth_client_id": "voltbus",
        "kafka_oauth_client_secret": "the secret of the client",
        "kafka_oauth_scope": "kafka",
    }


async def works(kafka: Secured, settings: CommonSettings) -> None:
    """All that a process does: producer, group, readers, questions of an administrator."""
    name = f"topic-{uuid.uuid4().hex}"
    admin = AIOKafkaAdminClient(bootstrap_servers=f"127.0.0.1:{kafka.plain}")
    await admin.start()
    await admin.create_topics([NewTopic(name, 1, 1)])
    await admin.close()
    bus = KafkaBus(settings)
    await bus.start()
    try:
        await bus.publish([Record(name, b"key", b"value")])
        assert await bus.ready() is True
        subscription = await bus.subscribe(name, [name])
        async with asyncio.timeout(GIVE_UP):
            while not (records := await subscription.poll()):
                pass
        assert [record.value for record in records] == [b"value"]
        await subscription.commit({(name, 0): 1})
        assert (await bus.progress(name, name))[0].committed == 1
        assert (await bus.bounds(name))[0].end == 1
        await subscription.close()
    finally:
        await bus.close()


@pytest.mark.parametrize("key_password", ["", "of the key"])
async def test_a_client_certificate_is_shown(kafka: Secured, key_password: str) -> None:
    certificate, key = kafka.authority.issue("voltbus", key_password=key_password)
    shown = {"kafka_ssl_certificate": certificate, "kafka_ssl_key": key, "kafka_ssl_key_password": key_password or None}
    await works(kafka, kafka.reached("MTLS", **shown))


async def test_tls_alone(kafka: Secured) -> None:
    await works(kafka, kafka.reached("TLS"))


@pytest.mark.parametrize("listener", ["SASLTLS", "SASLPLAIN"])
@pytest.mark.parametrize("user", [plain(), scram(), scram(size=256)], ids=lambda user: user["kafka_sasl_mechanism"])
async def test_a_user_and_a_password(kafka: Secured, listener: str, user: dict[str, Any]) -> None:
    await works(kafka, kafka.reached(listener, **user))


async def test_a_token_of_the_issuer_is_got_once_for_all_connections(kafka: Secured, tokens: TokenAddress) -> None:
    await works(kafka, kafka.reached("SASLTLS", **oauth(tokens)))
    [(client, form)] = tokens.asked
    assert client == "Basic dm9sdGJ1czp0aGUrc2VjcmV0K29mK3RoZStjbGllbnQ="
    assert form == {"grant_type": ["client_credentials"], "scope": ["kafka"]}


async def refusal(settings: CommonSettings) -> str:
    """What is said of it, which is the same in readiness."""
    bus = KafkaBus(settings)
    assert await bus.ready() is False
    with pytest.raises(Unavailable) as raised:
        async with asyncio.timeout(GIVE_UP):
            await bus.start()
    assert await bus.ready() == NotReady(str(raised.value))
    await bus.close()
    said = str(raised.value)
    assert "\n" not in said
    assert "secret" not in said
    return said


@pytest.mark.parametrize("listener", ["SASLTLS", "SASLPLAIN"])
@pytest.mark.parametrize("user", [plain("secret"), scram("secret")], ids=lambda user: user["kafka_sasl_mechanism"])
async def test_a_wrong_password_is_said(kafka: Secured, listener: str, user: dict[str, Any]) -> None:
    said = await refusal(kafka.reached(listener, **user))
    who = f"user {user['kafka_sasl_username']!r} ({user['kafka_sasl_mechanism']})"
    assert said.startswith(f"Kafka at 127.0.0.1:{kafka.ports[listener]} refuses {who}: Authentication failed")
    assert said.endswith("(VOLTBUS_KAFKA_SASL_USERNAME, VOLTBUS_KAFKA_SASL_PASSWORD)")


async def test_a_certificate_that_is_not_trusted_is_said(kafka: Secured) -> None:
    said = await refusal(kafka.reached("TLS", kafka_ssl_ca=Authority.new("another").pem))
    assert "has a certificate that is not trusted: " in said
    assert said.endswith("(VOLTBUS_KAFKA_SSL_CA)")
    # That of the system, too.
    assert "is not trusted" in await refusal(kafka.reached("TLS", kafka_ssl_ca=None))


async def test_a_certificate_for_another_name_is_said(kafka: Secured) -> None:
    said = await refusal(kafka.reached("TLS", kafka_bootstrap=f"localhost:{kafka.ports['TLS']}"))
    assert "has a certificate that is for another name: Hostname mismatch" in said
    assert said.endswith("(the address in VOLTBUS_KAFKA_BOOTSTRAP)")


@pytest.mark.parametrize("listener", ["TLS", "MTLS", "SASLTLS"])
@pytest.mark.parametrize("protocol", ["PLAINTEXT", "SASL_PLAINTEXT"])
async def test_a_port_of_tls_that_is_spoken_to_plainly_is_said(kafka: Secured, listener: str, protocol: str) -> None:
    said = await refusal(kafka.reached(listener, kafka_security_protocol=protocol, **scram()))
    assert said.endswith(f" speaks TLS at this port: VOLTBUS_KAFKA_SECURITY_PROTOCOL is {protocol}")


@pytest.mark.parametrize("protocol", ["SSL", "SASL_SSL"])
async def test_a_port_without_tls_is_said(kafka: Secured, protocol: str) -> None:
    settings = kafka.reached("TLS", kafka_bootstrap=f"127.0.0.1:{kafka.plain}", kafka_security_protocol=protocol)
    said = await refusal(settings.model_copy(update=CommonSettings(**scram()).model_dump(include=set(scram()))))
    assert said.endswith(f" speaks no TLS at this port: VOLTBUS_KAFKA_SECURITY_PROTOCOL is {protocol}")


@pytest.mark.parametrize(("listener", "protocol"), [("SASLTLS", "SSL"), ("SASLPLAIN", "PLAINTEXT")])
async def test_a_port_that_wants_a_user_is_said(kafka: Secured, listener: str, protocol: str) -> None:
    said = await refusal(kafka.reached(listener, kafka_security_protocol=protocol))
    assert said.endswith(f" wants to know who asks: VOLTBUS_KAFKA_SECURITY_PROTOCOL is {protocol}, and not SASL_…")


async def test_a_port_that_wants_no_user_is_said(kafka: Secured) -> None:
    said = await refusal(kafka.reached("TLS", kafka_security_protocol="SASL_SSL", **scram()))
    assert said.endswith(" asks for no user at this port: VOLTBUS_KAFKA_SECURITY_PROTOCOL is SASL_SSL")


async def test_a_client_certificate_that_is_missing_is_said(kafka: Secured) -> None:
    said = await refusal(kafka.reached("MTLS"))
    assert said.endswith(" wants another client certificate: VOLTBUS_KAFKA_SSL_CERTIFICATE, VOLTBUS_KAFKA_SSL_KEY")


async def test_a_client_that_gets_no_token_is_said(kafka: Secured, tokens: TokenAddress) -> None:
    tokens.status, tokens.answer = 401, {"error": "invalid_client"}
    said = await refusal(kafka.reached("SASLTLS", **oauth(tokens)))
    assert said.endswith(f" is not asked: no token from {tokens.url}: 401 invalid_client")


async def test_a_token_that_kafka_refuses_is_said(kafka: Secured, tokens: TokenAddress) -> None:
    tokens.answer = {"access_token": unsigned("voltbus", lifetime=-3600)}
    said = await refusal(kafka.reached("SASLTLS", **oauth(tokens)))
    assert " refuses our token: " in said
    assert "invalid_token" in said
    assert said.endswith("(VOLTBUS_KAFKA_OAUTH_…)")


async def test_nobody_there_is_said_once_for_all_brokers() -> None:
    first, second = free_ports(2)
    said = await refusal(CommonSettings(kafka_bootstrap=f"127.0.0.1:{first},127.0.0.1:{second}"))
    assert said.startswith(f"Kafka at 127.0.0.1:{first},127.0.0.1:{second} does not answer (")


async def test_prepare_says_it_in_one_line_and_asks_for_no_terminal(kafka: Secured) -> None:
    environment = os.environ | {
        "VOLTBUS_KAFKA_BOOTSTRAP": f"127.0.0.1:{kafka.ports['SASLPLAIN']}",
        "VOLTBUS_KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
        "VOLTBUS_KAFKA_SASL_USERNAME": "scram",
        "VOLTBUS_KAFKA_SASL_PASSWORD": "a secret",
    }
    command = sys.executable, "-m", "voltbus.operator.prepare"
    process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=-1, stderr=-2)
    said = (await process.communicate())[0].decode()
    assert process.returncode == 1
    assert said.startswith("voltbus: Kafka at ")
    assert (said.count("\n"), "refuses user 'scram'" in said, "a secret" in said) == (1, True, False)
