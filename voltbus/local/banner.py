"""What `voltbus up` prints when everything is ready."""

import sys
from pathlib import Path

from services.ocpp.services import SERVICES
from voltbus.errors import LocalError
from voltbus.operator.tokens import bearer_token
from voltbus.secrets import KAFKA_USER
from voltbus.settings import DEFAULT_STATION, REST, LocalSettings


def banner(settings: LocalSettings, kafka_bootstrap: str) -> str:
    """The addresses of stations, REST APIs and Kafka, a token, and commands to try."""
    host = "localhost" if settings.host in ("127.0.0.1", "localhost") else settings.host
    program = _program()
    gateways = settings.gateways
    spoken = "OCPP 1.6, 2.0.1 and 2.1"
    addresses = [("stations", _stations(host, settings.ports[gateway]), spoken) for gateway in gateways]
    secured = [settings.ports[f"{gateway}_tls"] for gateway in gateways]
    addresses += [("stations, TLS", _stations(host, port, "wss"), "security profiles 2 and 3") for port in secured]
    soap = [settings.ports[f"{gateway}_soap"] for gateway in gateways]
    addresses += [("stations, SOAP", f"http://{host}:{port}/soap/CentralSystem", "OCPP 1.5 and 1.6") for port in soap]
    soaps = [settings.ports[f"{gateway}_soap_tls"] for gateway in gateways]
    addresses += [("SOAP, TLS", f"https://{host}:{port}/soap/CentralSystem", "the same by TLS") for port in soaps]
    one = f"http://{host}:{settings.ports[REST]}"
    addresses.append((REST, f"{one}/docs", "all REST APIs, each service below its name"))
    addresses += [(service.name, f"{one}/{service.name}/docs", service.meaning) for service in SERVICES.values()]
    health = {gateway: settings.ports[f"{gateway}_http"] for gateway in gateways}
    addresses += [(gateway, f"http://{host}:{port}/docs", "health and metrics") for gateway, port in health.items()]
    addresses.append(("kafka", kafka_bootstrap, _kafka(settings)))
    lines = [f"  {name:<15}{address:<43}{meaning}" for name, address, meaning in addresses]
    return "\n".join(
        [
            f"\nVoltbus is running. Ctrl-C stops it; logs are in {settings.data / 'logs'}\n",
            *lines,
            *_token(settings, program),
            "\nTry one charging station, then see the transaction it made:",
            f"{program} station",
            f"{program} station --security-profile 3",
            transactions_curl(settings, DEFAULT_STATION),
            "\nOr watch many of them, of both versions:",
            f"{program} fleet",
            f"\nStations that connect by TLS trust the authority of this machine: {settings.tls / 'ca.crt'}",
            "\nSee what runs, and what happens:",
            f"{program} status",
            f"{program} events",
            "",
        ]
    )


def transactions_curl(settings: LocalSettings, station_id: str) -> str:
    """A command that shows the transactions of a station."""
    address = f"localhost:{settings.ports[REST]}/transactions/v1/transactions?station_id={station_id}"
    token = "$VOLTBUS_TOKEN" if settings.issuer else f"$({_program()} token)"
    return f'curl -H "Authorization: Bearer {token}" "{address}"'


def _stations(host: str, port: int, scheme: str = "ws") -> str:
    return f"{scheme}://{host}:{port}/ocpp/{{station_id}}"


def _kafka(settings: LocalSettings) -> str:
    """How it is reached, for systems that read events."""
    if settings.kafka_bootstrap:
        return "events"
    secrets = settings.data / "secrets"
    return f"events: SASL_PLAINTEXT, PLAIN, user {KAFKA_USER}; its password is VOLTBUS_KAFKA_SASL_PASSWORD in {secrets}"


def _program() -> str:
    path = Path(sys.argv[0]).absolute()
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _token(settings: LocalSettings, program: str) -> list[str]:
    """A bearer token, or where they come from."""
    try:
        token = bearer_token(settings)
    except LocalError as error:
        return [f"\nFor the REST APIs, {error}."]
    return [f"\nA bearer token for the REST APIs, valid for 30 days (`{program} token` prints another):", token]
