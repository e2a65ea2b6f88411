"""Settings that all processes share, read once from the environment (VOLTBUS_…) and its files (VOLTBUS_…_FILE)."""

import os
import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, IPvAnyNetwork, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from services.common.process import sentinel
from services.common.process.errors import Misconfigured

PREFIX = "VOLTBUS_"
# An error of the client would show it, and it may be in the password.
_BAD_ESCAPE = re.compile("%(?![0-9a-fA-F]{2})")
# What stands in its path: redis-py takes whatever is no number for 0.
_REDIS_DATABASE = re.compile(r"/?|/[0-9]+")
# A field of HTTP, with a name and a value (RFC 9110 §5).
FIELD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+=[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")

T = TypeVar("T")


class FileSource(EnvSettingsSource):
    """VOLTBUS_X_FILE names a file that holds X, as Kubernetes mounts secrets."""

    def __call__(self) -> dict[str, Any]:
        named = ((name, os.environ.get(f"{PREFIX}{name.upper()}_FILE")) for name in self.settings_cls.model_fields)
        return {name: _content(name, path) for name, path in named if path is not None}


def from_file(name: str) -> str | None:
    """What the file of a setting holds now; None: none is named. Raises Misconfigured.

    For settings that are read again; others are as they were at the start.
    """
    variable = f"{PREFIX}{name.upper()}"
    path = None if os.environ.get(variable) else os.environ.get(f"{variable}_FILE")
    return None if path is None else _content(name, path)


def _content(name: str, path: str) -> str:
    variable = f"{PREFIX}{name.upper()}_FILE"
    if not path:
        raise Misconfigured(f"{variable}: it names no file: give one, or unset it")
    try:
        content = Path(path).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not a text"
        raise Misconfigured(f"{variable}: cannot read {path}: {why}") from None
    if not content:
        # A secret that was not written yet is not one that is left out.
        raise Misconfigured(f"{variable}: {path} is empty")
    return content


def _addresses(given: Any) -> Any:
    """`auth=https://…,firmware=https://…`, by service."""
    if not isinstance(given, str):
        return given
    found = dict(item.strip().partition("=")[::2] for item in given.split(","))
    if bad := [name for name, address in found.items() if not address.startswith(("http://", "https://"))]:
        raise ValueError(
            f"{bad[0]!r} has no address: give services and addresses, such as auth=https://csms.example/auth"
        )
    return found


def _topic_days(given: Any) -> Any:
    """`events.auth=30,dead.auth=0`, by topic."""
    if not isinstance(given, str):
        return given
    found = {}
    for item in given.split(","):
        name, _, days = item.strip().partition("=")
        if not name or not re.fullmatch(r"\d{1,5}(\.\d+)?", days):
            raise ValueError(f"{item.strip()!r}: give topics and days, such as events.auth=30,dead.auth=0; 0: for ever")
        found[name] = float(days)
    return found


def _several(given: Any) -> Any:
    """`one,another`."""
    return [one.strip() for one in given.split(",") if one.strip()] if isinstance(given, str) else given


def _networks(given: Any) -> Any:
    """`10.0.0.0/8,::1`; what is none is named."""
    return [ip_network(one) for one in _several(given)]


Networks = Annotated[Sequence[IPvAnyNetwork], NoDecode, BeforeValidator(_networks)]
Names = Annotated[Sequence[str], NoDecode, BeforeValidator(_several)]


def address(schemes: Sequence[str], example: str) -> AfterValidator:
    """Of a server, which may have a password in it: no error repeats it."""

    def checked(given: T) -> T:
        written = given.get_secret_value() if isinstance(given, SecretStr) else given
        try:
            parts = urlsplit(str(written or f"{schemes[0]}:"))
            known = parts.scheme in schemes and (parts.port is None or parts.port > 0)
            known &= not _BAD_ESCAPE.search(str(written))
            known &= not parts.scheme.startswith("redis") or bool(_REDIS_DATABASE.fullmatch(parts.path))
        except ValueError:
            known = False
        if not known:
            raise ValueError(f"give an address such as {example}; / @ : # ? in a password are written as in %2F")
        return given

    return AfterValidator(checked)


POSTGRES = address(("postgresql", "postgres"), "postgresql://user:password@host:5432/voltbus")
_REDIS = address(("redis", "rediss", "unix"), f"redis://host:6379/0, rediss:// for TLS, or {sentinel.EXAMPLE}")


def _redis(given: str) -> str:
    """No error repeats it, either."""
    try:
        if sentinel.SentinelAddress.read(given):
            return given
    except ValueError:
        raise ValueError(f"give Sentinels and what they call the master, such as {sentinel.EXAMPLE}") from None
    checked: str = _REDIS.func(given)  # type: ignore[call-arg]
    return checked


ONE_ADDRESS = address(("http", "https"), "https://csms.example")
KEYS = address(("http", "https"), "https://id.example/keys")
COLLECTOR = address(("http", "https"), "http://collector:4318")


def _brokers(given: str) -> str:
    """`host:port,host:port`"""
    for broker in given.split(","):
        host, _, port = broker.strip().rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 65536:
            raise ValueError(
                f"{broker.strip()!r} is no broker: give hosts and ports, such as kafka-0:9092,kafka-1:9092"
            )
    return given


def _kept(given: int) -> int:
    if 0 < given < 8:
        raise ValueError("give 8 days or more, which is longer than Kafka keeps what is read again, or 0 for ever")
    return given


# How long a table is kept.
Days = Annotated[int, Field(ge=0, le=36_500), AfterValidator(_kept)]


def _prefix(given: str) -> str:
    """Of topics, whose names have at most 249 characters."""
    if not re.fullmatch(r"[a-zA-Z0-9._-]{0,100}", given):
        raise ValueError(f"{given!r} begins no topic: give letters, digits, '.', '_' and '-', 100 at most")
    return given


def _header_fields(given: SecretStr | None) -> SecretStr | None:
    """`name=value,name=value`; no error repeats them."""
    if given and any(not FIELD.fullmatch(one.strip()) for one in given.get_secret_value().split(",")):
        raise ValueError("give names and values, such as authorization=Bearer …,x-tenant=voltbus")
    return given


def _replicas(given: int) -> int:
    if given == 0:
        raise ValueError("give a number of replicas, or -1 for the default of the brokers")
    return given


class Durability(StrEnum):
    """What happens where what Kafka acknowledges can be lost with one of several brokers."""

    WARN = "warn"
    REQUIRE = "require"


class CommonSettings(BaseSettings):
    """What gateway and services have in common; each adds its own in its settings.py."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", env_ignore_empty=True)

    host: str = Field("127.0.0.1", description="address that listeners bind to")
    postgres_dsn: Annotated[SecretStr, POSTGRES] = Field(
        SecretStr("postgresql://localhost/voltbus"), description="Postgres"
    )
    postgres_connections: int = Field(8, ge=4, description="connections of a process to Postgres for its work")
    postgres_list_connections: int = Field(4, ge=1, description="further ones for lists and exports by REST")
    redis_url: Annotated[str, AfterValidator(_redis)] = Field("redis://localhost:6379/0", description="Redis")
    redis_prefix: str = Field("", description="before every key, for several systems in one database of Redis")
    kafka_bootstrap: Annotated[str, AfterValidator(_brokers)] = Field(
        "localhost:9092", description="Kafka brokers, comma-separated"
    )
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="how Kafka is spoken to: PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL"
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"] = Field(
        "SCRAM-SHA-512", description="with SASL_…: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER"
    )
    kafka_sasl_username: str | None = Field(None, description="user of Kafka, for PLAIN and SCRAM")
    kafka_sasl_password: SecretStr | None = Field(None, description="password of that user")
    kafka_ssl_ca: str | None = Field(None, description="PEM of the CAs of Kafka's certificates; those of the system")
    kafka_ssl_certificate: str | None = Field(None, description="PEM of the client certificate and its chain")
    kafka_ssl_key: SecretStr | None = Field(None, description="PEM of the key of the client certificate")
    kafka_ssl_key_password: SecretStr | None = Field(None, description="password of that key, where it is encrypted")
    kafka_oauth_token_url: str | None = Field(None, description="where tokens for OAUTHBEARER are got (RFC 6749, 4.4)")
    kafka_oauth_client_id: str | None = Field(None, description="client that gets them")
    kafka_oauth_client_secret: SecretStr | None = Field(None, description="secret of that client")
    kafka_oauth_scope: str | None = Field(None, description="scope that is asked for")
    auth_port: int = Field(9081, ge=1, le=65535, description="port of the REST API of auth")
    transactions_port: int = Field(9082, ge=1, le=65535, description="port of the REST API of transactions")
    smartcharging_port: int = Field(9083, ge=1, le=65535, description="port of the REST API of smartcharging")
    firmware_port: int = Field(9084, ge=1, le=65535, description="port of the REST API of firmware")
    addresses: Annotated[Mapping[str, str], NoDecode, BeforeValidator(_addresses)] = Field(
        {}, description="where clients reach services whose ports they do not see: auth=https://csms.example/auth,…"
    )
    url: Annotated[str | None, ONE_ADDRESS] = Field(
        None, description="one address below which clients reach all services: https://csms.example (auth at /auth, …)"
    )
    topic_prefix: Annotated[str, AfterValidator(_prefix)] = Field(
        "", description="before every topic and group, for several systems on one Kafka"
    )
    partitions: int = Field(8, ge=1, description="partitions of every topic but ocpp.outbound")
    slots: int = Field(16, ge=1, description="gateway slots, which are the partitions of ocpp.outbound")
    replication: Annotated[int, AfterValidator(_replicas)] = Field(
        -1, ge=-1, description="replicas of every topic that is created; -1: as the brokers have it by default"
    )
    topic_days: Annotated[Mapping[str, float], NoDecode, BeforeValidator(_topic_days)] = Field(
        {},
        description="days for which topics that prepare creates are kept, but by default; 0: for ever: events.auth=30",
    )
    durability: Durability = Field(
        Durability.WARN,
        description="where what Kafka acknowledges can be lost with one of several brokers: warn, or require more",
    )
    instance: int = Field(0, ge=0, description="ordinal of this process among its kind; names the group member")
    batch: int = Field(2000, ge=1, description="records handled in one go at the most")
    held_size: int = Field(32_000_000, ge=1_000_000, description="bytes of records with which a consumer reads no more")
    dead_letters_in_a_row: int = Field(20, ge=1, description="records put aside in a row before a consumer stops")
    dead_letters_share: float = Field(0.1, gt=0, le=1, description="of the last records, put aside before it stops")
    dead_letters_window: int = Field(1000, ge=1, description="the last records, of which that is a share")
    events_format: Literal["protobuf", "json"] = Field("protobuf", description="content of events.<service>")
    frame_log: Literal["all", "some", "off"] = Field(
        "some", description="whose frames the station log keeps: all, some (what fails, and stations named), off"
    )
    event_streams: int = Field(20, ge=0, description="clients that may follow GET /v1/events of a process at a time")
    webhook_timeout: float = Field(10, gt=0, le=60, description="seconds that a receiver of a webhook has to answer")
    webhook_give_up: int = Field(86_400, ge=1, description="seconds after which what a receiver did not take is dead")
    webhook_backlog: int = Field(
        100_000, ge=1, description="deliveries that wait or are dead, above which a webhook is disabled"
    )
    outbound_allow: Networks = Field(
        (), description="networks that may be called beside the internet, such as by webhooks: 10.0.0.0/8,…"
    )
    message_days: Days = Field(400, description="days for which messages are kept as they came; 0: for ever")
    command_days: Days = Field(
        400, description="days for which commands that have ended are kept, with what came of them; 0: for ever"
    )
    traces: float | None = Field(
        None, ge=0, le=1, description="share of frames and REST calls that are traced; by default nothing is"
    )
    traces_endpoint: Annotated[str | None, COLLECTOR] = Field(
        None, description="collector of traces, by OTLP over HTTP; else as OTEL_EXPORTER_OTLP_ENDPOINT says"
    )
    traces_headers: Annotated[SecretStr | None, AfterValidator(_header_fields)] = Field(
        None, description="header fields for it, such as authorization=Bearer …,x-tenant=voltbus"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="least level that is logged")
    jwt_issuer: str | None = Field(
        None, description="`iss` of bearer tokens: the address of an OIDC issuer, which says where its keys are"
    )
    jwt_audience: str | None = Field(None, description="`aud` that bearer tokens must have; needed with an issuer")
    jwt_jwks_url: Annotated[str | None, KEYS] = Field(
        None, description="key set of the issuer, where that is not to be found by jwt_issuer"
    )
    jwt_tenants: Names = Field((), description="of Entra ID, where the issuer is that of several: which are let in")
    jwt_ca: str | None = Field(None, description="PEM of the CA of the issuer's certificate; those of the system")
    jwt_secret: SecretStr | None = Field(
        None, description="HS256 key of bearer tokens, of 32 bytes at least; or else an issuer"
    )
    jwt_client: str | None = Field(
        None, description="of Keycloak, whose resource_access counts; that of jwt_audience by default"
    )
    jwt_read_only_roles: Names = Field(("voltbus.read",), description="scopes and roles of the issuer that may read")
    jwt_operator_roles: Names = Field(
        ("voltbus.operate",), description="those that may also act on stations, sessions, idTokens and limits"
    )
    jwt_admin_roles: Names = Field(("voltbus.admin",), description="those that may do whatever there is")
    jwt_groups_claim: str = Field(
        "voltbus_groups", min_length=1, description="claim with the groups of stations that a token is limited to"
    )
    jwt_groups_required: bool = Field(
        False, description="whether a token must have that claim, with * where it is limited to none"
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        *sources: PydanticBaseSettingsSource,
        **named: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        order = (named["init_settings"], named["env_settings"], FileSource(settings_cls))
        return (*sources, *order)

    @classmethod
    def read(cls, **given: Any) -> Self:
        """From the environment, but what is given; raises Misconfigured with one line that names the variable."""
        try:
            return cls(**given)
        except ValidationError as error:
            first = error.errors()[0]
            name = PREFIX + str(first["loc"][0]).upper()
            missing = f"set it, or {name}_FILE to a file that holds it"
            said = missing if first["type"] == "missing" else first["msg"].removeprefix("Value error, ")
            raise Misconfigured(f"{name}: {said}") from None

    @classmethod
    def usage(cls) -> str:
        """All variables, sorted, each with its default and meaning, for --help."""
        fields = sorted(cls.model_fields.items())
        rows = [(PREFIX + name.upper(), field.description, _default(field)) for name, field in fields]
        lines = ["  " + "  ".join(filter(None, row)) for row in rows]
        return "\n".join(["Settings, from the environment; VOLTBUS_X_FILE names a file that holds VOLTBUS_X:", *lines])

    @property
    def traces_header_fields(self) -> Mapping[str, str]:
        """By their names."""
        written = self.traces_headers.get_secret_value() if self.traces_headers else ""
        return dict(one.strip().split("=", 1) for one in written.split(",") if one)

    def topic(self, name: str) -> str:
        """A topic's or group's name on the broker."""
        return self.topic_prefix + name


class PasswordKeys(CommonSettings):
    """The keys that auth and the gateways have in common, of which two may count at a time."""

    password_key: SecretStr = Field(
        description="key of the HMAC over station passwords; auth and gateways have the same"
    )
    password_key_before: SecretStr | None = Field(
        None,
        description="the key before it, whose hashes still count, until all stations have a password under the new",
    )

    @property
    def password_keys(self) -> tuple[bytes, ...]:
        """The key that is used, and the one before it if there is one."""
        keys = filter(None, (self.password_key, self.password_key_before))
        return tuple(key.get_secret_value().encode() for key in keys)


def _item(value: object) -> str:
    """One of a list; of a range both ends."""
    return "-".join(dict.fromkeys(map(str, value))) if isinstance(value, tuple) else str(value)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "(required)"
    default = ",".join(map(_item, field.default)) if isinstance(field.default, tuple) else field.default
    return f"({default})" if isinstance(default, (str, int, float)) and default != "" else ""
