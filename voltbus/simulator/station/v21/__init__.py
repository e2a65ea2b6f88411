"""A station in OCPP 2.1: as in 2.0.1; what its monitors see periodically comes as a stream where that is asked for."""

from typing import Any

from voltbus.simulator.station.types import Call, stamp
from voltbus.simulator.station.v21 import streams
from voltbus.simulator.station.v21.commands import ANSWERS
from voltbus.simulator.station.v201 import V201


class V21(V201):
    """Speaks for a charger."""

    subprotocol = "ocpp2.1"
    answers = ANSWERS

    def alarms(self) -> list[Call]:
        """N11, N13, N15: of monitors with a stream in it, the others as events."""
        charger, events = self.charger, list[Any]()
        calls = streams.settle(charger)
        for event in self.watch.look(charger):
            if event["variableMonitoringId"] in charger.streams:
                calls.append(streams.values(event))
            else:
                self.events += 1
                events.append({"eventId": self.events, **event})
        if events:
            calls.append(("NotifyEvent", {"generatedAt": stamp(charger.clock()), "seqNo": 0, "eventData": events}))
        return calls
