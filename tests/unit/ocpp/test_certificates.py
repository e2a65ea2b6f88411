"""Certificates that are revoked by number are found however their issuer is written (RFC 5280 §7.1)."""

import pytest

from services.ocpp.certificates import by_serial_number


@pytest.mark.parametrize("issuer", ["O=VoltCo,CN=Cli Root", "CN=cli root,O=VOLTCO", "CN=Cli  Root,O=VoltCo"])
def test_case_blanks_and_order_of_an_issuer_do_not_count(issuer: str) -> None:
    assert by_serial_number(0xA1, issuer) == by_serial_number(0xA1, "CN=Cli Root,O=VoltCo")


@pytest.mark.parametrize("issuer", ["CN=Cli Root", "CN=Cli Root,OU=VoltCo", "CN=VoltCo,O=Cli Root"])
def test_another_issuer_is_another(issuer: str) -> None:
    assert by_serial_number(0xA1, issuer) != by_serial_number(0xA1, "CN=Cli Root,O=VoltCo")


def test_a_name_that_cannot_be_read_is_only_itself() -> None:
    assert by_serial_number(1, "no name") == by_serial_number(1, "No  Name") != by_serial_number(1, "another")
