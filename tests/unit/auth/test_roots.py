"""Root certificates that stations are to trust: which are sent, and in whose words."""

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from services.auth.dialects import BY_VERSION
from services.auth.domain.roots import LONGEST, InstallRoot, RootType, UnfitRoot, root
from services.common.commands.command import Unrenderable
from services.ocpp.versions import VERSIONS
from tests.clients.certificates import Authority

OURS = Authority("Example root")
NOW = OURS.certificate.not_valid_before_utc + timedelta(days=1)
WORDS = {
    "1.6": {RootType.CSMS: "CentralSystemRootCertificate", RootType.MANUFACTURER: "ManufacturerRootCertificate"},
    "2.0.1": {
        RootType.CSMS: "CSMSRootCertificate",
        RootType.MANUFACTURER: "ManufacturerRootCertificate",
        RootType.V2G: "V2GRootCertificate",
        RootType.MOBILITY_OPERATOR: "MORootCertificate",
    },
}
WORDS["2.1"] = {**WORDS["2.0.1"], RootType.OEM: "OEMRootCertificate"}


def made(name: str = "Made", size: int = 0) -> str:
    """A CA that signs itself; size: of an extension that makes it long."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(NOW).not_valid_after(NOW + timedelta(days=365))
    builder = builder.add_extension(x509.BasicConstraints(True, None), critical=True)
    if size:
        unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x04" * size)
        builder = builder.add_extension(unknown, critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def test_the_certificate_alone_is_sent() -> None:
    assert root(f"Subject: Example root\n{OURS.pem}\n\n", NOW) == OURS.pem


@pytest.mark.parametrize(
    ("pem", "why"),
    [
        ("", "one certificate in PEM"),
        ("no certificate \0", "one certificate in PEM"),
        (OURS.pem + made(), "one certificate in PEM"),
        (Authority("No CA", basic=x509.BasicConstraints(False, None)).pem, "not that of a CA"),
        (Authority("Says nothing", basic=None).pem, "not that of a CA"),
        (made("Example\0.evil"), "a NUL"),
        (made(size=5000), f"room for {LONGEST}"),
    ],
    ids=["nothing", "nonsense", "two", "of no CA", "of who knows", "NUL", "too long"],
)
def test_what_no_station_is_to_trust(pem: str, why: str) -> None:
    with pytest.raises(UnfitRoot, match=why):
        root(pem, NOW)


def test_until_it_ends() -> None:
    end = OURS.certificate.not_valid_after_utc
    assert root(OURS.pem, end - timedelta(seconds=1))
    with pytest.raises(UnfitRoot, match="has expired"):
        root(OURS.pem, end)


@pytest.mark.parametrize("version", WORDS)
@pytest.mark.parametrize("kind", RootType)
def test_in_the_words_of_each_version(version: str, kind: RootType) -> None:
    """M05.FR.01; what a version does not have is not sent as something else."""
    write = BY_VERSION[version].requests[InstallRoot]
    if kind not in WORDS[version]:
        with pytest.raises(Unrenderable, match=f"type {kind.value}"):
            write(InstallRoot(kind, OURS.pem))
        return
    action, payload = write(InstallRoot(kind, OURS.pem))
    assert (action, payload) == (
        "InstallCertificate",
        {"certificateType": WORDS[version][kind], "certificate": OURS.pem},
    )
    VERSIONS[version].schemas.check_request(action, payload)


def test_1_5_has_none() -> None:
    assert InstallRoot not in BY_VERSION["1.5"].requests
