"""Messages that deviate, and those that are refused: kept, shown with the station, and announced."""

from datetime import timedelta

from services.common.kafka.bus import Record
from services.firmware.deviations_store import REFUSED_KEPT
from tests.clients.events import enum_word
from tests.integration.common.running import START, Running
from voltbus.v1.bus_pb2 import CONNECTION_STATE_ALIVE, CONNECTION_STATE_CONNECTED, Deviation, RefusedMessage


def deviating(firmware: Running, minutes: float, *counts: tuple[str, str, int]) -> Record:
    """A gateway's report of deviations: of StopTransaction, by kind and path."""
    deviations = [Deviation(action="StopTransaction", kind=k, path=p, times=times) for k, p, times in counts]
    at = START + timedelta(minutes=minutes)
    return firmware.change(CONNECTION_STATE_ALIVE, at=at, deviations=deviations)


async def test_deviations_are_shown_with_the_station_and_announced_once_a_day(firmware: Running) -> None:
    boot = {"chargePointVendor": "V", "chargePointModel": "M", "firmwareVersion": "1.0"}
    await firmware.put(firmware.change(CONNECTION_STATE_CONNECTED), firmware.call("BootNotification", boot))
    first = deviating(firmware, 1, ("null", "idTag", 2), ("of_tomorrow", "", 1))
    await firmware.put(first)
    await firmware.put(deviating(firmware, 2, ("null", "idTag", 3)), first)
    shown = (await firmware.get("/v1/stations/CP1"))["deviations"]
    assert [(one["action"], one["kind"], one["path"], one["times"]) for one in shown] == [
        ("StopTransaction", "null", "idTag", 5),
        ("StopTransaction", "of_tomorrow", "", 1),
    ]
    assert shown[0]["first_at"] < shown[0]["last_at"]
    [event] = firmware.announced("StationDeviates")
    assert (event.station_id, event.vendor, event.model, event.firmware_version) == ("CP1", "V", "M", "1.0")
    kinds = [(enum_word(one, "kind"), one.path, one.times) for one in event.deviations]
    assert kinds == [("null", "idTag", 2), ("unknown", "", 1)]
    await firmware.put(deviating(firmware, 24 * 60, ("null", "idTag", 1)))
    [_, next_day] = firmware.announced("StationDeviates")
    assert [one.times for one in next_day.deviations] == [4]
    await firmware.restart(commit=False)
    await firmware.settled()
    assert len({dict(record.headers)["ce_id"] for record in firmware.bus.all("events.firmware")}) == len(
        firmware.announced()
    )
    assert (await firmware.get("/v1/stations/CP1"))["deviations"][0]["times"] == 6


async def test_refused_messages_are_shown_newest_first_and_the_last_are_kept(firmware: Running) -> None:
    def refused(number: int) -> Record:
        said = {"message_id": f"m{number}\0", "action": "Authorize", "code": "TypeConstraintViolation"}
        message = RefusedMessage(**said, description="idTag: cannot be used", frame=f'[2,"m{number}\0"]')
        return firmware.change(CONNECTION_STATE_ALIVE, at=START + timedelta(seconds=number), refused=message)

    await firmware.put(*(refused(number) for number in range(REFUSED_KEPT + 10)), refused(REFUSED_KEPT))
    page = await firmware.get("/v1/stations/CP1/refused", limit=60)
    rest = await firmware.get("/v1/stations/CP1/refused", limit=60, cursor=page["next"])
    found = [one["message_id"] for one in (*page["items"], *rest["items"])]
    assert found == [f"m{number}\ufffd" for number in range(REFUSED_KEPT + 9, 9, -1)]
    assert rest["next"] is None
    assert page["items"][0]["code"] == "TypeConstraintViolation"
    assert page["items"][0]["frame"].startswith('[2,"m')
