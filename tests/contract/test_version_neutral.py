"""What is asked in no version's words is said in those of 2.1, as in 2.0.1: valid, and nothing left out."""

from collections.abc import Mapping
from typing import Any

import pytest

from services.auth.dialects import BY_VERSION as AUTH
from services.auth.domain import signing_requests as certificates
from services.auth.domain.password_changes import SetPassword
from services.auth.domain.profile_upgrades import Step, UpgradeRequest
from services.auth.domain.roots import InstallRoot, RootType
from services.firmware.dialects import BY_VERSION as FIRMWARE
from services.firmware.dialects import SETTINGS
from services.firmware.domain.remote import (
    Availability,
    ChangeAvailability,
    Reset,
    ResetType,
    Trigger,
    TriggerMessage,
    UnlockConnector,
)
from services.ocpp.versions import VERSIONS
from services.smartcharging.dialects import BY_VERSION as SMARTCHARGING
from services.smartcharging.domain.profile import Period, Profile, Purpose, Schedule
from services.smartcharging.domain.profile_commands import ClearProfiles, ComposeSchedule, ReportProfiles, SetProfile
from services.transactions.dialects import BY_VERSION as TRANSACTIONS
from services.transactions.domain.remote import RemoteStart, RemoteStop, TransactionStatus

DIALECTS: Mapping[str, Mapping[str, Any]] = {
    "auth": AUTH,
    "transactions": TRANSACTIONS,
    "smartcharging": SMARTCHARGING,
    "firmware": FIRMWARE,
}
PROFILE = Profile(7, Purpose.TX, Schedule("A", (Period(0, 16.0, 3),)), 1, transaction_id="tx-1")
# With all that each may say.
ASKED: Mapping[str, tuple[Any, ...]] = {
    "auth": (
        SetPassword("sealed", hexadecimal=False),
        certificates.InstallSigned("a chain", certificates.Purpose.V2G),
        certificates.RenewCertificate(certificates.Purpose.STATION),
        InstallRoot(RootType.CSMS, "a certificate"),
        *(
            UpgradeRequest(step, 2, "wss://csms.example/ocpp", 2, "2,1", "Wired0", 30)
            for step in AUTH["2.0.1"].upgrade_steps
            if step != Step.AWAIT
        ),
    ),
    "transactions": (
        RemoteStart(5, "cafe01", "ISO14443", 1, 1, "FLEET"),
        RemoteStop(17, "tx-1"),
        TransactionStatus("tx-1"),
    ),
    "smartcharging": (
        SetProfile(PROFILE),
        ClearProfiles(evse_id=1, purpose=Purpose.TX_DEFAULT, stack_level=3),
        ComposeSchedule(1, 600, "A"),
        ReportProfiles(5, 1),
    ),
    "firmware": (
        *(Reset(kind, 1) for kind in ResetType if kind != ResetType.RESUME),
        UnlockConnector(1, 1),
        ChangeAvailability(Availability.INOPERATIVE, 1, 1),
        *(TriggerMessage(message, 1, 1) for message in Trigger),
    ),
}
CASES = [(service, request) for service, requests in ASKED.items() for request in requests]


def test_everything_that_can_be_asked_is_asked_here() -> None:
    for service, dialects in DIALECTS.items():
        assert {type(request) for request in ASKED[service]} == dialects["2.0.1"].requests.keys()
        assert dialects["2.1"].requests.keys() == dialects["2.0.1"].requests.keys()


@pytest.mark.parametrize(("service", "request_"), CASES, ids=[f"{one}-{asked}" for one, asked in CASES])
def test_it_is_said_in_2_1_as_in_2_0_1(service: str, request_: Any) -> None:
    action, payload = DIALECTS[service]["2.1"].requests[type(request_)](request_)
    VERSIONS["2.1"].schemas.check_request(action, payload)
    assert (action, payload) == DIALECTS[service]["2.0.1"].requests[type(request_)](request_)


def test_settings_are_read_and_set_in_2_1() -> None:
    """B05, B06, B07: by the names that all versions share, and by longer values."""
    dialect = SETTINGS["2.1"]
    assert dialect.shared_names == SETTINGS["2.0.1"].shared_names
    limits = dialect.limits({})
    names = [*dialect.shared_names.values()]
    requests = [dialect.read_all("FullInventory", 5), *dialect.read(names, limits)]
    requests += [(one.action, one.payload) for one in dialect.write(dict.fromkeys(names, "x" * 2500), limits)]
    for action, payload in requests:
        VERSIONS["2.1"].schemas.check_request(action, payload)
