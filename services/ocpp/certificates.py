"""By which certificates are named in the list of those that are revoked."""


def by_serial_number(serial_number: int, issuer: str) -> str:
    """issuer: its distinguished name, as RFC 4514 writes it."""
    return f"{serial_number:x} {issuer}"
