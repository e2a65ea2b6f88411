"""REST of what stations of every version can be asked: the bodies."""

from typing import Annotated

from pydantic import BaseModel, Field, model_validator

from services.common.commands.api.verbs import Verb, example
from services.common.web.fields import Int
from services.firmware.domain.remote import Availability, ResetType, Trigger
from services.firmware.remote import AVAILABILITY, RESET, TRIGGER, UNLOCK

EvseId = Annotated[Int, Field(ge=1, lt=2**31)]


class ResetBody(BaseModel):
    """How it restarts."""

    model_config = example(type="soft")

    type: ResetType = Field(
        description="on_idle: once no session goes on (not in OCPP 1.6); soft, immediate: sessions are ended first; "
        "hard: as if the power failed, where its version has that; resume: sessions go on afterwards, of OCPP 2.1"
    )
    evse_id: EvseId | None = Field(None, description="this EVSE alone; not in OCPP 1.6")


class Place(BaseModel):
    """What of the station it is about."""

    evse_id: EvseId | None = Field(None, description="of OCPP 1.6: the connector")
    connector_id: EvseId | None = None


class UnlockBody(Place):
    """Which connector."""

    model_config = example(evse_id=1)

    @model_validator(mode="after")
    def _one(self) -> "UnlockBody":
        if self.evse_id is None and self.connector_id is None:
            raise ValueError("give evse_id or connector_id")
        return self


class AvailabilityBody(Place):
    """Whether sessions may begin: at a connector, at an EVSE, or at the station where neither is named."""

    model_config = example(status="inoperative", evse_id=1)

    status: Availability


class TriggerBody(Place):
    """What it is to tell."""

    model_config = example(message="meter_values")

    message: Trigger = Field(description="status needs an EVSE in OCPP 2.0.1; OCPP 1.6 has no transaction")


VERBS = (
    Verb("reset", RESET, ResetBody, "Restarts the station, or an EVSE of it."),
    Verb("unlock", UNLOCK, UnlockBody, "Unlocks a connector, so that the cable comes free."),
    Verb(
        "availability",
        AVAILABILITY,
        AvailabilityBody,
        "Lets sessions begin, or no more. Where one goes on, the station waits for its end: `effect` is `scheduled` "
        "until that is done.",
    ),
    Verb("trigger", TRIGGER, TriggerBody, "Asks the station to tell something now."),
)
