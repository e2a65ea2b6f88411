"""What a token says of who calls, in the words of Keycloak, of Entra ID, and of our own."""

from typing import Any

import pytest

from services.common.process.settings import CommonSettings
from services.common.web.callers import Caller, Reading
from services.common.web.problems import Problem
from services.common.web.roles import Role, rights
from tests.unit.common.web.issuers import entra, keycloak

OWN = {"exp": 2e9, "sub": "anna"}
READ, OPERATE, ADMINISTER = rights("auth")


def caller(claims: dict[str, Any], **settings: Any) -> Caller:
    return Reading.of(CommonSettings(jwt_audience="voltbus", **settings)).caller(claims)


def test_roles_of_keycloak_are_those_of_the_realm_and_of_our_client() -> None:
    assert not caller(keycloak()).roles
    assert caller(keycloak(realm_access={"roles": ["offline_access", "voltbus.read"]})).roles == {Role.READ_ONLY}
    ours, others = {"voltbus": {"roles": ["voltbus.admin"]}}, {"account": {"roles": ["voltbus.admin"]}}
    assert caller(keycloak(resource_access=ours)).roles == {Role.ADMIN}
    assert not caller(keycloak(resource_access=others)).roles
    assert caller(keycloak(resource_access=others), jwt_client="account").roles == {Role.ADMIN}


def test_roles_of_entra_are_those_of_the_application_and_its_scopes() -> None:
    assert caller(entra()).roles == {Role.OPERATOR}
    assert caller(entra(roles=None, scp="voltbus.read access_as_user")).roles == {Role.READ_ONLY}
    assert caller(entra(scp=None, roles=["voltbus.admin", "other"])).roles == {Role.ADMIN}


def test_roles_have_the_names_that_the_issuer_has_for_them() -> None:
    names = {"jwt_operator_roles": ["Depot staff", "voltbus.operate"], "jwt_admin_roles": []}
    assert caller(entra(roles=["Depot staff"]), **names).roles == {Role.OPERATOR}
    assert not caller(entra(roles=["voltbus.admin"]), **names).roles


@pytest.mark.parametrize(
    "more",
    [
        {"scope": "auth:read other"},
        {"scp": "other auth:read"},
        {"scp": ["auth:read"]},
        {"roles": ["auth:read"]},
        {"scope": "voltbus.read"},
    ],
)
def test_what_it_may_stands_in_any_of_these_claims(more: dict[str, Any]) -> None:
    assert caller(OWN | more).may(READ)
    assert not caller(OWN | more).may(OPERATE)


@pytest.mark.parametrize(
    "more",
    [
        {"scope": ["auth:read"]},
        {"scope": 7},
        {"scp": {"auth:read": True}},
        {"roles": "auth:read"},
        {"roles": [["auth:read"], None]},
        {"realm_access": ["auth:read"]},
        {"realm_access": {"roles": {"auth:read": 1}}},
        {"resource_access": {"voltbus": ["auth:read"]}},
        {"groups": ["voltbus.admin"]},
    ],
)
def test_what_has_another_shape_allows_nothing(more: dict[str, Any]) -> None:
    assert not caller(OWN | more).may(READ)


@pytest.mark.parametrize(
    ("named", "allowed"),
    [
        ("auth:read", {READ}),
        ("auth:write", {OPERATE, ADMINISTER}),
        ("voltbus.read", {READ}),
        ("voltbus.operate", {READ, OPERATE}),
        ("voltbus.admin", {READ, OPERATE, ADMINISTER}),
        ("firmware:write", set()),
        ("admin", set()),
        ("Voltbus.Admin", set()),
    ],
)
def test_what_scopes_and_roles_allow(named: str, allowed: set[Any]) -> None:
    who = caller(OWN | {"scope": named})
    assert {right for right in rights("auth") if who.may(right)} == allowed


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        (OWN, "anna"),
        (keycloak(), "f3b1c2d4-7c1e-4d0a-a1ff-27a4c5a9e001"),
        (keycloak(sub=None), "console"),
        (entra(sub=None, azp=None, appid="an-application"), "an-application"),
        ({"exp": 2e9, "client_id": "billing"}, "billing"),
    ],
)
def test_who_acts_is_on_record(claims: dict[str, Any], name: str) -> None:
    assert caller(claims).author == name


def test_nobody_acts_without_a_name() -> None:
    nameless = caller({"exp": 2e9, "sub": None})
    assert nameless.subject is None
    with pytest.raises(Problem, match="no `sub`"):
        _ = nameless.author


@pytest.mark.parametrize("name", ["", " ", 7, ["anna"], "a" * 256, "anna\nbob", "anna\x00", "\ud800"])
def test_what_a_person_does_is_not_their_clients_deed(name: Any) -> None:
    with pytest.raises(Problem, match="names nobody") as refused:
        caller(OWN | {"sub": name, "azp": "ui"})
    assert refused.value.status == 403


@pytest.mark.parametrize(
    ("more", "groups"),
    [
        ({}, None),
        ({"voltbus_groups": ["vienna", "graz"]}, {"vienna", "graz"}),
        ({"voltbus_groups": "vienna"}, {"vienna"}),
        ({"voltbus_groups": []}, set()),
        ({"voltbus_groups": ["*"]}, None),
        ({"groups": ["vienna"]}, None),
    ],
)
def test_a_token_is_limited_to_the_groups_that_it_names(more: dict[str, Any], groups: set[str] | None) -> None:
    assert caller(OWN | more).groups == groups


@pytest.mark.parametrize("said", [None, 7, True, {}, {"vienna": 1}, ["vienna", 7], ["vienna", None], [""], ""])
def test_a_limit_that_cannot_be_read_is_no_leave(said: Any) -> None:
    with pytest.raises(Problem, match="is no list of groups") as refused:
        caller(OWN | {"voltbus_groups": said})
    assert refused.value.status == 403


def test_groups_that_did_not_fit_into_the_token_are_no_leave() -> None:
    """Entra ID leaves `groups` out for a user who is in more than 200."""
    names: dict[str, Any] = {
        "_claim_names": {"groups": "src1"},
        "_claim_sources": {"src1": {"endpoint": "https://graph.example/"}},
    }
    for more in (names, {"_claim_names": ["groups"]}, {"_claim_names": "groups"}, {"hasgroups": True}):
        with pytest.raises(Problem, match="elsewhere"):
            caller(entra(**more), jwt_groups_claim="groups")
        assert caller(entra(**more)).groups is None


def test_a_token_that_must_say_its_groups_says_them() -> None:
    with pytest.raises(Problem, match="no claim `voltbus_groups`"):
        caller(OWN, jwt_groups_required=True)
    assert caller(OWN | {"voltbus_groups": ["*"]}, jwt_groups_required=True).groups is None
