"""Battery swaps that may not be asked for, because their idToken is not authorized (2.1 S02.FR.03)."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.common.authorization.judge import MEANING, Rule, judge, place_of
from services.common.calls.stations import Stations
from services.common.commands.command import Command, Unrenderable
from services.common.commands.dispatcher import Unfit
from services.common.kafka.table import CompactedTable
from services.common.postgres.database import Connection
from services.common.process.clock import Clock
from services.ocpp.errors import ErrorCode
from services.ocpp.id_tokens import Authorization, IdToken, Token, find, find_group

SWAP = "RequestBatterySwap"
FIELD = "idToken.idToken"


def swaps_of_the_unauthorized(tokens: CompactedTable[Token], stations: Stations, clock: Clock) -> Unfit:
    """What holds back requests of swaps for an idToken that is not accepted; also of those that have waited since."""

    async def unfit(_: Connection, commands: Sequence[Command]) -> Mapping[str, Unrenderable]:
        found: dict[str, Unrenderable] = {}
        for command in commands:
            if command.action == SWAP and (presented := _presented(command.payload)):
                if find(presented, tokens.get) is None:
                    # It may have been registered just now.
                    await tokens.catch_up()
                if refused := _refused(presented, command.station_id):
                    found[command.id] = refused
        return found

    def _refused(presented: IdToken, station_id: str) -> Unrenderable | None:
        known = find(presented, tokens.get)
        place = place_of(station_id, stations.registration(station_id))
        info = judge(presented, known, clock(), place, group=find_group(known, tokens.get), starts=True)
        if info.status == Authorization.ACCEPTED:
            return None
        why = f"is not authorized (S02.FR.03): {info.status.value}, {MEANING[Rule(info.rule)]}"
        return Unrenderable(ErrorCode.PROPERTY_CONSTRAINT_VIOLATION, f"{FIELD} {why}", {FIELD: why})

    return unfit


def _presented(payload: Mapping[str, Any]) -> IdToken | None:
    """None where the payload breaks its schema, which is said elsewhere."""
    token = payload.get("idToken")
    if not isinstance(token, Mapping) or not isinstance(token.get("idToken"), str):
        return None
    return IdToken(token["idToken"], token.get("type"))
