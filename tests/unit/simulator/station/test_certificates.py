"""A simulated station sends a signing request that Voltbus on a laptop signs, and takes the chain."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.auth.domain.chains import issued
from services.auth.domain.signing_requests import Applicant, Csr, Purpose, Subject, read, subject
from services.auth.signers.authority import OwnAuthority
from services.auth.signers.signer import Asked, Signed
from voltbus.local.certificates import ORGANIZATION, LocalCertificates
from voltbus.simulator.station.charger import Charger
from voltbus.simulator.station.play import DIALECTS
from voltbus.simulator.station.types import Perform

NOW = datetime.now(UTC)
TRIGGERS = {
    "1.6": ("ExtendedTriggerMessage", "SignChargePointCertificate"),
    "2.0.1": ("TriggerMessage", "SignChargingStationCertificate"),
    "2.1": ("TriggerMessage", "SignChargingStationCertificate"),
}


@pytest.mark.parametrize("version", TRIGGERS)
async def test_it_renews_its_certificate(version: str, tmp_path: Path) -> None:
    """A02.FR.02, FR.03, FR.06."""
    station = DIALECTS[version](Charger("CP-1", lambda: NOW), 120)
    action, message = TRIGGERS[version]
    asked = station.answer(action, {"requestedMessage": message})
    assert asked is not None
    assert isinstance(asked.effect, Perform)
    [(said, payload)] = [step.call for step in asked.effect.steps]
    assert said == "SignCertificate"
    csr = read(payload["csr"])
    assert isinstance(csr, Csr)
    found = subject(csr, Purpose.STATION, Applicant("CP-1"), [ORGANIZATION])
    assert found == Subject(ORGANIZATION, "CP-1")
    LocalCertificates(tmp_path).of_gateway(["127.0.0.1"])
    chain, key = ((tmp_path / name).read_text() for name in ("ca.crt", "ca.key"))
    own = OwnAuthority.load(chain, key, timedelta(days=1), lambda: NOW)
    signed = await own.sign(Asked("1", "CP-1", Purpose.STATION, found, csr.der))
    assert isinstance(signed, Signed)
    whole = issued(signed.chain, csr.der, found, Purpose.STATION, NOW).chain
    taken = station.answer("CertificateSigned", {"certificateChain": whole})
    assert taken is not None
    assert taken.payload == {"status": "Accepted"}
    other = station.answer("CertificateSigned", {"certificateChain": chain})
    assert other is not None
    assert other.payload == {"status": "Rejected"}
