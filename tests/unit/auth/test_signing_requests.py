"""Signing requests of stations, checked before anybody is asked to sign them (A02, A03)."""

import base64

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from services.auth.domain.signing_requests import (
    LONGEST,
    MEANINGS,
    Applicant,
    Csr,
    Fault,
    Purpose,
    Subject,
    key_of,
    read,
    subject,
)
from tests.clients.certificates import new_key
from tests.clients.signing import CPO, der, pem, request

HERE = Applicant("CP1")
POINT = (Encoding.X962, PublicFormat.UncompressedPoint)
SOME = request()


def judged(
    csr: str, purpose: Purpose = Purpose.STATION, applicant: Applicant = HERE, cpo: str = CPO
) -> Subject | Fault:
    found = read(csr)
    return found if isinstance(found, Fault) else subject(found, purpose, applicant, [cpo])


@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_a_sound_request(kind: str) -> None:
    """A02.FR.11, A00.FR.421: of both kinds of keys."""
    assert judged(pem(request(new_key(kind)))) == Subject(CPO, "CP1")


def test_what_stands_between_the_lines_is_enough() -> None:
    """Some firmware leaves out the lines of PEM; it is the same request, and known again."""
    own = request()
    bare = base64.b64encode(der(own)).decode()
    assert read(bare) == read(pem(own)) == Csr(der(own), ("CP1",), (CPO,))
    assert key_of(bare) == key_of(pem(own)) == key_of("\r\n".join(pem(own).split("\n")))
    assert key_of(bare) != key_of(pem(request()))


@pytest.mark.parametrize(
    "csr",
    [
        "",
        "no request for a certificate",
        "-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----\n",
        "-----BEGIN CERTIFICATE REQUEST-----\n…\u0000",
        "\ud800",
    ],
)
def test_what_is_no_request(csr: str) -> None:
    """A02.FR.12."""
    assert read(csr) is Fault.UNREADABLE
    assert key_of(csr) == key_of(csr)


def test_a_request_that_is_too_long_is_not_even_read() -> None:
    assert read("A" * (LONGEST + 1)) is Fault.TOO_LONG
    assert len(key_of("A" * 1_000_000)) == 32


@pytest.mark.parametrize(
    "key",
    [
        rsa.generate_private_key(65537, 1024),
        ec.generate_private_key(ec.SECP224R1()),
        ec.generate_private_key(ec.SECP256K1()),
    ],
)
def test_a_weak_key(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> None:
    """A00.FR.502; curves of 256 bits and more."""
    assert read(pem(request(key))) is Fault.WEAK_KEY


def test_a_signature_of_another_key() -> None:
    """Proof of possession (RFC 2986 §4.2)."""
    forged = bytearray(der(request()))
    forged[-1] ^= 1
    assert read(base64.b64encode(forged).decode()) in (Fault.BAD_SIGNATURE, Fault.UNREADABLE)
    # The key is changed, and the signature stays.
    one, other = request(), request()
    old, new = (key.public_key().public_bytes(*POINT) for key in (one, other))
    assert read(base64.b64encode(der(one).replace(old, new)).decode()) is Fault.BAD_SIGNATURE


def test_a_weak_hash() -> None:
    """A00.FR.504, FR.506."""
    assert read(pem(request(algorithm=hashes.SHA224()))) is Fault.WEAK_HASH


@pytest.mark.parametrize(
    "organizations", [(), ("Another",), (f"{CPO} ",), (f"{CPO}\0",), ("Another", f"{CPO}\0.example")]
)
def test_another_organization(organizations: tuple[str, ...]) -> None:
    """A00.FR.404: who has such a certificate would not be let in."""
    assert judged(pem(request(organizations=organizations))) is Fault.WRONG_ORGANIZATION


def test_an_organization_in_another_case() -> None:
    """As gateways compare it; the certificate says what the station said."""
    assert judged(pem(request(organizations=[CPO.upper()]))) == Subject(CPO.upper(), "CP1")


@pytest.mark.parametrize("names", [(), ("CP2",), ("CP1", "CP2"), ("CP1\0",), ("CP1\0.example",), (" CP1",), ("CP1\n",)])
@pytest.mark.parametrize("purpose", [Purpose.STATION, Purpose.COMBINED])
def test_another_common_name(names: tuple[str, ...], purpose: Purpose) -> None:
    """A00.FR.405."""
    assert judged(pem(request(names=names)), purpose) is Fault.WRONG_COMMON_NAME


def test_the_common_name_is_what_gateways_let_it_in_with() -> None:
    """A00.FR.511: the serial number; where none is registered, its id, which has no case."""
    numbered = Applicant("CP1", serial_number="SN-1")
    assert judged(pem(request(names=["SN-1"])), applicant=numbered) == Subject(CPO, "SN-1")
    assert judged(pem(request(names=["sn-1"])), applicant=numbered) is Fault.WRONG_COMMON_NAME
    assert judged(pem(request(names=["CP1"])), applicant=numbered) is Fault.WRONG_COMMON_NAME
    assert judged(pem(request(names=["cp1"]))) == Subject(CPO, "cp1")


@pytest.mark.parametrize("purpose", [Purpose.V2G, Purpose.V2G_20])
def test_a_certificate_for_vehicles_names_a_secc(purpose: Purpose) -> None:
    """2.1 A02: CN is SeccId; TC_A_12_CSMS has none at all. Never that of another station."""
    station = Applicant("CP1", others={"CP2"})
    assert judged(pem(request(names=["DE-ABC-E1"])), purpose, station) == Subject(CPO, "DE-ABC-E1")
    assert judged(pem(request(names=["CP1"])), purpose, station) == Subject(CPO, "CP1")
    assert judged(pem(request(names=())), purpose, station) == Subject(CPO, None)
    assert judged(pem(request(names=["CP2"])), purpose, station) is Fault.WRONG_COMMON_NAME
    assert judged(pem(request(names=["A\0B"])), purpose, station) is Fault.WRONG_COMMON_NAME


def test_each_fault_has_its_words() -> None:
    assert set(MEANINGS) == set(Fault)


@given(st.binary(max_size=400), st.integers(0, 400))
def test_whatever_bytes_there_are_it_says_something(noise: bytes, at: int) -> None:
    """A request with some of its bytes changed is read, or refused; it never raises."""
    whole = bytearray(der(SOME))
    whole[at : at + len(noise)] = noise
    found = read(base64.b64encode(bytes(whole)).decode())
    assert isinstance(found, Csr | Fault)
    if isinstance(found, Csr):
        assert isinstance(subject(found, Purpose.STATION, HERE, [CPO]), Subject | Fault)
