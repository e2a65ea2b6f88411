"""Settings of the stack on this machine, read once from the environment."""

import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from services.ocpp.services import SERVICES
from voltbus.errors import LocalError

# The station and the driver that `voltbus station` plays by default.
DEFAULT_STATION, DEFAULT_TOKEN = "DEMO-1", "04E2A1B2C3D480"
# The process that has all REST APIs at one address.
REST = "rest"
_ROOT = Path(__file__).parents[1]
PORTS = {
    "gateway": ("VOLTBUS_GATEWAY_PORT", 9000),
    "gateway_tls": ("VOLTBUS_GATEWAY_TLS_PORT", 9443),
    "gateway_http": ("VOLTBUS_GATEWAY_HTTP_PORT", 9080),
    "gateway_soap": ("VOLTBUS_SOAP_PORT", 9001),
    "gateway_soap_tls": ("VOLTBUS_SOAP_TLS_PORT", 9444),
    **{name: (service.port_setting, service.port) for name, service in SERVICES.items()},
    REST: ("VOLTBUS_REST_PORT", 9070),
}
# What a gateway has beside the port of its name.
GATEWAY_PORTS = ("_tls", "_http", "_soap", "_soap_tls")
# This machine.
LOOPBACK = "127.0.0.0/8,::1"
# What is read here, beside ports: variables without VOLTBUS_, and what they mean.
VARIABLES = {
    "DATA": "folder of data, logs and secrets (.voltbus of the checkout)",
    "HOST": "address that everything listens on for others; 0.0.0.0 opens it to your network (127.0.0.1)",
    "UNKNOWN_STATIONS": "accept, quarantine or reject stations that are not registered (accept on 127.0.0.1)",
    "OUTBOUND_ALLOW": "networks that webhooks may call beside the internet (this machine, on 127.0.0.1)",
    "SOAP_ALLOW": "networks of stations that speak SOAP, which are called there (this machine, on 127.0.0.1)",
    "FRAME_LOG": "all, some or off: whose frames the station log keeps (all)",
    "GATEWAYS": "number of gateways (1)",
    "REPLICAS": "processes of services: transactions=2,auth=3 (1 of each)",
    "POSTGRES_DSN": "a Postgres of your own instead of one that is started",
    "REDIS_URL": "a Redis of your own",
    "KAFKA_BOOTSTRAP": "a Kafka of your own",
    "JWT_ISSUER": "`iss` that bearer tokens must have: the address of an OIDC issuer",
    "JWT_JWKS_URL": "its key set, where that is not to be found by JWT_ISSUER",
    "JWT_AUDIENCE": "`aud` that bearer tokens must have",
    "JWT_SECRET": "key that signs bearer tokens, without an issuer (made once, in the data folder)",
    "PASSWORD_KEY": "key of the hashes of stations' passwords (made once, in the data folder)",
    "TOKEN": "bearer token of commands that call REST (made by them)",
}
# Between the ports of one process and those of the next of its kind.
_PORT_STEP = 100
_MAX_COPIES = 16


@dataclass(frozen=True, slots=True)
class LocalSettings:
    """A server whose address is None is started here. ports: keyed like `PORTS`, for further processes as `Stack` says.

    kafka_embedded: the Kafka of `kafka_bootstrap` is the one that runs on `data`.
    token: a bearer token, for commands that call REST.
    gateways, services: the names of the processes, "transactions-1" for the second of a kind.
    """

    data: Path
    host: str = "127.0.0.1"
    postgres_dsn: str | None = None
    redis_url: str | None = None
    kafka_bootstrap: str | None = None
    kafka_embedded: bool = False
    jwt_secret: str | None = None
    jwks_url: str | None = None
    jwt_issuer: str | None = None
    jwt_audience: str | None = None
    token: str | None = None
    password_key: str | None = None
    unknown_stations: str | None = None
    outbound_allow: str | None = None
    soap_allow: str | None = None
    frame_log: str = "all"
    gateways: tuple[str, ...] = ("gateway",)
    services: tuple[str, ...] = tuple(SERVICES)
    ports: Mapping[str, int] = field(default_factory=lambda: {name: port for name, (_, port) in PORTS.items()})

    @property
    def issuer(self) -> str | None:
        """Who issues bearer tokens, and which variable says so; None: nobody, they are signed with a secret.

        Services refuse a secret beside it.
        """
        if (self.jwt_issuer or "").startswith(("https://", "http://")):
            return f"{self.jwt_issuer} (VOLTBUS_JWT_ISSUER)"
        return self.jwks_url and f"the issuer whose keys are at {self.jwks_url} (VOLTBUS_JWT_JWKS_URL)"

    @property
    def processes(self) -> tuple[str, ...]:
        """The names of all processes that are not servers."""
        return (*self.gateways, *self.services, REST)

    @property
    def reachable_at(self) -> str:
        """The address at which this machine itself reaches listeners on `host`."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)

    @property
    def stations_policy(self) -> str:
        """What happens to unregistered stations: they are only accepted while nobody else can reach this machine."""
        return self.unknown_stations or ("accept" if self._local() else "quarantine")

    @property
    def outbound_policy(self) -> str:
        """Networks that webhooks may call beside the internet: this machine's own, on the same condition."""
        return self.outbound_allow or (LOOPBACK if self._local() else "")

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names under which stations reach this machine, as far as they are known."""
        others = () if self.host in ("0.0.0.0", "::") else (self.host,)
        return tuple(dict.fromkeys(("localhost", "127.0.0.1", "::1", socket.gethostname(), *others)))

    @property
    def tls(self) -> Path:
        """The folder of certificates that are made here."""
        return self.data / "tls"

    @property
    def soap_policy(self) -> str:
        """Networks of stations that speak SOAP: this machine's own, on the same condition."""
        return self.soap_allow or (LOOPBACK if self._local() else "")

    def _local(self) -> bool:
        return self.host in ("127.0.0.1", "localhost", "::1")


def default_data() -> Path:
    """`.voltbus` in the checkout; without one, in the current folder."""
    return (_ROOT if (_ROOT / "pyproject.toml").exists() else Path.cwd()) / ".voltbus"


def read_settings(environ: Mapping[str, str] = os.environ) -> LocalSettings:
    """Reads `VOLTBUS_*` and `VOLTBUS_*_FILE`. Raises LocalError."""

    def value(name: str) -> str | None:
        if file := environ.get(f"VOLTBUS_{name}_FILE"):
            try:
                return Path(file).read_text().strip()
            except OSError as error:
                raise LocalError(f"cannot read {file} ({error.strerror}): correct VOLTBUS_{name}_FILE") from None
        return environ.get(f"VOLTBUS_{name}") or None

    ports = {name: _port(variable, environ.get(variable) or default) for name, (variable, default) in PORTS.items()}
    gateways = _copies("gateway", _count("VOLTBUS_GATEWAYS", value("GATEWAYS") or "1"))
    replicas = _replicas(value("REPLICAS") or "")
    services = [name for service in SERVICES for name in _copies(service, replicas.get(service, 1))]
    for name in (*gateways, *services):
        kind, _, number = name.partition("-")
        for key, first in ((name, kind), *((name + of, kind + of) for of in GATEWAY_PORTS)):
            if number and first in PORTS:
                ports[key] = _port(PORTS[first][0], ports[first] + int(number) * _PORT_STEP)
    return LocalSettings(
        data=Path(value("DATA") or default_data()),
        host=value("HOST") or "127.0.0.1",
        postgres_dsn=value("POSTGRES_DSN"),
        redis_url=value("REDIS_URL"),
        kafka_bootstrap=value("KAFKA_BOOTSTRAP"),
        jwt_secret=value("JWT_SECRET"),
        jwks_url=value("JWT_JWKS_URL"),
        jwt_issuer=value("JWT_ISSUER"),
        jwt_audience=value("JWT_AUDIENCE"),
        token=value("TOKEN"),
        password_key=value("PASSWORD_KEY"),
        unknown_stations=value("UNKNOWN_STATIONS"),
        outbound_allow=value("OUTBOUND_ALLOW"),
        soap_allow=value("SOAP_ALLOW"),
        frame_log=value("FRAME_LOG") or "all",
        gateways=gateways,
        services=tuple(services),
        ports=ports,
    )


def usage() -> str:
    """All variables with their meaning and default, a line each."""
    rows = [(f"VOLTBUS_{name}", meaning) for name, meaning in VARIABLES.items()]
    of = {"gateway_tls": "the gateway, for stations with TLS"}
    of |= {"gateway": "the gateway, for stations", "gateway_http": "the gateway, for health and metrics"}
    of |= {"gateway_soap": "the gateway, for stations that speak SOAP"}
    of |= {"gateway_soap_tls": "the gateway, for those that speak it by TLS"}
    of |= {REST: "the one address of all services"}
    rows += [(variable, f"port of {of.get(name, name)} ({port})") for name, (variable, port) in PORTS.items()]
    width = max(len(variable) for variable, _ in rows)
    return "\n".join(f"{variable:<{width}}  {meaning}" for variable, meaning in rows)


def port_variable(name: str) -> str:
    """The variable that moves a port; a further process moves with the first of its kind."""
    return PORTS[re.sub(r"-\d+", "", name)][0]


def _copies(kind: str, count: int) -> tuple[str, ...]:
    return kind, *(f"{kind}-{number}" for number in range(1, count))


def _replicas(text: str) -> dict[str, int]:
    """`transactions=2,firmware=3`, by service."""
    replicas = {}
    for item in filter(None, text.split(",")):
        service, _, count = item.partition("=")
        if service not in SERVICES:
            raise LocalError(f"VOLTBUS_REPLICAS is {text!r}: give services and numbers, such as transactions=2,auth=2")
        replicas[service] = _count(f"{service} in VOLTBUS_REPLICAS", count)
    return replicas


def _count(name: str, text: str) -> int:
    if text.isdecimal() and 0 < int(text) <= _MAX_COPIES:
        return int(text)
    raise LocalError(f"{name} is {text!r}: set it to a number from 1 to {_MAX_COPIES}")


def _port(variable: str, text: str | int) -> int:
    try:
        if 0 < (port := int(text)) < 65536:
            return port
    except ValueError:
        pass
    raise LocalError(f"{variable} is {text!r}: set it to a port between 1 and 65535")
