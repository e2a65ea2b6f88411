"""Which addresses may be called, whatever somebody writes into a request (CWE-918)."""

from ipaddress import ip_network

import pytest

from services.common.web.outbound.addresses import wrong_url
from services.common.web.outbound.guard import allowed

OWN = [ip_network("10.1.0.0/16"), ip_network("::1/128")]


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808"])
def test_the_internet_may_be_called(address: str) -> None:
    assert allowed([address], []) == [address]
    assert allowed([address], [], public=False) == []


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.9.9.9",
        "0.0.0.0",
        "10.2.0.1",
        "172.16.0.1",
        "192.168.1.1",
        # Where a cloud tells machines their credentials.
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1%eth0",
        "fd00:ec2::254",
        "ff02::1",
        # Which lead to 127.0.0.1, 169.254.169.254 and 10.2.0.1.
        "::ffff:127.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "2002:a02:1::1",
        "::127.0.0.1",
        "64:ff9b:1::7f00:1",
        "fec0::1",
        "5f00::1",
        # Where Azure tells machines of theirs.
        "168.63.129.16",
    ],
)
def test_what_is_our_own_may_not(address: str) -> None:
    assert allowed([address], []) == []


def test_networks_that_are_named_may_be_called_too() -> None:
    assert allowed(["10.1.2.3"], OWN) == ["10.1.2.3"]
    assert allowed(["10.2.2.3"], OWN) == []
    assert allowed(["::1"], OWN, public=False) == ["::1"]
    assert allowed(["::ffff:10.1.2.3"], OWN) == ["::ffff:10.1.2.3"]


def test_of_several_addresses_of_a_name_only_those_that_are_allowed_are_called() -> None:
    assert allowed(["127.0.0.1", "8.8.8.8", "10.0.0.1", "1.1.1.1"], []) == ["8.8.8.8", "1.1.1.1"]
    assert allowed([], []) == []


@pytest.mark.parametrize(
    ("url", "wrong"),
    [
        ("https://billing.example/hooks?key=1", None),
        ("https://billing.example:8443", None),
        ("https://8.8.8.8/", None),
        ("http://billing.example/hooks", "must begin with https://"),
        ("ftp://billing.example", "must begin with https://"),
        ("billing.example/hooks", "is not an address such as https://billing.example/hooks"),
        ("https:///hooks", "is not an address such as https://billing.example/hooks"),
        ("https://billing.example:99999", "is not an address such as https://billing.example/hooks"),
        ("https://billing..example/", "is not an address such as https://billing.example/hooks"),
        (f"https://{'a' * 64}.example/", "is not an address such as https://billing.example/hooks"),
        ("https://billing.example/a b", "is not an address such as https://billing.example/hooks"),
        ("https://user:secret@billing.example", "must have no user, password or fragment"),
        ("https://127.0.0.1/", "is not allowed (VOLTBUS_OUTBOUND_ALLOW)"),
        ("https://[::1]/", "is not allowed (VOLTBUS_OUTBOUND_ALLOW)"),
    ],
)
def test_addresses_that_are_wrong_at_first_sight(url: str, wrong: str | None) -> None:
    assert wrong_url(url, []) == wrong


@pytest.mark.parametrize(
    ("url", "wrong"),
    [
        ("http://10.1.2.3:8000/hooks", None),
        ("http://billing.internal/hooks", None),
        ("http://8.8.8.8/", "is not allowed (VOLTBUS_OUTBOUND_ALLOW)"),
    ],
)
def test_without_tls_only_networks_that_are_named(url: str, wrong: str | None) -> None:
    assert wrong_url(url, OWN) == wrong
