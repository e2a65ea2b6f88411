"""Chains that were signed for stations: put in order, and checked before a station gets one."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from services.auth.domain.chains import Issued, UnfitChain, issued
from services.auth.domain.signing_requests import Purpose, Subject
from tests.clients.certificates import DAY, Authority
from tests.clients.signing import CPO, der, pem, request, signed

ROOT = Authority("Root")
MIDDLE = Authority("Middle", ROOT)
LOWEST = Authority("Lowest", MIDDLE)
CSR = request()
OURS = Subject(CPO, "CP1")
NOW = datetime.now(UTC)


def taken(
    *certificates: x509.Certificate, purpose: Purpose = Purpose.STATION, known: Sequence[Authority] = ()
) -> Issued:
    above = [one.certificate for one in known]
    return issued("".join(map(pem, certificates)), der(CSR), OURS, purpose, NOW, above)


def fault(*certificates: x509.Certificate) -> str:
    with pytest.raises(UnfitChain) as found:
        taken(*certificates)
    return str(found.value)


def order(found: Issued) -> list[str]:
    return [one.subject.rfc4514_string() for one in x509.load_pem_x509_certificates(found.chain.encode())]


def test_the_own_comes_first_and_the_root_is_left_out() -> None:
    """A02.FR.06, and how certificateChain is described: in whatever order it came."""
    own = signed(LOWEST, CSR)
    found = taken(ROOT.certificate, MIDDLE.certificate, own, LOWEST.certificate, own)
    assert order(found) == [own.subject.rfc4514_string(), "CN=Lowest", "CN=Middle"]
    assert (found.issuer, found.serial_number) == ("CN=Lowest", f"{own.serial_number:x}")
    assert found.ends_at == own.not_valid_after_utc


def test_of_a_root_alone_there_is_one() -> None:
    assert order(taken(signed(ROOT, CSR))) == order(taken(signed(ROOT, CSR), ROOT.certificate))


def test_what_is_known_completes_it() -> None:
    """RFC 7030 §4.2.3: an EST server answers with the certificate alone; the others are at /cacerts."""
    own = signed(LOWEST, CSR)
    found = taken(own, known=[ROOT, Authority("Another"), LOWEST, MIDDLE])
    assert order(found)[1:] == ["CN=Lowest", "CN=Middle"]


def test_two_that_have_signed_each_other_make_no_circle() -> None:
    """Of the same name and key: a chain without an end."""
    crossed = MIDDLE._sign(MIDDLE.name, MIDDLE._key, DAY, LOWEST, ca=True)
    assert order(taken(signed(LOWEST, CSR), LOWEST.certificate, crossed))[1:] == ["CN=Lowest", "CN=Middle"]


def test_another_key() -> None:
    assert "key of the request" in fault(signed(ROOT, request()), ROOT.certificate)


@pytest.mark.parametrize("names", [("CP2", CPO), ("CP1", "Another"), ("CP1", CPO.upper()), ("", CPO)])
def test_another_subject(names: tuple[str, str]) -> None:
    parts = [(NameOID.COMMON_NAME, names[0]), (NameOID.ORGANIZATION_NAME, names[1])]
    other = x509.Name([x509.NameAttribute(oid, text) for oid, text in parts if text])
    assert "O or CN" in fault(signed(ROOT, CSR, other))


def test_further_words_in_the_subject_do_no_harm() -> None:
    """A CA adds its country."""
    more = x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "AT"), *CSR.subject])
    assert order(taken(signed(ROOT, CSR, more)))[0].endswith("C=AT")


def test_a_certificate_that_did_not_sign() -> None:
    """Also a root of somebody else."""
    own = signed(LOWEST, CSR)
    assert "CN=Middle" in fault(own, MIDDLE.certificate)
    assert "CN=Another" in fault(own, LOWEST.certificate, Authority("Another").certificate)
    # The one between is missing.
    assert "CN=Root" in fault(own, LOWEST.certificate, ROOT.certificate)


def test_it_has_expired() -> None:
    assert "expired" in fault(signed(ROOT, CSR, expires=-DAY))


def test_a_ca_is_no_station() -> None:
    assert "CA" in fault(signed(ROOT, CSR, ca=True))


def test_a_certificate_that_a_gateway_would_not_take_for_that_of_a_client() -> None:
    """Signed for servers alone: right for vehicles, of no use to a station that connects."""
    own = _for_servers()
    assert "clientAuth" in fault(own)
    assert taken(own, purpose=Purpose.V2G).fingerprint


@pytest.mark.parametrize("text", ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----\n"])
def test_what_is_no_certificate(text: str) -> None:
    with pytest.raises(UnfitChain, match="cannot be read"):
        issued(text, der(CSR), OURS, Purpose.STATION, NOW)


def test_what_is_too_long() -> None:
    """10,000 characters of certificateChain, in 1.6 and 2.x; and bounds of what is read at all."""
    above = [Authority("0")]
    for number in range(1, 19):
        above.append(Authority(f"{number} of a hierarchy of long names, as they are", above[-1]))
    chain = [signed(above[-1], CSR), *(one.certificate for one in above)]
    assert "10000" in fault(*chain)
    assert "20 certificates" in fault(*chain, *(Authority("more").certificate for _ in range(2)))
    with pytest.raises(UnfitChain, match="65536 characters"):
        issued("A" * 65_537, der(CSR), OURS, Purpose.STATION, NOW)


def _for_servers() -> x509.Certificate:
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    builder = x509.CertificateBuilder(ROOT.name, CSR.subject, CSR.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(NOW - DAY).not_valid_after(NOW + DAY).add_extension(usage, critical=False)
    return builder.sign(ROOT._key, hashes.SHA256())
