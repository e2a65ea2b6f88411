"""The reusable states of part 6, by which cases say what came before: of a station, and of a charging session."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from tests.certification.certificates import root
from tests.certification.operator import Operator
from tests.certification.station import MODEL, VENDOR, Payload, Station, now

ACCEPTED = {"status": "Accepted"}
# What REST calls them.
ROOTS = {
    "CSMSRootCertificate": "csms",
    "ManufacturerRootCertificate": "manufacturer",
    "V2GRootCertificate": "v2g",
    "MORootCertificate": "mobility_operator",
}


async def booted(station: Station, reason: str = "PowerUp") -> None:
    """Booted: the station was accepted, and has told how its connectors are."""
    assert (await boot(station, reason))["status"] == "Accepted"
    await connectors(station, "Available")


async def boot(station: Station, reason: str = "PowerUp") -> Any:
    """The station boots; what it is answered."""
    about = {"vendorName": VENDOR, "model": MODEL}
    return await station.call("BootNotification", {"reason": reason, "chargingStation": about})


async def connectors(station: Station, status: str, *evses: int) -> None:
    """The station tells how its connectors are, of all its EVSEs or some: in both ways that there are."""
    for evse_id in evses or range(1, station.evses + 1):
        where = {"evseId": evse_id, "connectorId": 1, "connectorStatus": status}
        await station.call("StatusNotification", where | {"timestamp": now()})
        component = {"name": "Connector", "evse": {"id": evse_id, "connectorId": 1}}
        await notify(station, component, "AvailabilityState", status)


async def notify(station: Station, component: Payload, variable: str, value: str, **more: Any) -> Any:
    """The station tells of a value that has changed, or as `more` has it; the answer."""
    event = {
        "eventId": next(station.event_ids),
        "timestamp": now(),
        "trigger": "Delta",
        "eventNotificationType": "HardWiredNotification",
        "component": component,
        "variable": {"name": variable},
        "actualValue": value,
    }
    return await station.call("NotifyEvent", {"generatedAt": now(), "seqNo": 0, "eventData": [event | more]})


async def reserved(station: Station, operator: Operator, token: "Token", evse_id: int = 1) -> int:
    """Reserved: an EVSE, for an idToken; the id of the reservation."""
    expires = {"id": 1, "expiryDateTime": "2036-01-01T00:00:00Z"}
    payload = {"idToken": token.payload, "evseId": evse_id} | expires
    command = await operator.command(station.id, "ReserveNow", payload)
    asked = await station.expects("ReserveNow", ACCEPTED)
    assert (asked["evseId"], asked["idToken"]) == (evse_id, token.payload)
    assert "connectorType" not in asked
    await command.answered()
    await connectors(station, "Reserved", evse_id)
    return int(asked["id"])


async def unavailable(station: Station, operator: Operator, evse_id: int | None = None) -> None:
    """Unavailable: the station, or one of its EVSEs."""
    where = {} if evse_id is None else {"evse_id": evse_id}
    command = await operator.act("firmware", station.id, "availability", {"status": "inoperative"} | where)
    asked = await station.expects("ChangeAvailability", ACCEPTED)
    evse = {} if evse_id is None else {"evse": {"id": evse_id}}
    assert asked == {"operationalStatus": "Inoperative"} | evse
    await command.answered()
    await connectors(station, "Unavailable", *(() if evse_id is None else (evse_id,)))


async def certificate_installed(station: Station, operator: Operator, kind: str) -> str:
    """CertificateInstalled: a root certificate of that type; which it is."""
    certificate = root(kind)
    command = await operator.act("auth", station.id, "install-root", {"type": ROOTS[kind], "certificate": certificate})
    asked = await station.expects("InstallCertificate", ACCEPTED)
    assert asked == {"certificateType": kind, "certificate": certificate}
    await command.answered("accepted")
    return certificate


async def installed_certificates(
    station: Station, operator: Operator, *kinds: str, chains: Sequence[Payload]
) -> list[Any]:
    """GetInstalledCertificates: of these types or all, at a station that has these chains; what the operator sees."""
    payload = {"certificateType": [*kinds]} if kinds else {}
    command = await operator.command(station.id, "GetInstalledCertificateIds", payload)
    answer = ACCEPTED | {"certificateHashDataChain": chains}
    assert await station.expects("GetInstalledCertificateIds", answer) == payload
    seen: list[Any] = (await command.answered("accepted"))["response"]["certificateHashDataChain"]
    assert seen == chains
    return seen


@dataclass(frozen=True, slots=True)
class Token:
    """An idToken."""

    id: str
    type: str = "ISO14443"

    @property
    def payload(self) -> dict[str, str]:
        return {"idToken": self.id, "type": self.type}


async def admitted(operator: Operator, id_token: str, type: str = "ISO14443", **more: Any) -> Token:
    """One more idToken, which the operator registers: accepted, unless more says otherwise."""
    token = Token(id_token, type)
    await operator.admit(token.id, type=token.type, **more)
    return token


@dataclass
class Session:
    """A charging session of a station. Each state of part 6 does what leads to it and has not been done.

    authorized, connected, charging, stopping: what has happened so far. started: whether its transaction has.
    remote_start_id: of the remote start that it is of.
    """

    station: Station
    token: Token
    evse_id: int = 1
    transaction_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    remote_start_id: int | None = None
    seq_no: int = 0
    started: bool = False
    authorized: bool = False
    connected: bool = False
    charging: bool = False
    stopping: bool = False
    idle: bool = False

    @property
    def evse(self) -> dict[str, int]:
        return {"id": self.evse_id, "connectorId": 1}

    async def event(
        self, kind: str | None, trigger: str, state: str | None = None, info: Payload | None = None, **more: Any
    ) -> Any:
        """A TransactionEvent; its answer.

        kind: None for Started or Updated, as the session is. state: chargingState. info: more of transactionInfo.
        """
        kind = kind or ("Updated" if self.started else "Started")
        about: dict[str, Any] = {"transactionId": self.transaction_id} | dict(info or {})
        if state is not None:
            about["chargingState"] = state
        payload = {"eventType": kind, "timestamp": now(), "triggerReason": trigger, "seqNo": self.seq_no}
        answer = await self.station.call("TransactionEvent", payload | {"transactionInfo": about} | more)
        self.seq_no, self.started = self.seq_no + 1, True
        return answer

    async def ev_connected_pre_session(self, **more: Any) -> None:
        """EVConnectedPreSession. more: of its TransactionEvent."""
        await connectors(self.station, "Occupied", self.evse_id)
        await self.event(None, "CablePluggedIn", "EVConnected", evse=self.evse, **more)
        self.connected = True

    async def token_accepted(self) -> None:
        """The driver presents the idToken, and the station asks about it: it may charge."""
        answer = await self.station.call("Authorize", {"idToken": self.token.payload})
        assert answer["idTokenInfo"]["status"] == "Accepted"

    async def authorize(self) -> Any:
        """Authorized: the driver presents the idToken, here and now; the answer to the TransactionEvent."""
        await self.token_accepted()
        answer = await self.event(None, "Authorized", idToken=self.token.payload)
        assert answer["idTokenInfo"]["status"] == "Accepted"
        self.authorized = True
        return answer

    async def energy_transfer_started(self) -> None:
        """EnergyTransferStarted."""
        if not self.authorized:
            await self.authorize()
        if not self.connected:
            await self.ev_connected_pre_session()
        await self.event("Updated", "ChargingStateChanged", "Charging")
        self.charging = True

    async def energy_transfer_suspended(self) -> None:
        """EnergyTransferSuspended: by the EV."""
        if not self.charging:
            await self.energy_transfer_started()
        await self.event("Updated", "ChargingStateChanged", "SuspendedEV")

    async def stop_authorized(self) -> None:
        """StopAuthorized: the driver presents the idToken again."""
        if not self.charging:
            await self.energy_transfer_started()
        answer = await self.event("Updated", "StopAuthorized", idToken=self.token.payload)
        assert answer["idTokenInfo"]["status"] == "Accepted"
        self.stopping = True

    async def ev_connected_post_session(self) -> None:
        """EVConnectedPostSession: no more energy, and the cable is still there."""
        if not self.stopping:
            await self.stop_authorized()
        await self.event("Updated", "ChargingStateChanged", "EVConnected")
        self.idle = True

    async def ev_disconnected(self, **more: Any) -> Any:
        """EVDisconnected: the cable is out, and the transaction has ended; the answer to its last TransactionEvent.

        more: of that event.
        """
        if not self.idle:
            await self.ev_connected_post_session()
        await connectors(self.station, "Available", self.evse_id)
        return await self.event("Ended", "EVCommunicationLost", "Idle", {"stoppedReason": "EVDisconnected"}, **more)

    async def iso15118_smart_charging(self) -> None:
        """ISO15118SmartCharging: the EV says what it needs, gets a schedule, and charges by it."""
        await self.needs()
        await self.chooses(await self.schedule())
        await self.event("Updated", "ChargingStateChanged", "Charging")

    async def needs(self, *statuses: str) -> None:
        """The EV says what it needs. statuses: one of which is due; else any that promises a schedule."""
        limits = {"energyAmount": 20_000, "evMinCurrent": 6, "evMaxCurrent": 32, "evMaxVoltage": 400}
        wish = {"requestedEnergyTransfer": "AC_three_phase", "departureTime": now(timedelta(hours=2))}
        needs = {"maxScheduleTuples": 3, "chargingNeeds": wish | {"acChargingParameters": limits}}
        answer = await self.station.call("NotifyEVChargingNeeds", {"evseId": self.evse_id} | needs)
        assert answer["status"] in (statuses or ("Accepted", "Processing"))

    async def schedule(self) -> Payload:
        """The schedule of the TxProfile that the CSMS sends for this transaction, and the station takes."""
        asked = await self.station.expects("SetChargingProfile", ACCEPTED)
        profile = asked["chargingProfile"]
        assert (asked["evseId"], profile["chargingProfilePurpose"]) == (self.evse_id, "TxProfile")
        assert profile["transactionId"] == self.transaction_id
        schedule: Payload = profile["chargingSchedule"][0]
        return schedule

    async def chooses(self, schedule: Payload, status: str = "Accepted") -> None:
        """The EV says by which schedule it is going to charge. status: the CSMS's verdict on it."""
        payload = {"timeBase": now(), "evseId": self.evse_id, "chargingSchedule": schedule}
        assert (await self.station.call("NotifyEVChargingSchedule", payload))["status"] == status
