"""What the specification forbids a CSMS to send: refused by the one place that makes commands, whoever asks for it."""

from typing import Any

import pytest

from services.common.commands.catalogue import Catalogue, checked
from services.common.commands.command import Unrenderable
from services.ocpp.commands import forms
from services.ocpp.sealing import Sealing
from services.ocpp.services import SERVICES
from services.ocpp.versions import VERSIONS

SEALED = Sealing(b"key").seal("0f" * 20, "auth", "CP1")


def fault(version: str, action: str, payload: Any) -> str | None:
    """The field that is at fault, whether an operator or one of our own dialects wrote it."""
    owner = VERSIONS[version].to_station[action]
    form = forms(owner)[action][version]
    found = form.fault(payload)
    try:
        checked(version, action, payload)
    except Unrenderable:
        assert found is not None
    else:
        assert found is None
    if len(Catalogue.of(owner, {}).forms[action]) == 1 and found:
        with pytest.raises(Unrenderable) as raised:
            Catalogue.of(owner, {}).check(action, payload)
        assert list(raised.value.fields) == [found.field]
    return found.field if found else None


def card(name: str, type_: str = "ISO14443") -> dict[str, Any]:
    return {"idToken": {"idToken": name, "type": type_}, "idTokenInfo": {"status": "Accepted"}}


def local_list(number: int, *items: Any, update: str = "Full") -> dict[str, Any]:
    return {"versionNumber": number, "updateType": update} | ({"localAuthorizationList": list(items)} if items else {})


@pytest.mark.parametrize(("number", "field"), [(1, None), (0, "versionNumber"), (-1, "versionNumber")])
def test_a_local_list_has_a_version_above_zero(number: int, field: str | None) -> None:
    """D01.FR.18; 1.6 §5.10, §6.28: 0 and -1 mean that there is no list."""
    assert fault("2.0.1", "SendLocalList", local_list(number)) == field
    said = {"listVersion": number, "updateType": "Full"}
    assert fault("1.6", "SendLocalList", said) == (field and "listVersion")


@pytest.mark.parametrize("update", ["Full", "Differential"])
@pytest.mark.parametrize(
    ("items", "field"),
    [
        ([card("A"), card("B")], None),
        ([card("A"), card("A", "eMAID")], None),
        ([card("A"), card("B"), card("A")], "localAuthorizationList.2"),
        ([card("ab"), card("AB")], "localAuthorizationList.1"),
    ],
)
def test_a_local_list_has_a_token_once(update: str, items: Any, field: str | None) -> None:
    """D01.FR.06."""
    assert fault("2.0.1", "SendLocalList", local_list(1, *items, update=update)) == field


def test_a_local_list_of_1_6_has_a_token_once() -> None:
    """1.6 §5.15."""
    items = [{"idTag": "A"}, {"idTag": "a"}]
    said = {"listVersion": 1, "updateType": "Full", "localAuthorizationList": items}
    assert fault("1.6", "SendLocalList", said) == "localAuthorizationList.1"
    assert fault("1.6", "SendLocalList", said | {"localAuthorizationList": items[:1]}) is None


def setting(name: str, value: str = "1", component: str = "SecurityCtrlr", **more: Any) -> dict[str, Any]:
    evse = {"evse": more.pop("evse")} if "evse" in more else {}
    named = {"component": {"name": component} | evse, "variable": {"name": name}}
    return named | {"attributeValue": value} | more


@pytest.mark.parametrize(
    ("items", "field"),
    [
        ([setting("A"), setting("B")], None),
        ([setting("A"), setting("A", evse={"id": 1})], None),
        ([setting("A", evse={"id": 1}), setting("A", evse={"id": 1, "connectorId": 1})], None),
        ([setting("A"), setting("A", attributeType="Target")], None),
        ([setting("A"), setting("A", attributeType="Actual")], "setVariableData.1"),
        ([setting("A"), setting("B"), setting("a", "2")], "setVariableData.2"),
        ([setting("A"), setting("A", component="securityctrlr")], "setVariableData.1"),
    ],
)
def test_a_variable_is_set_once_in_a_message(items: Any, field: str | None) -> None:
    """B05.FR.13: an omitted attributeType counts as Actual."""
    assert fault("2.0.1", "SetVariables", {"setVariableData": items}) == field


@pytest.mark.parametrize("name", ["BasicAuthPassword", "basicauthpassword"])
def test_a_password_is_set_by_the_operation_of_auth_alone(name: str) -> None:
    """A01.FR.02: whoever set it otherwise would lock the station out; sealed, it is that operation's."""
    items = [setting("OrganizationName"), setting(name, "a-password-of-my-own")]
    assert fault("2.0.1", "SetVariables", {"setVariableData": items}) == "setVariableData.1.attributeValue"
    assert fault("2.0.1", "SetVariables", {"setVariableData": [setting(name, SEALED)]}) is None


@pytest.mark.parametrize("key", ["AuthorizationKey", "authorizationkey"])
def test_an_authorization_key_is_set_by_the_operation_of_auth_alone(key: str) -> None:
    """A01.FR.02 of the security whitepaper."""
    assert fault("1.6", "ChangeConfiguration", {"key": key, "value": "0f" * 20}) == "value"
    assert fault("1.6", "ChangeConfiguration", {"key": key, "value": SEALED}) is None
    assert fault("1.6", "ChangeConfiguration", {"key": "HeartbeatInterval", "value": "0f" * 20}) is None


def test_who_sets_a_password_is_told_how_and_not_what() -> None:
    with pytest.raises(Unrenderable) as raised:
        Catalogue.of("firmware", {}).check("ChangeConfiguration", {"key": "AuthorizationKey", "value": "0f" * 20})
    assert "/password/change" in str(raised.value)
    assert "0f" * 20 not in str(raised.value)


def profile(purpose: str = "TxDefaultProfile", **period: Any) -> dict[str, Any]:
    schedule = {"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6.0} | period]}
    made = {"id": 1, "stackLevel": 0, "chargingProfilePurpose": purpose, "chargingProfileKind": "Absolute"}
    return {"evseId": 1, "chargingProfile": made | {"chargingSchedule": [schedule]}}


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        (profile(), None),
        (profile("ChargingStationExternalConstraints"), "chargingProfile.chargingProfilePurpose"),
    ],
)
def test_a_profile_is_never_an_external_constraint(payload: Any, field: str | None) -> None:
    """K01.FR.22, K02.FR.07."""
    assert fault("2.0.1", "SetChargingProfile", payload) == field


def test_a_profile_of_a_transaction_names_it() -> None:
    """K01.FR.03, K02.FR.03."""
    said = profile("TxProfile")
    assert fault("2.0.1", "SetChargingProfile", said) == "chargingProfile.transactionId"
    said["chargingProfile"]["transactionId"] = "tx-1"
    assert fault("2.0.1", "SetChargingProfile", said) is None


@pytest.mark.parametrize(
    ("purpose", "more", "field"),
    [
        ("TxProfile", {}, None),
        ("TxDefaultProfile", {}, "chargingProfile.chargingProfilePurpose"),
        ("TxProfile", {"transactionId": "1"}, "chargingProfile.transactionId"),
    ],
)
def test_a_start_has_a_profile_of_the_transaction_to_come(purpose: str, more: Any, field: str | None) -> None:
    """K05.FR.02, F01.FR.09, F01.FR.11; 1.6 §5.11."""
    limits = profile(purpose)["chargingProfile"] | more
    asked = {"remoteStartId": 1, "idToken": card("A")["idToken"]}
    assert fault("2.0.1", "RequestStartTransaction", asked) is None
    assert fault("2.0.1", "RequestStartTransaction", asked | {"chargingProfile": limits}) == field
    [schedule] = limits.pop("chargingSchedule")
    spelled = {name: int(value) if name == "transactionId" else value for name, value in limits.items() if name != "id"}
    limits = {"chargingProfileId": 1, "chargingSchedule": {n: v for n, v in schedule.items() if n != "id"}} | spelled
    assert fault("1.6", "RemoteStartTransaction", {"idTag": "A"}) is None
    assert fault("1.6", "RemoteStartTransaction", {"idTag": "A", "chargingProfile": limits}) == field


@pytest.mark.parametrize(
    ("period", "allowed"),
    [
        ({"numberPhases": 1, "phaseToUse": 2}, True),
        ({"numberPhases": 3}, True),
        ({"numberPhases": 3, "phaseToUse": 2}, False),
        ({"phaseToUse": 1}, False),
    ],
)
def test_a_phase_is_chosen_for_one_phase_alone(period: Any, allowed: bool) -> None:
    """K01.FR.19; without numberPhases there are three."""
    where = "chargingProfile.chargingSchedule.0.chargingSchedulePeriod.0.phaseToUse"
    assert fault("2.0.1", "SetChargingProfile", profile(**period)) == (None if allowed else where)


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        ({"chargingProfileId": 1}, None),
        ({"chargingProfileCriteria": {"evseId": 0}}, None),
        ({"chargingProfileCriteria": {"chargingProfilePurpose": "TxProfile"}}, None),
        ({}, "chargingProfileCriteria"),
        ({"chargingProfileCriteria": {}}, "chargingProfileCriteria"),
        (
            {"chargingProfileCriteria": {"chargingProfilePurpose": "ChargingStationExternalConstraints"}},
            "chargingProfileCriteria.chargingProfilePurpose",
        ),
    ],
)
def test_which_profiles_are_cleared_is_said_and_no_external_constraint(payload: Any, field: str | None) -> None:
    """K10.FR.02, K10.FR.06."""
    assert fault("2.0.1", "ClearChargingProfile", payload) == field


def test_profiles_are_asked_for_by_a_criterion() -> None:
    """K09.FR.03."""
    asked: dict[str, Any] = {"requestId": 1, "chargingProfile": {}}
    assert fault("2.0.1", "GetChargingProfiles", asked) == "chargingProfile"
    for criterion in ({"chargingProfileId": [1]}, {"stackLevel": 0}, {"chargingLimitSource": ["CSO"]}):
        assert fault("2.0.1", "GetChargingProfiles", asked | {"chargingProfile": criterion}) is None


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        ({"requestedMessage": "Heartbeat"}, None),
        ({"requestedMessage": "StatusNotification", "evse": {"id": 1, "connectorId": 1}}, None),
        ({"requestedMessage": "StatusNotification", "evse": {"id": 1}}, "evse.connectorId"),
        ({"requestedMessage": "StatusNotification"}, "evse.connectorId"),
    ],
)
def test_a_status_is_asked_for_of_a_connector(payload: Any, field: str | None) -> None:
    """F06.FR.13."""
    assert fault("2.0.1", "TriggerMessage", payload) == field


def test_customer_information_is_asked_for_of_a_customer() -> None:
    """N09.FR.04, N10.FR.08."""
    asked = {"requestId": 1, "report": True, "clear": False}
    assert fault("2.0.1", "CustomerInformation", asked) == ""
    assert fault("2.0.1", "CustomerInformation", asked | {"customerIdentifier": "C-1"}) is None


def display_message(language: str | None = None, **more: str) -> dict[str, Any]:
    content = {"format": "UTF8", "content": "Welcome"} | ({"language": language} if language is not None else {})
    return {"message": {"id": 1, "priority": "InFront", "message": content} | more}


@pytest.mark.parametrize("tag", [None, "en", "en-US", "zh-Hant", "es-419", "x-depot", "DE-at"])
def test_a_message_has_a_language_tag(tag: str | None) -> None:
    """O01.FR.17, O02.FR.12."""
    assert fault("2.0.1", "SetDisplayMessage", display_message(tag)) is None


@pytest.mark.parametrize("tag", ["", "e", "x", "en_US", "en-", "-en", "12", "fran\u00e7", "en US", "en\n"])
def test_a_message_with_another_language_is_refused(tag: str) -> None:
    """O01.FR.17, O02.FR.12."""
    assert fault("2.0.1", "SetDisplayMessage", display_message(tag)) == "message.message.language"


def test_a_message_of_no_transaction_names_none() -> None:
    """O01.FR.04."""
    assert fault("2.0.1", "SetDisplayMessage", display_message(transactionId="T1")) is None
    assert fault("2.0.1", "SetDisplayMessage", display_message(transactionId="")) == "message.transactionId"


@pytest.mark.parametrize("service", SERVICES)
def test_every_example_may_be_sent(service: str) -> None:
    for versions in forms(service).values():
        for form in versions.values():
            assert form.fault(form.example) is None


@pytest.mark.parametrize("version", VERSIONS.values(), ids=VERSIONS)
def test_guards_and_examples_are_of_commands(version: Any) -> None:
    assert {*version.guards, *version.examples} <= version.to_station.keys()
