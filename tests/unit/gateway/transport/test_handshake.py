"""Who may connect: paths, credentials, policies, subprotocols."""

import base64
from typing import Any

import pytest

from services.gateway.credentials import decode, must_reconnect, registered_now
from services.gateway.settings import UnknownStations
from services.gateway.transport.handshake import (
    CHALLENGE,
    Admitted,
    Refused,
    Request,
    choose_version,
    decide,
    station_id_of,
    unusable_id_of,
)
from services.gateway.transport.profiles import Security
from services.ocpp.passwords import keyed
from services.ocpp.refusals import RefusalReason
from services.ocpp.versions import VERSIONS
from voltbus.v1.credentials_pb2 import Credentials, PasswordChange

KEY, BEFORE = b"key", b"the key before it"
KEYS = (KEY, BEFORE)
PASSWORD = "000102030405060708090a0b0c0d0e0ff0f1f2f3"
NEW, NEWER = "11" * 20, "22" * 20
CHANGES = [PasswordChange(command_id="c1", password_hash=b"new")]
RAW = bytes.fromhex(PASSWORD)
STATION = Credentials(station_id="CP1", password_hash=keyed(KEY, PASSWORD.encode()))
OPEN = Credentials(station_id="CP1")


def basic(user: bytes, password: bytes, scheme: str = "Basic") -> str:
    return f"{scheme} {base64.b64encode(user + b':' + password).decode()}"


def verdict_on(
    station: Credentials | None, authorization: str | None = None, policy: str = "reject"
) -> Refused | Admitted:
    request = Request("/ocpp/CP1", authorization, ["ocpp1.6"])
    return decide(request, "CP1", station, policy=UnknownStations(policy), keys=KEYS)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/ocpp/CP1", "CP1"),
        ("/ocpp/RDAM%20123", "RDAM 123"),
        ("/ocpp/a%2Fb", None),
        ("/ocpp/a%252Fb", "a%2Fb"),
        ("/ocpp/%2541", "%41"),
        ("/ocpp/1.6/CP1", "CP1"),
        ("/ocpp/CP1?x=/y", "CP1"),
        ("/ocpp/caf%C3%A9", "café"),
        ("/ocpp/" + "x" * 48, "x" * 48),
        ("/ocpp/" + "x" * 49, None),
        ("/ocpp/CP1/", "CP1"),
        ("/ocpp/CP1//?x", "CP1"),
        ("//ocpp/CP1", "CP1"),
        ("//ocpp//CP1", "CP1"),
        ("ws://csms.example:9000/ocpp/CP1", "CP1"),
        ("WSS://[::1]//ocpp/CP1/", "CP1"),
        ("http://csms.example/ocpp/CP1?x=/y", "CP1"),
        ("https://user@csms.example/ocpp/RDAM%20123", "RDAM 123"),
        ("ws://ocpp/CP1", None),
        ("ws://csms.example", None),
        ("ftp://csms.example/ocpp/CP1", None),
        ("/ocpp/ws://a/CP1", "CP1"),
        ("/ocpp//", None),
        ("/ocpp/a:b", None),
        ("/ocpp/a%3Ab", None),
        ("/ocpp/%ff", None),
        ("/ocpp/a%00b", None),
        ("/ocpp/a%0Ab", None),
        ("/ocpp/%C2%A0W34", None),
        ("/ocpp/W%E2%80%8B35", None),
        ("/ocpp/%2E%2E", None),
        ("/ocpp/", None),
        ("/ocpp", None),
        ("/", None),
        ("", None),
        ("/other/CP1", None),
    ],
)
def test_the_station_is_the_last_segment_decoded_once(path: str, expected: str | None) -> None:
    assert station_id_of(path) == expected


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/ocpp/CP1", ""),
        ("/ocpp/", ""),
        ("/other/a:b", ""),
        ("/ocpp/%ff", ""),
        ("/ocpp/a%2Fb", "a/b"),
        ("/ocpp/a:b", "a:b"),
        ("/ocpp/..", ".."),
        ("/ocpp/a%00%0Ab", "a\ufffd\ufffdb"),
        ("/ocpp/" + "x" * 48, ""),
        ("/ocpp/" + "x" * 49, "x" * 47 + "…"),
        ("/ocpp/" + "%00" * 9000, "\ufffd" * 47 + "…"),
    ],
)
def test_what_can_be_no_id_can_be_shown(path: str, shown: str) -> None:
    assert unusable_id_of(path) == shown


@pytest.mark.parametrize(
    ("offered", "expected"),
    [
        (["ocpp1.6"], "1.6"),
        (["ocpp2.0.1", "ocpp1.6"], "2.0.1"),
        (["ocpp1.6", "ocpp2.0.1"], "1.6"),
        (["ocpp2.0", "ocpp1.5", "ocpp1.6"], "1.6"),
        (["ocpp2.1", "ocpp2.0.1", "ocpp1.6"], "2.1"),
        (["ocpp1.6", "ocpp2.1"], "1.6"),
        (["ocpp2.0.1.1", "ocpp2.1"], "2.1"),
        (["ocpp9"], None),
        (["OCPP1.6"], None),
        ([""], None),
        ([], None),
    ],
)
def test_the_first_known_subprotocol_is_taken(offered: list[str], expected: str | None) -> None:
    assert choose_version(offered) is (VERSIONS[expected] if expected else None)


@pytest.mark.parametrize(
    ("authorization", "admitted"),
    [
        (basic(b"CP1", PASSWORD.encode()), True),
        (basic(b"CP1", RAW), True),
        (basic(b"CP1", PASSWORD.upper().encode()), True),
        (basic(b"CP1", PASSWORD.encode(), "basic"), True),
        (basic(b"CP1", PASSWORD.encode(), "BASIC"), True),
        (basic(b"CP1", b"wrong"), False),
        (basic(b"CP1", b""), False),
        (basic(b"CP1", PASSWORD.encode() + b":"), False),
        (basic(b"CP2", PASSWORD.encode()), False),
        (basic(b"cp1", PASSWORD.encode()), True),
        (basic(b"", PASSWORD.encode()), False),
        (None, False),
        ("", False),
        ("Basic", False),
        ("Basic !!!", False),
        ("Basic \xff", False),
        (f"Basic {base64.b64encode(b'CP1').decode()}", False),
        # Without its padding.
        (basic(b"CP1", PASSWORD.encode()).rstrip("="), True),
        (basic(b"cp1", PASSWORD.encode()).rstrip("=")[:-1], False),
        (basic(b"CP1", PASSWORD.encode(), "Bearer"), False),
    ],
)
def test_basic_credentials(authorization: str | None, admitted: bool) -> None:
    verdict = verdict_on(STATION, authorization)
    assert isinstance(verdict, Admitted) is admitted
    if isinstance(verdict, Refused):
        assert (verdict.status, verdict.headers) == (401, CHALLENGE)


@pytest.mark.parametrize("sent", [PASSWORD.encode(), PASSWORD.upper().encode(), RAW])
def test_an_authorization_key_that_was_registered_in_capitals(sent: bytes) -> None:
    """1.6-J §6.2: its digits are hexadecimal, which has no case."""
    station = Credentials(station_id="CP1", password_hash=keyed(KEY, PASSWORD.upper().encode()))
    assert isinstance(verdict_on(station, basic(b"CP1", sent)), Admitted)


def test_the_case_of_any_other_password_counts() -> None:
    station = Credentials(station_id="CP1", password_hash=keyed(KEY, b"abcdefgh"))
    assert isinstance(verdict_on(station, basic(b"CP1", b"ABCDEFGH")), Refused)


@pytest.mark.parametrize(
    ("offered", "unnamed", "expected"),
    [
        ([], "1.6", Admitted("CP1", VERSIONS["1.6"], False, "")),
        ([], None, Admitted("CP1", None, False, "")),
        (["ocpp9"], "1.6", Admitted("CP1", None, False, "")),
        (["ocpp2.0.1"], "1.6", Admitted("CP1", VERSIONS["2.0.1"], False, "ocpp2.0.1")),
    ],
)
def test_a_station_that_offers_no_subprotocol_speaks_what_the_setting_says(
    offered: list[str], unnamed: str | None, expected: Admitted
) -> None:
    request = Request("/ocpp/CP1", None, offered)
    spoken = VERSIONS[unnamed] if unnamed else None
    assert decide(request, "CP1", OPEN, policy=UnknownStations.REJECT, keys=KEYS, unnamed=spoken) == expected


def test_a_password_may_hold_a_colon() -> None:
    station = Credentials(station_id="CP1", password_hash=keyed(KEY, b"a:b"))
    assert isinstance(verdict_on(station, basic(b"CP1", b"a:b")), Admitted)


def test_a_station_may_have_a_name_beyond_ascii() -> None:
    station = Credentials(password_hash=keyed(KEY, b"p"))
    request = Request("/ocpp/caf%C3%A9", basic("café".encode(), b"p"), ["ocpp1.6"])
    assert isinstance(decide(request, "café", station, policy=UnknownStations.REJECT, keys=KEYS), Admitted)


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("reject", Refused(404, "unknown station", {}, RefusalReason.UNKNOWN_STATION)),
        ("quarantine", Admitted("CP1", VERSIONS["1.6"], True, "ocpp1.6")),
        ("accept", Admitted("CP1", VERSIONS["1.6"], False, "ocpp1.6")),
    ],
)
def test_unknown_stations_by_policy(policy: str, expected: Any) -> None:
    assert verdict_on(None, policy=policy) == expected


@pytest.mark.parametrize("policy", ["reject", "quarantine", "accept"])
def test_a_registered_station_is_never_quarantined_and_always_asked(policy: str) -> None:
    assert verdict_on(OPEN, policy=policy) == Admitted("CP1", VERSIONS["1.6"], False, "ocpp1.6")
    assert isinstance(verdict_on(STATION, policy=policy), Refused)


@pytest.mark.parametrize(
    ("registered", "now", "policy", "leaves"),
    [
        (b"old", Credentials(password_hash=b"new"), "reject", True),
        (b"old", Credentials(password_hash=b"old"), "reject", False),
        (b"old", None, "reject", True),
        (b"", Credentials(), "reject", False),
        (b"", Credentials(password_hash=b"new"), "reject", True),
        (None, Credentials(password_hash=b"new"), "quarantine", True),
        (None, Credentials(), "quarantine", True),
        (b"old", None, "quarantine", True),
        (None, None, "quarantine", False),
        (b"old", None, "accept", True),
        (b"old", Credentials(password_hash=b"new"), "accept", True),
        (b"old", Credentials(), "accept", True),
        (b"old", Credentials(password_hash=b"new", replaced_hash=b"old"), "accept", False),
        (None, None, "accept", False),
        (None, Credentials(password_hash=b"new"), "accept", True),
        (None, Credentials(), "accept", False),
        (None, Credentials(changes=CHANGES), "accept", False),
        (b"old", Credentials(password_hash=b"old", changes=CHANGES), "reject", False),
        (b"new", Credentials(password_hash=b"old", changes=CHANGES), "reject", False),
        (b"", Credentials(changes=CHANGES), "reject", False),
        (b"old", Credentials(password_hash=b"new", replaced_hash=b"old"), "reject", False),
        (b"older", Credentials(password_hash=b"new", replaced_hash=b"old"), "reject", True),
        (b"", Credentials(password_hash=b"new", replaced_hash=b""), "reject", False),
        (None, Credentials(password_hash=b"new", replaced_hash=b""), "reject", True),
    ],
)
def test_a_changed_registration_ends_the_connection(
    registered: bytes | None, now: Credentials | None, policy: str, leaves: bool
) -> None:
    assert must_reconnect(registered, now, UnknownStations(policy)) is leaves


@pytest.mark.parametrize(
    ("registered", "station", "after"),
    [
        (b"old", Credentials(password_hash=b"old"), b"old"),
        (b"old", Credentials(password_hash=b"new", replaced_hash=b"old"), b"new"),
        (b"", Credentials(password_hash=b"new", replaced_hash=b""), b"new"),
        (b"new", Credentials(password_hash=b"old", changes=CHANGES), b"new"),
        (None, Credentials(), b""),
    ],
)
def test_who_stays_goes_by_the_password_that_counts_from_then_on(
    registered: bytes | None, station: Credentials, after: bytes
) -> None:
    """A01.FR.03: a station that takes one password after another on one connection stays each time."""
    assert registered_now(registered, station) == after
    newer = Credentials(password_hash=b"newer", replaced_hash=station.password_hash)
    assert must_reconnect(after, newer, UnknownStations.ACCEPT) is (after != station.password_hash)


@pytest.mark.parametrize(
    ("password", "registered", "admitted", "confirms"),
    [
        (PASSWORD, PASSWORD, True, None),
        (NEW, PASSWORD, True, "c1"),
        (NEWER, PASSWORD, True, "c2"),
        ("x" * 20, PASSWORD, False, None),
        (NEWER, None, True, "c2"),
        ("x" * 20, None, True, None),
        (None, None, True, None),
        (None, PASSWORD, False, None),
    ],
)
def test_while_a_password_is_changed_the_old_one_and_the_new_are_good(
    password: str | None, registered: str | None, admitted: bool, confirms: str | None
) -> None:
    """A01.FR.03, A01.FR.04: which of them counts is known when the station says so, or comes."""
    changes = [
        PasswordChange(command_id=f"c{number}", password_hash=keyed(KEY, text.encode()))
        for number, text in enumerate((NEW, NEWER), 1)
    ]
    station = Credentials(password_hash=keyed(KEY, registered.encode()) if registered else b"", changes=changes)
    verdict = verdict_on(station, basic(b"CP1", password.encode()) if password else None)
    assert isinstance(verdict, Admitted) is admitted
    if isinstance(verdict, Admitted):
        assert (verdict.change and verdict.change.command_id) == confirms


def test_an_unreadable_registration_lets_nobody_in() -> None:
    station = decode(b"\xff\xff")
    assert isinstance(verdict_on(station, basic(b"CP1", b"")), Refused)


@pytest.mark.parametrize("made_with", [KEY, BEFORE, b"an older one"])
def test_two_keys_of_hashes_count_at_a_time(made_with: bytes) -> None:
    """So that a key can be replaced while stations have passwords under the one before."""
    station = Credentials(station_id="CP1", password_hash=keyed(made_with, PASSWORD.encode()))
    changing = Credentials(station_id="CP1", changes=[PasswordChange(password_hash=keyed(made_with, NEW.encode()))])
    changing.password_hash = keyed(KEY, b"of before")
    known = made_with in KEYS
    said = verdict_on(station, basic(b"CP1", RAW))
    assert (said.key if isinstance(said, Admitted) else None) == (made_with if known else None)
    said = verdict_on(changing, basic(b"CP1", NEW.encode()))
    assert isinstance(said, Admitted) == known
    assert not known or said == Admitted(
        "CP1", VERSIONS["1.6"], False, "ocpp1.6", changing.changes[0], security=Security(1)
    )
