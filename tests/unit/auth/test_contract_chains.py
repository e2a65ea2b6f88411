"""Chains of contract certificates: which lead to a root that is trusted, and why others do not (C07)."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from cryptography import x509

from services.auth.domain.authorities import AuthorityKind, UnfitAuthority, authority
from services.auth.domain.contract_chains import ExpiredChain, UnverifiedChain, verified
from tests.clients.contracts import BEGIN, EMAID, END, NOW, Holder, contract

ROOT = Holder("MO root")
FIRST = Holder("MO sub-CA 1", above=ROOT, path_length=1)
SECOND = Holder("MO sub-CA 2", above=FIRST, path_length=0)
OTHER = Holder("MO root")
OWN = contract(SECOND)


def path(pem: str, *trusted: Holder, now: datetime = NOW) -> list[str]:
    found = verified(pem, [one.certificate for one in trusted or (ROOT,)], now)
    assert found.emaid == EMAID
    return [one.subject.rfc4514_string().removeprefix("CN=") for one in found.path]


def fault(pem: str, *trusted: Holder) -> str:
    with pytest.raises(UnverifiedChain) as found:
        path(pem, *trusted)
    return str(found.value)


WHOLE = [EMAID, "MO sub-CA 2", "MO sub-CA 1", "MO root"]


@pytest.mark.parametrize(
    "order",
    [
        (OWN, SECOND, FIRST),
        (FIRST, OWN, SECOND),
        (ROOT, FIRST, SECOND, OWN),
        (OWN, SECOND, FIRST, ROOT, OWN),
    ],
)
def test_a_chain_leads_to_a_trusted_root_in_whatever_order_it_comes(order: Sequence[Holder]) -> None:
    """C07.FR.04, FR.06"""
    assert path("".join(one.pem for one in order)) == WHOLE


def test_authorities_that_are_trusted_complete_a_chain() -> None:
    assert path(OWN.pem, SECOND, FIRST, ROOT) == WHOLE
    assert "does not lead" in fault(OWN.pem)
    # An authority is no place to end.
    assert "does not lead" in fault(OWN.pem, SECOND, FIRST)


@pytest.mark.parametrize("kind", ["RSA", "P-256", "P-384", "P-521", "Ed448"])
def test_keys_of_every_kind(kind: str) -> None:
    """ISO 15118-2 has P-256, ISO 15118-20 P-521 and Ed448; some have RSA."""
    root = Holder("A root", kind=kind)
    middle = Holder("A sub-CA", above=root, kind=kind)
    assert path(contract(middle, kind=kind).chain, root) == [EMAID, "A sub-CA", "A root"]


def test_a_root_that_is_sent_is_not_trusted_for_that() -> None:
    assert "does not lead" in fault(OWN.chain + ROOT.pem, OTHER)


def test_an_issuer_of_the_same_name_with_another_key_has_not_signed_it() -> None:
    wrong = Holder("MO sub-CA 2", above=FIRST)
    assert "does not lead" in fault(OWN.pem + wrong.pem + FIRST.pem)
    # Beside the right one it does no harm.
    assert path(OWN.pem + wrong.pem + SECOND.pem + FIRST.pem) == WHOLE


def test_a_chain_that_loops_ends() -> None:
    """Two authorities that have signed each other, and no root."""
    one = Holder("One")
    two = Holder("Two", above=one)
    again = Holder("One", above=two, key=one.key)
    assert "does not lead" in fault(contract(two).pem + two.pem + again.pem)


def test_what_expired_is_told_apart_from_what_is_wrong() -> None:
    """C07.FR.15: CertificateExpired, and only of a chain that would count otherwise."""
    old = Holder("Old", above=ROOT, ends=NOW - timedelta(seconds=1))
    with pytest.raises(ExpiredChain):
        path(contract(old).chain)
    with pytest.raises(ExpiredChain):
        path(contract(ROOT, ends=NOW).chain)
    with pytest.raises(ExpiredChain):
        path(OWN.chain, now=END)
    assert "does not lead" in fault(contract(old).chain, OTHER)


def test_what_is_not_valid_yet() -> None:
    assert "not valid yet" in fault(contract(ROOT, begins=NOW + timedelta(seconds=1)).chain)
    assert path(contract(ROOT, begins=BEGIN).chain) == [EMAID, "MO root"]


def test_who_may_not_sign() -> None:
    assert "2 certificates that are not of a CA" in fault(contract(contract(ROOT)).chain)
    # Its path length is used up: it may sign no other CA.
    assert "does not lead" in fault(contract(Holder("Third", above=SECOND)).chain)
    usage = dict.fromkeys(
        ("key_encipherment", "content_commitment", "data_encipherment", "key_agreement", "crl_sign"), False
    )
    signs = x509.KeyUsage(
        digital_signature=True, key_cert_sign=False, encipher_only=False, decipher_only=False, **usage
    )
    assert "does not lead" in fault(contract(Holder("No signer", above=ROOT, extensions=[(signs, True)])).chain)


def test_keys_and_signatures_that_are_too_weak() -> None:
    assert "too weak" in fault(contract(ROOT, kind="P-192").chain)


def test_a_critical_extension_that_is_not_understood() -> None:
    """RFC 5280 §4.2"""
    limits = x509.NameConstraints([x509.DNSName("example")], None)
    assert "critical" in fault(contract(Holder("Limited", above=ROOT, extensions=[(limits, True)])).chain)


@pytest.mark.parametrize("name", ["DE8AA\0CA2B3C4D5", "DE8AA\nCA2B3C4D5", "DÉ8AACA2B3C4D5"])
def test_a_common_name_that_is_no_emaid(name: str) -> None:
    """A NUL in it: whoever reads it as C does sees another contract."""
    assert "characters that no eMAID has" in fault(contract(ROOT, name).chain)


def test_one_common_name() -> None:
    assert "not one common name" in fault(Holder(EMAID, "DE8AAANOTHER01", above=ROOT, ca=False).chain)


@pytest.mark.parametrize(
    ("pem", "why"),
    [
        ("", "cannot be read"),
        ("-----BEGIN CERTIFICATE-----\n\0\n-----END CERTIFICATE-----", "cannot be read"),
        ("x" * 10_001, "more than 10000 characters"),
        (ROOT.pem, "0 certificates that are not of a CA"),
    ],
)
def test_what_is_no_chain(pem: str, why: str) -> None:
    assert why in fault(pem)


def test_a_chain_that_is_too_long() -> None:
    last, made = ROOT, list[Holder]()
    for number in range(8):
        made.append(last := Holder(f"S{number}", above=last))
    pem = "".join(one.pem for one in (contract(last), *made))
    assert "more than 8 certificates" in fault(pem)


def test_a_chain_that_forks_without_end_is_given_up() -> None:
    """Authorities of one key that have signed each other: every order of them would be tried."""
    key = ROOT.key
    one, two = Holder("One", key=key), Holder("Two", key=key)
    others = [Holder("One", above=two, key=key) for _ in range(40)] + [
        Holder("Two", above=one, key=key) for _ in range(40)
    ]
    assert "does not lead" in fault(contract(others[0]).pem, *others)


def test_which_authorities_are_taken() -> None:
    taken = authority(FIRST.pem, AuthorityKind.MOBILITY_OPERATOR, "label", NOW, "me")
    assert (taken.root, taken.subject, taken.issuer) == (False, "CN=MO sub-CA 1", "CN=MO root")
    assert authority(ROOT.pem, AuthorityKind.V2G, None, NOW, None).root


@pytest.mark.parametrize(
    ("pem", "why"),
    [
        ("x", "one certificate in PEM"),
        (ROOT.pem + FIRST.pem, "one certificate in PEM"),
        (OWN.pem, "not that of a CA"),
        (Holder("Old", ends=NOW).pem, "expired"),
    ],
)
def test_which_are_not(pem: str, why: str) -> None:
    with pytest.raises(UnfitAuthority, match=why):
        authority(pem, AuthorityKind.V2G, None, NOW, None)
