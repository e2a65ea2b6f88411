"""What a simulated station connects with, by its security profile: to the stack of this machine, or to another CSMS."""

import ssl

from services.common.process.tls_files import as_file
from voltbus.errors import LocalError
from voltbus.local.certificates import LocalCertificates
from voltbus.settings import PORTS, LocalSettings

CERTIFICATE, TLS = 3, 2


def gateway_url(settings: LocalSettings, profile: int) -> str:
    """The address of the gateway that runs here, without the station's id."""
    scheme, name = ("wss", "gateway_tls") if profile >= TLS else ("ws", "gateway")
    # A stack of an earlier version says nothing of it.
    return f"{scheme}://{settings.reachable_at}:{settings.ports.get(name, PORTS[name][1])}/ocpp"


def soap_url(settings: LocalSettings, profile: int, gateway: str = "gateway") -> str:
    """Where a gateway that runs here takes SOAP."""
    scheme, of = ("https", "_soap_tls") if profile >= TLS else ("http", "_soap")
    port = settings.ports.get(gateway + of, PORTS[f"gateway{of}"][1])
    return f"{scheme}://{settings.reachable_at}:{port}/soap/CentralSystem"


def secured(settings: LocalSettings, station_id: str, profile: int) -> ssl.SSLContext | None:
    """Trusts the authority of this machine beside those that are trusted anyway; with profile 3 it signs a certificate.

    Raises LocalError where there is none yet.
    """
    if profile < TLS:
        return None
    certificates = LocalCertificates(settings.tls)
    context = ssl.create_default_context()
    try:
        context.load_verify_locations(certificates.authority)
    except OSError:
        raise LocalError(f"there is no {certificates.authority}: start the stack with `make run` first") from None
    if profile == CERTIFICATE:
        certificate, key = certificates.of_station(station_id)
        with as_file(certificate) as chain, as_file(key) as private:
            context.load_cert_chain(chain, private)
    return context
