"""How a station proved who it is, and how what it says is protected."""

from datetime import datetime

from msgspec import Struct


class Certificate(Struct, frozen=True):
    """That a station has shown. serial_number: in hexadecimal digits."""

    subject: str
    issuer: str
    serial_number: str
    not_after: datetime


class ConnectionSecurity(Struct, frozen=True):
    """profile: 0 to 3 (2.0.1 A00). tls_version, tls_cipher: None: no TLS, or not known."""

    profile: int
    tls_version: str | None = None
    tls_cipher: str | None = None
    certificate: Certificate | None = None
