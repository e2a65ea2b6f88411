"""Habits of field stations: frame in, frame out, and the same each time for a seed."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from services.ocpp.errors import OcppError
from services.ocpp.versions import VERSIONS
from voltbus.errors import LocalError
from voltbus.simulator.station import habits
from voltbus.simulator.station.charger import Charger
from voltbus.simulator.station.habits import FRAMES, SESSIONS, Habit, Habits, check_share, is_sloppy, known
from voltbus.simulator.station.play import DIALECTS
from voltbus.simulator.station.types import Call, Reading, Session

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
READING = Reading(AT, 5_000, 7_200, 40)


def frames(version: str) -> list[Call]:
    """A boot, a status, a card, and a whole session."""
    words = DIALECTS[version](Charger("CP-1", lambda: AT), 0)
    session = Session("a-transaction", 1, "04BE7C4A11D280", AT, number=63)
    calls = [words.boot("PowerUp"), *words.status(1), words.authorize(session.id_token), words.begun(session, READING)]
    ends = [words.sampled(session, READING), words.ended(session, READING, "Local")]
    return calls + [call for call in ends if call is not None]


def payloads(version: str, habit: Callable[[Call], Call], action: str) -> dict[str, Any]:
    """What the last frame of that action becomes."""
    return next(payload for name, payload in map(habit, reversed(frames(version))) if name == action)


def valid(version: str, call: Call) -> bool:
    try:
        VERSIONS[version].schemas.check_request(*orjson.loads(orjson.dumps(call)))
    except OcppError:
        return False
    return True


KEEPING = {Habit.LOCAL_CARD, Habit.WRONG_CONNECTOR}
# 1.0 is an integer for the schemas of 2.0.1, which are of a later draft.
BREAKING = {"1.6": FRAMES.keys() - KEEPING, "2.0.1": FRAMES.keys() - KEEPING - {Habit.WHOLE_AS_DECIMAL}}


@pytest.mark.parametrize(
    ("version", "habit"), [(version, habit) for version, those in BREAKING.items() for habit in sorted(those)]
)
def test_a_habit_breaks_the_schema_of_frames_that_keep_it_otherwise(version: str, habit: Habit) -> None:
    assert all(valid(version, call) for call in frames(version))
    assert not all(valid(version, FRAMES[habit](call)) for call in frames(version))


@pytest.mark.parametrize("habit", FRAMES)
def test_a_frame_that_comes_in_stays_as_it_was(habit: Habit) -> None:
    for version in DIALECTS:
        before = orjson.dumps(made := frames(version))
        for call in made:
            FRAMES[habit](call)
        assert orjson.dumps(made) == before


def test_nulls_stand_for_what_is_not_said_and_for_nothing_else() -> None:
    event = payloads("2.0.1", habits.nulls, "TransactionEvent")
    assert event["evse"] is None
    assert event["transactionInfo"]["transactionId"] == "a-transaction"
    assert event["meterValue"][0]["sampledValue"][0]["phase"] is None
    _, started = habits.nulls(next(call for call in frames("2.0.1") if call[0] == "TransactionEvent"))
    assert started["evse"] == {"id": 1, "connectorId": 1}
    assert payloads("1.6", habits.nulls, "StopTransaction")["transactionData"] is None


def test_unknown_properties_stand_in_every_object() -> None:
    event = payloads("2.0.1", habits.unknown_properties, "TransactionEvent")
    assert "vendorNote" in event
    assert "vendorNote" in event["meterValue"][0]["sampledValue"][0]["unitOfMeasure"]


def test_whole_numbers_are_written_as_decimals() -> None:
    stop = payloads("1.6", habits.whole_as_decimal, "StopTransaction")
    assert b'"transactionId":63.0' in orjson.dumps(stop)
    assert b'"meterStop":5000.0' in orjson.dumps(stop)


def test_numbers_are_written_as_text_and_booleans_are_none() -> None:
    assert payloads("1.6", habits.numbers_as_text, "MeterValues")["transactionId"] == "63"
    assert habits.numbers_as_text(("TransactionEvent", {"offline": True, "seqNo": 1}))[1] == {
        "offline": True,
        "seqNo": "1",
    }


def test_lists_are_empty_beside_those_that_are_not() -> None:
    first, second = payloads("1.6", habits.empty_lists, "MeterValues")["meterValue"]
    assert (len(first["sampledValue"]), second["sampledValue"]) == (5, [])
    assert payloads("1.6", habits.empty_lists, "StopTransaction")["transactionData"] == []
    assert habits.empty_lists(("TransactionEvent", {}))[1] == {"meterValue": []}


@pytest.mark.parametrize(("version", "action"), [("1.6", "MeterValues"), ("2.0.1", "TransactionEvent")])
def test_one_odd_sample_is_among_the_others(version: str, action: str) -> None:
    [value] = payloads(version, habits.odd_unit, action)["meterValue"]
    odd, *others = value["sampledValue"]
    assert odd["measurand"] in ("Frequency", "Power.Reactive.Total")
    assert len(others) == 5


def test_reasons_and_error_codes_are_words_that_nobody_knows() -> None:
    assert payloads("1.6", habits.unknown_words, "StopTransaction")["reason"] == "StoppedByVehicle"
    assert payloads("1.6", habits.unknown_words, "StatusNotification")["errorCode"] == "Error"
    event = payloads("2.0.1", habits.unknown_words, "TransactionEvent")
    assert (event["triggerReason"], event["transactionInfo"]["stoppedReason"]) == ("Vendor", "StoppedByVehicle")


def test_long_texts_are_longer_than_their_schema() -> None:
    assert payloads("1.6", habits.long_texts, "BootNotification")["firmwareVersion"].startswith("1.0.0---")
    assert len(payloads("1.6", habits.long_texts, "StatusNotification")["info"]) == 300


def test_a_card_is_local_where_it_is_presented_and_iso14443_where_it_charges() -> None:
    assert payloads("2.0.1", habits.local_card, "Authorize")["idToken"]["type"] == "Local"
    assert payloads("2.0.1", habits.local_card, "TransactionEvent")["idToken"]["type"] == "ISO14443"
    assert payloads("1.6", habits.local_card, "Authorize") == {"idTag": "04BE7C4A11D280"}


def test_meter_values_of_a_transaction_name_another_connector() -> None:
    assert payloads("1.6", habits.wrong_connector, "MeterValues")["connectorId"] == 2
    assert habits.wrong_connector(("MeterValues", {"connectorId": 1}))[1] == {"connectorId": 1}


def test_a_frame_is_written_alike_each_time_and_not_all_have_the_habit() -> None:
    calls: list[Call] = [("DataTransfer", {"vendorId": str(number)}) for number in range(60)]
    one, again, other = Habits("1/4", [*Habit]), Habits("1/4", [*Habit]), Habits("1/5", [*Habit])
    written = [one.written(call) for call in calls]
    assert [again.written(call) for call in reversed(calls)] == written[::-1]
    assert [other.written(call) for call in calls] != written
    assert 0 < sum(before != after for before, after in zip(calls, written, strict=True)) < len(calls)


def test_sessions_have_the_habits_of_their_station_by_its_seed() -> None:
    one, again = Habits("1/4", [*Habit]), Habits("1/4", [*Habit])
    shown = [one.of_session() for _ in range(100)]
    assert [again.of_session() for _ in range(100)] == shown
    assert set(shown) == {None, *SESSIONS}
    assert {one.lost_number() for _ in range(20)} == {-1, 0}


def test_a_tidy_station_has_none() -> None:
    tidy = Habits("1/4", ())
    assert [tidy.written(call) for call in frames("2.0.1")] == frames("2.0.1")
    assert tidy.of_session() is None


def test_an_earlier_session_was_hours_ago_and_ended_before_this_one_began() -> None:
    session = Session("5c1e3f9a-0000-4000-8000-000000000000", 2, "04BE7C4A11D280", AT)
    old, readings = Habits("1/4").earlier(session, READING)
    assert (old.outlet, old.id_token) == (2, session.id_token)
    assert old.name != session.name
    assert len(old.name) <= 36
    assert AT - timedelta(hours=9) <= old.begun == readings[0].at
    assert readings[-1].at < AT - timedelta(hours=1)
    assert [reading.energy_wh for reading in readings] == [4_600, 4_700, 4_800]


@pytest.mark.parametrize(("share", "count"), [(0, 0), (0.2, 20), (0.5, 50), (1, 100)])
def test_the_share_is_spread_over_both_of_each_two(share: float, count: int) -> None:
    found = [number for number in range(100) if is_sloppy(number, share)]
    assert len(found) == count
    assert sum(number % 2 for number in found) == count / 2


def test_what_cannot_be_is_refused_with_what_can() -> None:
    assert known([]) == list(Habit)
    assert known(["nulls", "late-queue"]) == [Habit.NULLS, Habit.LATE_QUEUE]
    with pytest.raises(LocalError, match="no habit 'sleepy': choose from nulls, "):
        known(["sleepy"])
    with pytest.raises(LocalError, match="choose a number between 0 and 1"):
        check_share(1.1)
