"""Lines of files to decisions: what was exported changes nothing, whatever it is."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.auth.api.lines import (
    EXPORTED_STATION,
    LOCATION_COLUMNS,
    TOKEN_COLUMNS,
    Lines,
    location_fields,
    location_lines,
    station_fields,
    station_lines,
    token_fields,
    token_lines,
)
from services.auth.domain import imports
from services.auth.domain.imports import LocationLine, StationLine, TokenLine, Unfit
from services.auth.domain.locations import Location
from services.auth.domain.stations import Password, PasswordPolicy, Station
from services.auth.domain.tokens import RegisteredToken, fault
from services.auth.importing import LOCATIONS, STATIONS, TOKENS
from services.auth.passwords import Passwords
from services.auth.staging import PACK, UNPACK, Staged
from services.common.web.fields import FIRST_MOMENT, LAST_MOMENT
from services.common.web.tables import CSV, NDJSON, READERS, Fault, write_csv, write_heading, write_ndjson
from services.ocpp.id_tokens import Authorization, Token

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = datetime(2026, 3, 2, tzinfo=UTC)
READ_STATIONS, READ_TOKENS = station_lines(Passwords(b"a key that is long enough")), token_lines()
READ_LOCATIONS = location_lines()

SIGNS = "=+-@'|\\;,\""
TEXT = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]) | st.sampled_from(SIGNS), max_size=40)
NAME = TEXT.filter(bool)
# What a spreadsheet rounds looks like some ids that nobody has.
UNLIKE = re.compile(r"\.\.?|\d+([.,]\d+)?E\+\d+", re.IGNORECASE)
ID = st.text(
    st.characters(exclude_categories=["C", "Z"], exclude_characters=":/") | st.sampled_from(f" {SIGNS}"),
    min_size=1,
    max_size=40,
).filter(lambda text: not UNLIKE.fullmatch(text))
PRINTABLE = st.from_regex(r"\A[!-~]([ -~]{0,20}[!-~])?\Z").filter(
    lambda text: not UNLIKE.fullmatch(text) and not {".", ".."} & set(text.split("/"))
)
MOMENT = st.none() | st.datetimes(
    FIRST_MOMENT.replace(tzinfo=None), LAST_MOMENT.replace(tzinfo=None), timezones=st.just(UTC)
)
NAMES = st.lists(NAME, max_size=3, unique=True).map(tuple)
IDS = st.lists(ID, max_size=3, unique=True).map(tuple)
AT = {"registered_at": st.just(NOW), "changed_at": st.just(NOW)}

stations = st.builds(
    Station,
    station_id=ID,
    password=st.none() | st.just(Password(b"hash", b"key", b"nonce")),
    description=st.none() | TEXT,
    groups=st.lists(NAME.filter(lambda name: name != "*"), max_size=3, unique=True).map(tuple),
    location_id=st.none() | ID,
    reading=st.sampled_from([None, "tolerant", "strict"]),
    rated_power_w=st.none() | st.floats(1000, 1e7),
    **AT,
)
tokens = st.builds(
    RegisteredToken,
    st.builds(
        Token,
        id_token=PRINTABLE,
        type=st.sampled_from(["Central", "eMAID", "ISO14443", "NoAuthorization"]),
        status=st.sampled_from(Authorization),
        expires_at=MOMENT,
        group_id=st.none() | PRINTABLE,
        cache_expires_at=MOMENT,
        language=st.sampled_from([None, "de", "de-AT"]),
        language2=st.sampled_from([None, "en"]),
        valid_from=MOMENT,
        allowed_groups=NAMES,
        allowed_stations=IDS,
        denied_groups=NAMES,
        denied_stations=IDS,
        evses=st.lists(st.builds("{}/{}".format, ID, st.integers(1, 999)), max_size=3, unique=True).map(tuple),
        max_sessions=st.none() | st.integers(1, 1000),
        master_pass=st.booleans(),
        note=st.none() | NAME,
    ).filter(lambda one: fault(one) is None),
    **AT,
)

locations = st.builds(
    Location,
    location_id=ID,
    name=st.none() | TEXT,
    address=st.none() | TEXT,
    country=st.sampled_from([None, "AT"]),
    latitude=st.floats(-90, 90),
    longitude=st.floats(-180, 180),
    time_zone=st.sampled_from([None, "Europe/Vienna"]),
    **AT,
)


def read(lines: Lines, kind: str, data: bytes) -> Sequence[Staged | Fault]:
    """What a file says, as it waits in Postgres."""
    reader = READERS[kind](lines.columns)
    rows = [reader.read(number, line) for number, line in enumerate(data.split(b"\n"), 1)]
    found = [one for row in rows if row for one in lines.checked(row)]
    return [
        Staged(one.line, one.key, UNPACK.decode(PACK.encode(one.said))) if isinstance(one, Staged) else one
        for one in found
    ]


def line(found: Sequence[Staged | Fault]) -> Staged:
    (one,) = found
    assert isinstance(one, Staged), one
    return one


@given(stations)
def test_a_station_that_was_exported_is_unchanged(current: Station) -> None:
    row = [station_fields(current)]
    written = {
        CSV: write_heading(EXPORTED_STATION) + write_csv(row, EXPORTED_STATION),
        NDJSON: write_ndjson(row, EXPORTED_STATION),
    }
    for kind, data in written.items():
        one = line(read(READ_STATIONS, kind, data))
        assert one.key == current.station_id
        assert imports.station(current, STATIONS.unpack(one.said), LATER).events == ()


@given(tokens)
def test_an_id_token_that_was_exported_is_unchanged_and_the_same_where_it_is_new(current: RegisteredToken) -> None:
    row = [token_fields(current)]
    written = {
        CSV: write_heading(TOKEN_COLUMNS) + write_csv(row, TOKEN_COLUMNS),
        NDJSON: write_ndjson(row, TOKEN_COLUMNS),
    }
    for kind, data in written.items():
        one = line(read(READ_TOKENS, kind, data))
        assert one.key == current.key
        assert imports.token(current, TOKENS.unpack(one.said), LATER).events == ()
        assert imports.token(None, TOKENS.unpack(one.said), LATER).registered.token == current.token


@given(locations)
def test_a_location_that_was_exported_is_unchanged(current: Location) -> None:
    row = [location_fields(current)]
    written = {
        CSV: write_heading(LOCATION_COLUMNS) + write_csv(row, LOCATION_COLUMNS),
        NDJSON: write_ndjson(row, LOCATION_COLUMNS),
    }
    for kind, data in written.items():
        one = line(read(READ_LOCATIONS, kind, data))
        assert imports.location(current, LOCATIONS.unpack(one.said), LATER).events == ()


@pytest.mark.parametrize("half", ["latitude", "longitude"])
def test_a_location_has_no_half_coordinates(half: str) -> None:
    with pytest.raises(Unfit):
        imports.location(None, LocationLine("garage", {half: 48.0}), NOW)


CURRENT = Station("CP1", Password(b"old"), "hall", ("vienna",), "garage", NOW, NOW, "strict", 22000.0, "ACME")


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ({"description": "car park"}, {"description": "car park"}),
        ({"groups": (), "location_id": None}, {"groups": (), "location_id": None}),
        ({"reading": None, "rated_power_w": None}, {"reading": None, "rated_power_w": None}),
    ],
)
def test_a_line_changes_what_it_names(named: Any, expected: Any) -> None:
    changed = imports.station(CURRENT, StationLine("CP1", PasswordPolicy.KEEP, named), LATER)
    assert {name: getattr(changed.station, name) for name in imports.ATTRIBUTES} == {
        "description": "hall",
        "groups": ("vienna",),
        "location_id": "garage",
        "reading": "strict",
        "rated_power_w": 22000.0,
        "free_vend": "ACME",
        "serial_number": None,
        "security_profile": None,
        "downgrade_allowed": False,
        "expired_certificate_allowed": False,
    } | expected
    assert (changed.station.password, len(changed.events)) == (CURRENT.password, 1)


@pytest.mark.parametrize(("said", "becomes"), [(None, 2), (0, 2), (1, 2), (2, 2), (3, 3)])
def test_a_file_from_before_lowers_no_security_profile(said: int | None, becomes: int) -> None:
    """A05.FR.07"""
    line = StationLine("CP1", PasswordPolicy.KEEP, {"security_profile": said})
    assert imports.station(replace(CURRENT, security_profile=2), line, LATER).station.security_profile == becomes


def test_a_profile_that_needs_a_password_needs_one_in_a_file_too() -> None:
    with pytest.raises(Unfit, match="no password") as unfit:
        imports.station(None, StationLine("CP1", PasswordPolicy.NONE, {"security_profile": 2}), NOW)
    assert unfit.value.field == "security_profile"


def test_a_station_that_comes_with_its_certificate_needs_no_password() -> None:
    line = StationLine("CP1", PasswordPolicy.KEEP, {"security_profile": 3})
    created = imports.station(None, line, NOW).station
    assert (created.password, created.security_profile) == (None, 3)
    assert imports.station(CURRENT, line, NOW).station.password == CURRENT.password
    with pytest.raises(Unfit):
        imports.station(None, replace(line, password=PasswordPolicy.REQUIRE), NOW)


@pytest.mark.parametrize("policy", [PasswordPolicy.KEEP, PasswordPolicy.REQUIRE])
def test_no_password_is_generated_that_nobody_sees(policy: PasswordPolicy) -> None:
    with pytest.raises(Unfit) as error:
        imports.station(None, StationLine("CP1", policy), NOW)
    assert error.value.field == "password"
    assert imports.station(None, StationLine("CP1", PasswordPolicy.NONE), NOW).station.password is None
    assert imports.station(None, StationLine("CP1", Password(b"new")), NOW).station.password == Password(b"new")


def test_a_new_id_token_needs_a_type_and_is_accepted() -> None:
    with pytest.raises(Unfit) as error:
        imports.token(None, TokenLine("AbCd", {"status": Authorization.BLOCKED}), NOW)
    assert error.value.field == "type"
    assert imports.token(None, TokenLine("AbCd", {"type": "Local"}), NOW).registered.token.status == "Accepted"


@pytest.mark.parametrize(
    ("data", "fields"),
    [
        (b"station_id,auth,password\nCP1,none,0123456789abcdef\n", ["password"]),
        (b"station_id,groups\nCP1,a|a\nCP2,a||b\n", ["groups", "groups.1"]),
        (b"station_id,auth,rated_power_w\nCP1,digest,22\n", ["auth", "rated_power_w"]),
        (b"station_id,auth,rated_power_w\nA/B,,much\n", ["rated_power_w", "station_id"]),
        (b"station_id,auth\n,none\n", ["station_id"]),
    ],
)
def test_each_fault_has_its_field(data: bytes, fields: list[str]) -> None:
    assert sorted(one.field for one in read(READ_STATIONS, CSV, data) if isinstance(one, Fault)) == fields


@pytest.mark.parametrize("rows", ["station_id;rated_power_w\nCP1;7400,5\n", 'station_id,rated_power_w\nCP1,"7400,5"\n'])
def test_a_decimal_comma_is_told(rows: str) -> None:
    assert read(READ_STATIONS, CSV, rows.encode()) == [Fault(2, "rated_power_w", "has a decimal comma: write a point")]
    data = b"location_id;latitude;longitude\nL1;48,2;x\n"
    assert [one.message for one in read(READ_LOCATIONS, CSV, data) if isinstance(one, Fault)] == [
        "has a decimal comma: write a point",
        "Input should be a valid number, unable to parse string as a number",
    ]


def test_a_text_of_two_lines_is_told_as_such() -> None:
    data = b'location_id,address\nL1,"Hauptplatz 1\r\n1010 Wien"\n'
    assert read(READ_LOCATIONS, CSV, data) == [Fault(2, "address", "has a line end: write it in one line")]
