"""What stations of the field do that the specification does not have in mind, in frames and in sessions. Pure."""

import random
import zlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum
from typing import Any

import orjson

from voltbus.errors import LocalError
from voltbus.simulator.station.types import Call, Payload, Reading, Session


class Habit(StrEnum):
    """Those down to wrong-connector are of frames (`FRAMES`), the others of sessions, which a station lives through.

    late-queue: beside a session, all of one that was hours ago. number-lost: the number of a transaction (1.6) does not
    arrive, so the station names -1 or 0. start-again: nor does the reply to a start, which comes once more. name-again:
    a transactionId (2.x) that an ended session had. register-reset: the meter begins at 0 in the middle.
    """

    NULLS = "nulls"
    UNKNOWN_PROPERTIES = "unknown-properties"
    WHOLE_AS_DECIMAL = "whole-as-decimal"
    NUMBERS_AS_TEXT = "numbers-as-text"
    EMPTY_LISTS = "empty-lists"
    ODD_UNIT = "odd-unit"
    UNKNOWN_WORDS = "unknown-words"
    LONG_TEXTS = "long-texts"
    LOCAL_CARD = "local-card"
    WRONG_CONNECTOR = "wrong-connector"
    LATE_QUEUE = "late-queue"
    NUMBER_LOST = "number-lost"
    START_AGAIN = "start-again"
    NAME_AGAIN = "name-again"
    REGISTER_RESET = "register-reset"


# Of so many frames and of so many sessions of a sloppy station one is as it should be.
_TIDY = 3
_LATE_SECONDS = (2 * 3600, 9 * 3600)
_EARLIER_WH = 400
_LONG = "-" * 300

_NULLS = {
    "BootNotification": ("iccid", "modem"),
    "StatusNotification": ("info", "vendorId", "customData"),
    "StartTransaction": ("reservationId",),
    "StopTransaction": ("transactionData",),
    "TransactionEvent": ("reservationId", "evse", "customData"),
}
_EMPTY_LISTS = {"StopTransaction": "transactionData", "TransactionEvent": "meterValue"}
_ODD_SAMPLES: Mapping[str, Payload] = {
    "MeterValues": {"measurand": "Frequency", "unit": "Hz", "value": "50.0"},
    "TransactionEvent": {"measurand": "Power.Reactive.Total", "value": 3, "unitOfMeasure": {"unit": "VAr total"}},
}
_WORDS = {
    "reason": "StoppedByVehicle",
    "stoppedReason": "StoppedByVehicle",
    "triggerReason": "Vendor",
    "errorCode": "Error",
}
_LENGTHENED = ("chargePointSerialNumber", "serialNumber", "firmwareVersion")


def nulls(call: Call) -> Call:
    """null for what the station has nothing to say of."""
    action, payload = call
    return action, dict.fromkeys(_NULLS.get(action, ())) | _sampled(payload, lambda one: {"phase": None} | one)


def unknown_properties(call: Call) -> Call:
    """A property of the vendor's own in every object."""
    return call[0], _objects(call[1], lambda one: one | {"vendorNote": "own"})


def whole_as_decimal(call: Call) -> Call:
    """1.0 for 1."""
    return call[0], _values(call[1], lambda _, value: float(value) if type(value) is int else value)


def numbers_as_text(call: Call) -> Call:
    """ "1" for 1."""
    return call[0], _values(call[1], lambda _, value: str(value) if type(value) in (int, float) else value)


def empty_lists(call: Call) -> Call:
    """Lists without anything, and meter values without a value among the others."""
    action, payload = call
    made = {_EMPTY_LISTS[action]: []} | payload if action in _EMPTY_LISTS else payload
    if values := made.get("meterValue"):
        made = made | {"meterValue": [*values, {**values[0], "sampledValue": []}]}
    return action, made


def odd_unit(call: Call) -> Call:
    """One sample among the others with a measurand or unit that OCPP does not have."""
    action, payload = call
    if not (payload.get("meterValue") and action in _ODD_SAMPLES):
        return call
    first, *others = payload["meterValue"]
    first = first | {"sampledValue": [_ODD_SAMPLES[action], *first["sampledValue"]]}
    return action, payload | {"meterValue": [first, *others]}


def unknown_words(call: Call) -> Call:
    """Reasons and error codes that no version has."""
    return call[0], _values(call[1], lambda name, value: _WORDS.get(name, value))


def long_texts(call: Call) -> Call:
    """Longer than their schema has room for."""
    action, payload = call
    lengthened = _values(payload, lambda name, value: value + _LONG if name in _LENGTHENED else value)
    return action, lengthened | ({"info": _LONG} if "errorCode" in payload else {})


def local_card(call: Call) -> Call:
    """A card that is ISO14443 in TransactionEvent is Local in Authorize."""
    action, payload = call
    if action != "Authorize" or "idToken" not in payload:
        return call
    return action, payload | {"idToken": payload["idToken"] | {"type": "Local"}}


def wrong_connector(call: Call) -> Call:
    """MeterValues of a transaction name another connector than its start."""
    action, payload = call
    if action != "MeterValues" or "transactionId" not in payload:
        return call
    return action, payload | {"connectorId": payload["connectorId"] + 1}


FRAMES: Mapping[Habit, Callable[[Call], Call]] = {
    Habit.NULLS: nulls,
    Habit.UNKNOWN_PROPERTIES: unknown_properties,
    Habit.WHOLE_AS_DECIMAL: whole_as_decimal,
    Habit.NUMBERS_AS_TEXT: numbers_as_text,
    Habit.EMPTY_LISTS: empty_lists,
    Habit.ODD_UNIT: odd_unit,
    Habit.UNKNOWN_WORDS: unknown_words,
    Habit.LONG_TEXTS: long_texts,
    Habit.LOCAL_CARD: local_card,
    Habit.WRONG_CONNECTOR: wrong_connector,
}
SESSIONS = tuple(habit for habit in Habit if habit not in FRAMES)


class Habits:
    """Those of one station, from its seed: the same frame is written the same each time, as a retry is.

    of: which it has.
    """

    def __init__(self, seed: str, of: Collection[Habit] = tuple(Habit)) -> None:
        self._seed = seed
        self._frames = [FRAMES[habit] for habit in FRAMES if habit in of]
        self._sessions = [habit for habit in SESSIONS if habit in of]
        self._dice = random.Random(f"{seed}/sessions")

    def written(self, call: Call) -> Call:
        """The frame as this station writes it."""
        if not self._frames:
            return call
        dice = random.Random(f"{self._seed}/{zlib.crc32(orjson.dumps(call))}")
        return call if dice.randrange(_TIDY) == 0 else dice.choice(self._frames)(call)

    def of_session(self) -> Habit | None:
        """The habit that the next session shows, if any."""
        if not self._sessions or self._dice.randrange(_TIDY) == 0:
            return None
        return self._dice.choice(self._sessions)

    def lost_number(self) -> int:
        """What stands for the number of a transaction that is not known (errata 3.18)."""
        return self._dice.choice((-1, 0))

    def earlier(self, session: Session, reading: Reading) -> tuple[Session, tuple[Reading, ...]]:
        """A session of hours before this one, with its readings from begin to end. reading: of this one."""
        begun = reading.at - timedelta(seconds=self._dice.randrange(*_LATE_SECONDS))
        low = max(0, reading.energy_wh - _EARLIER_WH)
        readings = tuple(
            replace(reading, at=begun + n * timedelta(minutes=10), energy_wh=low + n * 100) for n in range(3)
        )
        old = Session(f"{session.name[:20]}-earlier", session.outlet, session.id_token, begun, meter_start_wh=low)
        return old, readings


def is_sloppy(number: int, share: float) -> bool:
    """Whether the station of that number is one of the share that is: spread evenly, in both versions."""
    return int((number // 2 + 1) * share) > int(number // 2 * share)


def known(names: Collection[str]) -> Collection[Habit]:
    """The habits of these names; no names mean all. Raises LocalError for an unknown name."""
    habits = {str(habit): habit for habit in Habit}
    for name in names:
        if name not in habits:
            raise LocalError(f"there is no habit {name!r}: choose from {', '.join(habits)}")
    return [habits[name] for name in names] or list(Habit)


def check_share(share: float) -> None:
    """Raises LocalError for an impossible share."""
    if not 0 <= share <= 1:
        raise LocalError(f"--sloppy is {share:g}: choose a number between 0 and 1")


def _values(part: Any, change: Callable[[str, Any], Any], name: str = "") -> Any:
    """The same with each value changed that is no object and no list. change: is given its name, too."""
    if isinstance(part, dict):
        return {key: _values(value, change, key) for key, value in part.items()}
    return [_values(one, change, name) for one in part] if isinstance(part, list) else change(name, part)


def _objects(part: Any, change: Callable[[Payload], Payload]) -> Any:
    if isinstance(part, dict):
        return change({name: _objects(value, change) for name, value in part.items()})
    return [_objects(one, change) for one in part] if isinstance(part, list) else part


def _sampled(payload: Payload, change: Callable[[Payload], Payload]) -> Payload:
    """The same with each of its sampled values changed."""
    if "meterValue" not in payload:
        return payload
    values = [one | {"sampledValue": [change(it) for it in one["sampledValue"]]} for one in payload["meterValue"]]
    return payload | {"meterValue": values}
