"""By which certificates are named in the list of those that are revoked."""

from cryptography import x509


def by_serial_number(serial_number: int, issuer: str) -> str:
    """issuer: its distinguished name, as RFC 4514 writes it.

    Case and blanks do not count in names (RFC 5280 §7.1); nor does the order, for people copy it the other way round.
    """
    return f"{serial_number:x} {_folded(issuer)}"


def _folded(name: str) -> str:
    try:
        attributes = list(x509.Name.from_rfc4514_string(name))
    except ValueError:
        return " ".join(name.casefold().split())
    return ",".join(
        sorted(f"{one.oid.dotted_string}={' '.join(str(one.value).casefold().split())}" for one in attributes)
    )
