"""The smaller parts: the operator's tokens, months, announcements, what can be rendered."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from services.common.commands.command import Command, Status, Unrenderable
from services.ocpp.id_tokens import Authorization, Token
from services.transactions import announcements
from services.transactions.domain.decide import decide
from services.transactions.domain.messages import MeterValue, Reading, Report, ReportKind
from services.transactions.domain.transaction import EndedBy, Transaction
from services.transactions.remote import RENDERERS, START
from services.transactions.tokens import read_token
from tests.unit.transactions.making import NOON, report, start
from voltbus.v1 import events_pb2 as pb
from voltbus.v1.state_pb2 import Token as TokenRecord


def test_a_token_as_auth_publishes_it() -> None:
    full = TokenRecord(
        id_token="T",
        type="eMAID",
        status="Accepted",
        expires_at=NOON,
        group_id="G",
        cache_expires_at=NOON,
        language="de",
        language2="en",
        valid_from=NOON,
        allowed_groups=["a"],
        allowed_stations=["CP1"],
        denied_groups=["b"],
        denied_stations=["CP2"],
        evses=["CP1/1"],
        max_sessions=2,
        master_pass=True,
    )
    assert read_token(full.SerializeToString()) == Token(
        *("T", "eMAID", Authorization.ACCEPTED, NOON, "G", NOON, "de"),
        language2="en",
        valid_from=NOON,
        allowed_groups=("a",),
        allowed_stations=("CP1",),
        denied_groups=("b",),
        denied_stations=("CP2",),
        evses=("CP1/1",),
        max_sessions=2,
        master_pass=True,
    )
    bare = TokenRecord(id_token="T", type="Central", status="SomethingNew")
    assert read_token(bare.SerializeToString()) == Token("T", "Central", Authorization.INVALID)


@pytest.mark.parametrize(
    "at", [NOON, datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)]
)
def test_moments_of_any_clock(at: datetime) -> None:
    values = announcements.meter_value_fields([MeterValue(at, [])], at)
    value = pb.MeterValuesRecorded(meter_values=values).meter_values[0]
    assert value.taken_at.ToDatetime(UTC) == at


def test_an_announcement_says_what_was_kept() -> None:
    readings: list[Reading] = [
        {"measurand": "Voltage", "unit": "V", "value": 230.0, "phase": "L1"},
        {"measurand": "Energy.Active.Import.Register", "unit": "Wh", "signed": "0123"},
        {"measurand": "SoC", "unit": "Percent", "value": 1.0, "signed": {"signedMeterData": "x"}, "custom_data": {}},
    ]
    started = report(ReportKind.STARTED, seq_no=3, meter_values=(MeterValue(NOON, readings),), offline=True)
    after = decide(None, started, 7).transaction
    assert after is not None
    event = announcements.transaction_changed(started, after, None, "2.0.1", starts=True)
    assert isinstance(event, pb.TransactionStarted)
    voltage, signed, both = event.meter_values[0].readings
    assert (voltage.value, voltage.phase) == (230, "L1")
    assert (signed.HasField("value"), signed.signed_value) == (False, "0123")
    assert (both.value, both.signed_value) == (1, '{"signedMeterData":"x"}')
    assert (event.offline, event.transaction.id, event.transaction.HasField("energy_wh")) == (True, 7, False)


def test_an_announcement_tells_none_from_zero_and_a_meaning_from_a_word() -> None:
    started = report(
        ReportKind.STARTED, seq_no=0, evse_id=0, charging_state="EVConnected", id_token="T", id_token_type="eMAID"
    )
    after = decide(None, started, 7).transaction
    assert after is not None
    made = announcements.transaction_changed(started, after, None, "2.0.1", starts=True).transaction
    assert (made.HasField("evse_id"), made.evse_id, made.HasField("connector_id")) == (True, 0, False)
    assert (made.status, made.version, made.id_token_type) == (pb.TRANSACTION_STATUS_ACTIVE, "2.0.1", "eMAID")
    assert (made.charging_state, made.reported_charging_state) == (pb.CHARGING_STATE_EV_CONNECTED, "EVConnected")
    humming = announcements.transaction_fields(replace(after, charging_state="Humming"), "2.0.1")
    strange = pb.Transaction(**humming)
    assert (strange.charging_state, strange.reported_charging_state) == (pb.CHARGING_STATE_UNKNOWN, "Humming")


@pytest.mark.parametrize("how", EndedBy)
def test_an_announcement_says_how_it_ended(how: EndedBy) -> None:
    ended = decide(None, report(ReportKind.ENDED), 7).transaction
    assert ended is not None

    def told(one: Transaction) -> pb.EndedBy:
        return pb.Transaction(**announcements.transaction_fields(one, "2.0.1")).ended_by

    assert told(ended) == pb.ENDED_BY_STATION
    assert pb.EndedBy.Name(told(replace(ended, ended_by=how))) == f"ENDED_BY_{how.name}"
    assert told(replace(ended, ended_by="by a later version")) == pb.ENDED_BY_UNKNOWN
    assert told(replace(ended, stopped_at=None, ended_by=None)) == pb.ENDED_BY_UNSPECIFIED


def test_an_announcement_says_where_the_station_was() -> None:
    started = report(ReportKind.STARTED, seq_no=0)
    after = decide(None, started, 7, assignment=(("vienna", "level 2"), "garage-7")).transaction
    assert after is not None
    made = announcements.transaction_changed(started, after, None, "2.0.1", starts=True).transaction
    assert (list(made.groups), made.location_id) == (["vienna", "level 2"], "garage-7")


def test_an_announcement_says_whether_all_of_an_ended_transaction_has_arrived() -> None:
    """E §1.3.2: Started may come late, or never."""

    def told(*reports: Report) -> bool:
        current: Transaction | None = None
        for one in reports:
            current = decide(current, one, 7).transaction
        assert current is not None
        return pb.Transaction(**announcements.transaction_fields(current, "2.0.1")).complete

    started, ended = report(ReportKind.STARTED, seq_no=0), report(ReportKind.ENDED, seq_no=1)
    assert [told(started), told(ended), told(started, ended), told(ended, started)] == [False, False, True, True]


def test_which_gaps_are_announced() -> None:
    after = decide(decide(None, report(seq_no=1), 7).transaction, report(seq_no=4)).transaction
    assert after is not None
    made = announcements.transaction_changed(report(seq_no=4), after, None, "2.0.1", starts=False).transaction
    assert made.missing_seq_nos == [2, 3]


def command(version: str, **payload: object) -> tuple[str, object]:
    fields = {"id_token": "T", "id_token_type": "Central"} | payload
    action, said = RENDERERS[START](Command("c", 5, "CS-1", START, fields, Status.ACCEPTED, NOON, NOON), version)
    return action, said


def test_what_can_be_said_is_said() -> None:
    assert command("1.6") == ("RemoteStartTransaction", {"idTag": "T"})


@pytest.mark.parametrize(
    ("version", "payload"), [("1.6", {"id_token": "X" * 21}), ("0.9", {}), ("2.0.1", {"id_token_type": "?"})]
)
def test_what_cannot_be_said_is_unrenderable(version: str, payload: dict[str, str]) -> None:
    with pytest.raises(Unrenderable):
        command(version, **payload)


def test_1_6_start_key_is_not_a_2_x_key() -> None:
    assert start().key != report().key
