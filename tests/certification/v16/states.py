"""From where the cases of OCPP 1.6 begin: what a station, and a charging session, have come to."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tests.certification.operator import Command, Operator
from tests.certification.station import MODEL, VENDOR, Payload, Station, now

ACCEPTED = {"status": "Accepted"}
NOBODYS = "NOBODY-HAS-THIS"


async def booted(station: Station) -> None:
    """The station was accepted, and has told how it and its connectors are (§4.2, §4.9)."""
    assert (await boot(station))["status"] == "Accepted"
    for connector_id in range(station.evses + 1):
        await connector(station, connector_id, "Available")


async def boot(station: Station) -> Any:
    """The station boots; what it is answered."""
    return await station.call("BootNotification", {"chargePointVendor": VENDOR, "chargePointModel": MODEL})


async def connector(station: Station, connector_id: int, status: str, **more: Any) -> None:
    """The station tells how a connector is, or with 0 how it is itself."""
    told = {"connectorId": connector_id, "errorCode": "NoError", "status": status, "timestamp": now()}
    assert await station.call("StatusNotification", told | more) == {}


async def shown_of_station(station: Station, operator: Operator, status: str) -> None:
    """Waits until the inventory has that status of the station itself."""

    def told(seen: Any) -> bool:
        return bool(seen["station_status"]) and bool(seen["station_status"]["status"] == status)

    await operator.station(station.id, told)


def sampled(wh: int, at: str = "", **more: Any) -> dict[str, Any]:
    """A meter value: the energy register. more: of its only sample."""
    reading = {"value": str(wh), "measurand": "Energy.Active.Import.Register", "unit": "Wh"}
    return {"timestamp": at or now(), "sampledValue": [reading | more]}


async def commanded(
    station: Station, operator: Operator, action: str, payload: Payload, answer: Payload, effect: str | None = None
) -> Any:
    """The operator has a station asked, in OCPP's own words; the command once it is answered so.

    effect: what its answer means.
    """
    command = await operator.command(station.id, action, payload)
    return await answered(station, command, action, payload, answer, effect)


async def answered(
    station: Station, command: Command, action: str, payload: Payload, answer: Payload, effect: str | None = None
) -> Any:
    """A command, which the station gets in these words, and answers so."""
    assert await station.expects(action, answer) == payload
    shown = await command.answered(effect)
    assert shown["response"] == answer
    return shown


@dataclass
class Session:
    """A charging session of a station. number: transactionId, once the CSMS has given it."""

    station: Station
    id_tag: str
    connector_id: int = 1
    number: int = -1

    @property
    def transaction_id(self) -> str:
        return str(self.number)

    async def authorize(self) -> None:
        """The driver presents the idTag, and may charge (§4.1)."""
        answer = await self.station.call("Authorize", {"idTag": self.id_tag})
        assert answer["idTagInfo"]["status"] == "Accepted"

    async def start(self, status: str = "Accepted", message_id: str = "", **more: Any) -> Any:
        """StartTransaction; its answer, which has this verdict. more: of the request."""
        began = {"connectorId": self.connector_id, "idTag": self.id_tag, "meterStart": 1000, "timestamp": now()}
        answer = await self.station.call("StartTransaction", began | more, message_id)
        assert answer["idTagInfo"]["status"] == status
        self.number = answer["transactionId"]
        return answer

    async def charging(self) -> None:
        """The driver was authorized and plugged in, and energy flows."""
        await self.authorize()
        await connector(self.station, self.connector_id, "Preparing")
        await self.start()
        await connector(self.station, self.connector_id, "Charging")

    async def measures(self, *values: Payload) -> None:
        """MeterValues of the transaction."""
        where = {"connectorId": self.connector_id, "transactionId": self.number}
        assert await self.station.call("MeterValues", where | {"meterValue": values}) == {}

    async def stop(self, message_id: str = "", **more: Any) -> Any:
        """StopTransaction; its answer. more: of the request."""
        stopped = {"transactionId": self.number, "meterStop": 6000, "timestamp": now()}
        return await self.station.call("StopTransaction", stopped | more, message_id)

    async def over(self) -> None:
        """The driver stops the transaction, and unplugs."""
        await self.stop(idTag=self.id_tag, reason="Local")
        await connector(self.station, self.connector_id, "Finishing")
        await connector(self.station, self.connector_id, "Available")


def ago(**before: float) -> str:
    """A time that has been."""
    return now(-timedelta(**before))
