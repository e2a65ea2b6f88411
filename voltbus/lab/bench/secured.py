"""What the stations of a load connect with, by their security profile."""

import ssl
from collections.abc import Callable
from pathlib import Path

from services.common.process.tls_files import as_file
from voltbus.local.certificates import LocalCertificates
from voltbus.simulator.station.security import CERTIFICATE, TLS


def contexts(profile: int, folder: Path) -> Callable[[str], ssl.SSLContext | None]:
    """For an id of a station. folder: of the authority that is trusted, and with profile 3 signs a certificate each."""
    certificates = LocalCertificates(folder)

    def trusting() -> ssl.SSLContext:
        return ssl.create_default_context(cafile=certificates.authority)

    def own(station_id: str) -> ssl.SSLContext:
        context = trusting()
        certificate, key = certificates.of_station(station_id)
        with as_file(certificate) as chain, as_file(key) as private:
            context.load_cert_chain(chain, private)
        return context

    if profile == CERTIFICATE:
        return own
    shared = trusting() if profile == TLS else None
    return lambda _: shared
