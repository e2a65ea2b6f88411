"""A chain that a proxy hands on is verified as OpenSSL verifies one that a station shows: A00.FR.403."""

import ssl
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

from services.gateway.transport import client_certificate, tls_context
from services.gateway.transport.chains import verified
from tests.clients.certificates import DAY, Authority, Extensions, Issued, client

ROOT = Authority("Root")
BETWEEN = Authority("Between", ROOT)
SHORT = Authority("Short", ROOT, basic=x509.BasicConstraints(ca=True, path_length=0))
UNKNOWN: tuple[x509.ExtensionType, bool] = (x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.4"), b"\5\0"), True)
FOR_SERVERS = (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
FOR_CLIENTS = (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), True)


def usage(name: str) -> Extensions:
    """Of a key that is for this alone."""
    names = (
        *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
        *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
    )
    return [(x509.KeyUsage(**{one: one == name for one in names}), True)]


CASES: list[tuple[str, Issued, Sequence[Authority], bool]] = [
    ("of a root", ROOT.issue("CP1"), [ROOT], True),
    ("through a CA between", BETWEEN.issue("CP1"), [ROOT], True),
    ("of a CA that is no root", BETWEEN.issue("CP1"), [BETWEEN], True),
    ("of two", Authority("Two", BETWEEN).issue("CP1"), [ROOT], True),
    ("RSA", ROOT.issue("CP1", kind="rsa"), [ROOT], True),
    ("expired, which is looked at elsewhere", ROOT.issue("CP1", expires=-DAY), [ROOT], True),
    (
        "of a CA that signs",
        Authority("C", ROOT, extensions=usage("key_cert_sign")).issue("CP1"),
        [ROOT],
        True,
    ),
    ("for clients", ROOT.issue("CP1", extensions=[FOR_CLIENTS]), [ROOT], True),
    ("that signs", ROOT.issue("CP1", extensions=usage("digital_signature")), [ROOT], True),
    ("of a CA as long as may be", SHORT.issue("CP1"), [ROOT], True),
    ("of an unknown root", Authority("Unknown").issue("CP1"), [ROOT], False),
    ("of an unknown root of the same name", Authority("Root").issue("CP1"), [ROOT], False),
    ("its own", Issued(ROOT.certificate, ROOT._key, ROOT.pem), [BETWEEN], False),
    ("of a station", Authority("CP9", ROOT, basic=None).issue("CP1"), [ROOT], False),
    ("of no CA", Authority("N", ROOT, basic=x509.BasicConstraints(False, None)).issue("CP1"), [ROOT], False),
    ("of a CA below one that may have none", Authority("Deep", SHORT).issue("CP1"), [ROOT], False),
    ("of a CA that signs lists alone", Authority("L", ROOT, extensions=usage("crl_sign")).issue("CP1"), [ROOT], False),
    ("of a CA that says what nobody knows", Authority("X", ROOT, extensions=[UNKNOWN]).issue("CP1"), [ROOT], False),
    ("that says what nobody knows", ROOT.issue("CP1", extensions=[UNKNOWN]), [ROOT], False),
    ("for servers", ROOT.issue("CP1", extensions=[FOR_SERVERS]), [ROOT], False),
    ("that enciphers alone", ROOT.issue("CP1", extensions=usage("key_encipherment")), [ROOT], False),
]


@pytest.mark.parametrize(("issued", "trusted", "good"), [one[1:] for one in CASES], ids=[one[0] for one in CASES])
def test_a_chain_counts_in_a_header_where_it_counts_in_tls(
    issued: Issued, trusted: list[Authority], good: bool
) -> None:
    own, *between = x509.load_pem_x509_certificates(issued.pem.encode())
    roots = [one.certificate for one in trusted]
    above = verified(own, between, roots)
    assert (above is not None) == good == in_tls(issued, trusted)
    # In any order, and with what does not belong there.
    stranger = Authority("Stranger").certificate
    assert verified(own, [stranger, *reversed(between)], roots) == above
    told = client_certificate.read_chain([own, *between], roots)
    assert told is not None
    assert told.trusted == good


def in_tls(issued: Issued, trusted: Sequence[Authority]) -> bool:
    """Whether OpenSSL, as the gateway has it, lets a station in that shows this."""
    server = ROOT.issue("127.0.0.1")
    pem = {"gateway_tls_certificate": server.pem, "gateway_tls_key": server.key_pem}
    pem["gateway_tls_client_ca"] = "".join(one.pem for one in trusted)
    ours = tls_context.load(pem, rsa_suites=False, now=datetime.now(UTC)).context
    assert ours is not None
    to_us, to_them = ssl.MemoryBIO(), ssl.MemoryBIO()
    here = ours.wrap_bio(to_us, to_them, server_side=True)
    there = client(issued).wrap_bio(to_them, to_us)
    for _ in range(3):
        with suppress(ssl.SSLWantReadError):
            there.do_handshake()
        try:
            here.do_handshake()
        except ssl.SSLWantReadError:
            continue
        except ssl.SSLCertVerificationError:
            return False
    return here.getpeercert(binary_form=True) is not None


def test_the_newer_one_of_a_ca_that_was_renewed_with_its_key() -> None:
    issued = ROOT.issue("CP1").certificate
    old = ROOT._sign(ROOT.name, ROOT._key, -DAY, None, ca=True)
    for trusted in ([old, ROOT.certificate], [ROOT.certificate, old]):
        assert verified(issued, [], trusted) == [ROOT.certificate]


def test_cas_that_have_signed_each_other_lead_nowhere_and_end() -> None:
    """A station shows what it likes: each is looked at once."""
    ring = Authority("Ring")
    same = [ring._sign(ring.name, ring._key, days * DAY, None, ca=True) for days in range(1, 10)]
    assert verified(ring.issue("CP1").certificate, same, [ROOT.certificate]) is None


def test_names_that_a_ca_is_limited_to_are_not_understood() -> None:
    limited = x509.NameConstraints([x509.DNSName("example.com")], None)
    for critical in (True, False):
        authority = Authority("Limited", ROOT, extensions=[(limited, critical)])
        assert verified(authority.issue("CP1").certificate, [authority.certificate], [ROOT.certificate]) is None
