"""The CA of one's own: what it signs, and that a gateway lets stations in with it."""

import asyncio
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from services.auth.domain.chains import issued
from services.auth.domain.signing_requests import Purpose, Subject
from services.auth.signers.authority import OwnAuthority
from services.auth.signers.signer import Asked, Signed
from services.common.process.errors import Misconfigured, Unavailable
from tests.clients.certificates import DAY, Authority, Issued, client, new_key
from tests.clients.signing import CPO, der, files, request
from voltbus.local.certificates import ORGANIZATION, LocalCertificates

NOW = datetime.now(UTC).replace(microsecond=0)
YEAR = timedelta(days=365)


def load(authority: Authority, *above: Authority, lifetime: timedelta = YEAR, now: datetime = NOW) -> OwnAuthority:
    chain, key = files(authority)
    return OwnAuthority.load(chain + "".join(one.pem for one in above), key, lifetime, lambda: now)


def asked(csr: x509.CertificateSigningRequest, purpose: Purpose = Purpose.STATION, name: str | None = "CP1") -> Asked:
    return Asked("1", "CP1", purpose, Subject(CPO, name), der(csr))


async def signed(own: OwnAuthority, request: Asked) -> list[x509.Certificate]:
    said = await own.sign(request)
    assert isinstance(said, Signed)
    return x509.load_pem_x509_certificates(said.chain.encode())


@pytest.mark.parametrize("kind", ["ec", "rsa"])
async def test_what_it_signs(kind: str) -> None:
    """A00.FR.508, FR.509, FR.511, FR.512: of what the request says, nothing but key and checked names."""
    authority = Authority("CSO Sub-CA", Authority("Root"), expires=400 * DAY)
    csr = request(new_key(kind), names=["CP1", "another"], organizations=["Another", CPO])
    own, *above = await signed(load(authority), asked(csr))
    assert above == [authority.certificate]
    own.verify_directly_issued_by(authority.certificate)
    assert own.public_key() == csr.public_key()
    assert [(one.oid, one.value) for one in own.subject] == [
        (NameOID.ORGANIZATION_NAME, CPO),
        (NameOID.COMMON_NAME, "CP1"),
    ]
    assert own.not_valid_before_utc == NOW - timedelta(hours=1)
    assert own.not_valid_after_utc == NOW + YEAR
    assert own.serial_number.bit_length() > 100
    said = {one.oid: one for one in own.extensions}
    assert not said[x509.BasicConstraints.oid].value.ca
    assert said[x509.BasicConstraints.oid].critical
    assert said[x509.KeyUsage.oid].value.digital_signature
    assert not said[x509.KeyUsage.oid].value.key_cert_sign
    assert list(said[x509.ExtendedKeyUsage.oid].value) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert said[x509.SubjectKeyIdentifier.oid].value == x509.SubjectKeyIdentifier.from_public_key(csr.public_key())
    public = authority.certificate.public_key()
    issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(public)  # type: ignore[arg-type]
    assert said[x509.AuthorityKeyIdentifier.oid].value == issuer_key


async def test_no_two_have_a_serial_number() -> None:
    own, csr = load(Authority()), asked(request())
    assert len({(await signed(own, csr))[0].serial_number for _ in range(20)}) == 20


async def test_it_is_no_longer_valid_than_the_authority() -> None:
    authority = Authority(expires=10 * DAY)
    own, *_ = await signed(load(authority), asked(request()))
    assert own.not_valid_after_utc == authority.certificate.not_valid_after_utc
    with pytest.raises(Unavailable, match="expired"):
        await load(authority, now=NOW + 11 * DAY).sign(asked(request()))


async def test_one_for_vehicles_opens_no_connection_to_a_gateway() -> None:
    """It names a SECC, which nobody checks: it must prove nothing else."""
    own, *_ = await signed(load(Authority()), asked(request(), Purpose.V2G, None))
    usage = own.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert not own.subject.get_attributes_for_oid(NameOID.COMMON_NAME)


@pytest.mark.parametrize(("purpose", "let_in"), [("STATION", True), ("COMBINED", True), ("V2G", False)])
async def test_a_gateway_on_a_laptop_lets_it_in(tmp_path: Path, purpose: str, let_in: bool) -> None:
    """The authority of `make run` signs for stations what the gateway of `make run` takes (profile 3)."""
    local, key = LocalCertificates(tmp_path), new_key()
    local.of_gateway(["127.0.0.1"])
    signer = local.signer()
    assert signer["VOLTBUS_CERTIFICATE_SIGNER"] == "ca"
    own, wanted = OwnAuthority.load(*read(signer), YEAR, lambda: NOW), Subject(ORGANIZATION, "CP1")
    csr = request(key, organizations=[ORGANIZATION])
    said = await own.sign(Asked("1", "CP1", Purpose[purpose], wanted, der(csr)))
    assert isinstance(said, Signed)
    found = issued(said.chain, der(csr), wanted, Purpose[purpose], NOW)
    station = client(Issued(x509.load_pem_x509_certificate(found.chain.encode()), key, found.chain))
    assert await shown(tmp_path, station) == (["CP1"] if let_in else None)


def read(signer: Mapping[str, str]) -> tuple[str, str]:
    """What its files hold."""
    files = (Path(signer[f"VOLTBUS_CERTIFICATE_CA{one}_FILE"]) for one in ("", "_KEY"))
    chain, key = (file.read_text() for file in files)
    return chain, key


async def shown(folder: Path, station: ssl.SSLContext) -> list[str] | None:
    """The common names of the certificate that a station has shown to a server; None: it was refused."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "gateway-ec.crt", folder / "gateway-ec.key")
    server.load_verify_locations(folder / "ca.crt")
    server.verify_mode = ssl.CERT_OPTIONAL
    # A server that refuses a certificate of TLS 1.3 does so after its own handshake is over: it meets nobody.
    found: asyncio.Future[list[str]] = asyncio.get_running_loop().create_future()

    async def meet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        certificate = writer.get_extra_info("peercert") or {"subject": ()}
        found.set_result([text for part in certificate["subject"] for name, text in part if name == "commonName"])
        writer.close()

    async with await asyncio.start_server(meet, "127.0.0.1", ssl=server) as listening:
        port = listening.sockets[0].getsockname()[1]
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=station)
            await reader.read()
            writer.close()
        except (ssl.SSLError, ConnectionError):
            return None
    return found.result() if found.done() else None


def test_what_is_no_authority_ends_the_process_with_one_line() -> None:
    authority, other = Authority("CSO Sub-CA", Authority("Root")), Authority("Another")
    (chain, key), leaf = files(authority), other.issue("CP1")
    given: tuple[str | None, str | None]
    for given, said in (
        ((None, key), "VOLTBUS_CERTIFICATE_CA: set it"),
        ((chain, None), "VOLTBUS_CERTIFICATE_CA_KEY: set it"),
        (("no certificate", key), "PEM, that of the CA first"),
        ((chain, "no key"), "a key in PEM"),
        ((chain, files(other)[1]), "not the key of the first"),
        ((leaf.pem, leaf.key_pem), "not that of a CA"),
        ((chain + other.pem, key), "must have signed the one before it"),
    ):
        with pytest.raises(Misconfigured, match=said):
            OwnAuthority.load(given[0], given[1], YEAR, lambda: NOW)
