"""The authority of one machine: what it signs is trusted by who trusts it, and is kept as long as it is good."""

import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from services.gateway.settings import Settings
from services.gateway.transport import client_certificate, tls_context
from voltbus.errors import LocalError
from voltbus.local import certificates
from voltbus.local.certificates import ORGANIZATION, LocalCertificates
from voltbus.settings import LocalSettings
from voltbus.simulator.station.security import secured

HOSTS = ("localhost", "127.0.0.1")


@pytest.fixture
def local(tmp_path: Path) -> LocalCertificates:
    return LocalCertificates(tmp_path / "tls")


def test_a_gateway_serves_them(local: LocalCertificates, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = local.of_gateway(HOSTS)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    read = Settings.read(password_key="k")
    loaded = tls_context.load(tls_context.given(read), rsa_suites=False, now=datetime.now(UTC))
    assert loaded.expires.keys() == {"ec", "rsa"}
    assert loaded.context is not None
    assert (loaded.context.verify_mode, list(read.cpo_names)) == (ssl.CERT_OPTIONAL, [ORGANIZATION])
    assert {stat.S_IMODE(file.stat().st_mode) for file in local.folder.iterdir()} == {0o600}
    assert stat.S_IMODE(local.folder.stat().st_mode) == 0o700


def test_they_stay_until_they_do_not_fit(local: LocalCertificates, monkeypatch: pytest.MonkeyPatch) -> None:
    local.of_gateway(HOSTS)
    before = contents(local)
    local.of_gateway(HOSTS[:1])
    assert contents(local) == before
    local.of_gateway((*HOSTS, "10.0.0.5"))
    assert changed(before, local) == {"gateway-ec.crt", "gateway-ec.key", "gateway-rsa.crt", "gateway-rsa.key"}
    before = contents(local)
    (local.folder / "gateway-ec.key").write_text("no key")
    local.of_gateway(HOSTS)
    assert changed(before, local) == {"gateway-ec.crt", "gateway-ec.key"}
    before = contents(local)
    monkeypatch.setattr(certificates, "_RENEWED", timedelta(days=366))
    local.of_gateway(HOSTS)
    assert {"gateway-ec.crt", "gateway-rsa.crt"} <= changed(before, local)
    assert "ca.crt" not in changed(before, local)
    before = contents(local)
    (local.folder / "ca.key").unlink()
    local.of_gateway(HOSTS)
    assert changed(before, local) == before.keys()


def contents(local: LocalCertificates) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in local.folder.iterdir()}


def changed(before: dict[str, bytes], local: LocalCertificates) -> set[str]:
    return {name for name, content in contents(local).items() if before.get(name) != content}


def test_a_station_has_its_own(local: LocalCertificates) -> None:
    """A00.FR.511: its name is in CN, whose it is in O."""
    pem, _ = local.of_station("CP1")
    own = x509.load_pem_x509_certificate(pem.encode())
    own.verify_directly_issued_by(x509.load_pem_x509_certificate(local.authority.read_bytes()))
    shown = client_certificate.read(own, [])
    assert (shown.names, shown.organizations) == (("CP1",), (ORGANIZATION,))
    assert shown.begins < datetime.now(UTC) < shown.ends


def test_what_a_simulated_station_connects_with(tmp_path: Path) -> None:
    settings = LocalSettings(tmp_path)
    assert secured(settings, "CP1", 1) is None
    with pytest.raises(LocalError, match="make run"):
        secured(settings, "CP1", 2)
    LocalCertificates(settings.tls).of_gateway(settings.hosts)
    for profile in (2, 3):
        context = secured(settings, "CP1", profile)
        assert context is not None
        assert context.verify_mode == ssl.CERT_REQUIRED


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "tls").write_text("a file")
    with pytest.raises(LocalError, match="cannot use"):
        LocalCertificates(tmp_path / "tls").of_gateway(HOSTS)
