"""The certificate of a station in a header of the proxy that ended its TLS, in the forms that proxies write. Pure.

Each returns the certificates, the station's own first; none: the station has shown none. Raises ValueError where they
cannot be read, or it is doubtful whose they are.
"""

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import unquote

from cryptography import x509

from services.gateway.settings import CertificateHeader

Headers = Callable[[str], Sequence[str]]
"""The values of a header, in the order in which they came."""
Chain = tuple[x509.Certificate, ...]

# A key and value of X-Forwarded-Client-Cert, and what is between two.
XFCC_PAIR = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*"|[^";,]*)')
# A byte sequence of RFC 8941.
BYTES = re.compile(r":([A-Za-z0-9+/=]*):")
LONGEST_CHAIN = 10


def none(_: Headers) -> Chain:
    return ()


def xfcc(headers: Headers) -> Chain:
    """X-Forwarded-Client-Cert of Envoy: of one element, for others may be the station's own words."""
    text = _one(headers, "X-Forwarded-Client-Cert")
    position, pairs = 0, dict[str, str]()
    while position < len(text):
        pair = XFCC_PAIR.match(text, position)
        if pair is None or (key := pair[1].lower()) in pairs.keys() & {"cert", "chain"}:
            raise ValueError
        pairs[key] = pair[2].strip('"')
        position = pair.end()
        if position < len(text):
            if text[position] != ";":
                raise ValueError
            position += 1
    return _pem(pairs.get("chain") or pairs.get("cert") or "")


def ssl_client_cert(headers: Headers) -> Chain:
    """`$ssl_client_escaped_cert` of nginx; where it says how its check ended, that must be well."""
    found = _pem(_one(headers, "ssl-client-cert"))
    if found and any(one != "SUCCESS" for one in headers("ssl-client-verify")):
        raise ValueError
    return found


def client_cert(headers: Headers) -> Chain:
    """Client-Cert and Client-Cert-Chain of RFC 9440."""
    own = _bytes(_one(headers, "Client-Cert"))
    if len(own) > 1:
        raise ValueError
    return _der(own + _bytes(",".join(headers("Client-Cert-Chain")))) if own else ()


READERS: Mapping[CertificateHeader, Callable[[Headers], Chain]] = {
    CertificateHeader.NONE: none,
    CertificateHeader.XFCC: xfcc,
    CertificateHeader.SSL_CLIENT_CERT: ssl_client_cert,
    CertificateHeader.CLIENT_CERT: client_cert,
}


def _one(headers: Headers, name: str) -> str:
    """A header that must not be there twice; empty: it is not there."""
    found = headers(name)
    if len(found) > 1:
        raise ValueError
    return found[0].strip() if found else ""


def _pem(escaped: str) -> Chain:
    text = unquote(escaped)
    return _bounded(x509.load_pem_x509_certificates(text.encode())) if text else ()


def _der(found: Sequence[bytes]) -> Chain:
    return _bounded([x509.load_der_x509_certificate(one) for one in found])


def _bounded(chain: Sequence[x509.Certificate]) -> Chain:
    if len(chain) > LONGEST_CHAIN:
        raise ValueError
    return tuple(chain)


def _bytes(text: str) -> list[bytes]:
    """A list of byte sequences."""
    words = [one.strip() for one in text.split(",")] if text.strip() else []
    matches = [BYTES.fullmatch(one) for one in words]
    if not all(matches) or len(words) > LONGEST_CHAIN:
        raise ValueError
    return [base64.b64decode(one[1], validate=True) for one in matches if one]
