"""The operator of a case: what is done and seen by REST and by the events on Kafka, and no other way."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote

import httpx

from services.ocpp.commands import owners
from tests.clients.events import enum_word
from tests.clients.system import System, eventually
from tests.patience import GIVE_UP

# Seconds that one request stays open for a command to end.
WAIT = 30
ENDED = {"answered", "rejected", "expired", "undeliverable", "cancelled"}


class Operator:
    """patience: seconds for which something is waited for."""

    def __init__(self, system: System, patience: float = GIVE_UP) -> None:
        self._system, self.patience = system, patience

    # What the operator does.

    async def request(self, method: str, service: str, path: str, body: Any = None, **query: Any) -> httpx.Response:
        """A request and what comes of it, whatever that is."""
        return await self._system.ask(method, service, path, json=body, params=query)

    async def put(self, service: str, path: str, body: Any) -> Any:
        return _ok(await self.request("PUT", service, path, body))

    async def post(self, service: str, path: str, body: Any = None, **query: Any) -> Any:
        return _ok(await self.request("POST", service, path, body, **query))

    async def command(self, station_id: str, action: str, payload: Any = None, **query: Any) -> "Command":
        """Has a station asked in OCPP's own words."""
        return await self.act(owners()[action], station_id, f"commands/{action}", payload or {}, **query)

    async def act(self, service: str, station_id: str, verb: str, body: Any, **query: Any) -> "Command":
        """Has something done by a station: POST /v1/stations/{station_id}/{verb}."""
        told = await self.post(service, f"{_station(station_id)}/{verb}", body, **query)
        return Command(self, service, told["command_id"])

    async def start(self, station_id: str, id_token: str, **more: Any) -> "Command":
        """A remote start."""
        return await self.act("transactions", station_id, "start", {"id_token": id_token} | more)

    async def stop(self, station_id: str, transaction_id: str) -> "Command":
        """A remote stop, by the station's own name of the transaction."""
        return await self.act("transactions", station_id, "stop", {"transaction_id": transaction_id})

    async def reset(self, station_id: str, kind: str, **more: Any) -> "Command":
        """kind: on_idle, or soft for at once."""
        return await self.act("firmware", station_id, "reset", {"type": kind} | more)

    async def trigger(self, station_id: str, message: str, **more: Any) -> "Command":
        return await self.act("firmware", station_id, "trigger", {"message": message} | more)

    async def clear_profiles(self, station_id: str, **criteria: Any) -> "Command":
        """Has charging profiles cleared: by id, or by evse_id, purpose and stack_level."""
        path = f"{_station(station_id)}/profiles"
        told = _ok(await self.request("DELETE", "smartcharging", path, **criteria))
        return Command(self, "smartcharging", told["command_id"])

    async def admit(self, id_token: str, **more: Any) -> None:
        """Registers an idToken."""
        await self._system.admit(id_token, **more)

    async def boot_verdict(self, station_id: str, status: str) -> None:
        """Orders how the station is answered when it boots next."""
        await self.put("firmware", f"{_station(station_id)}/boot", {"status": status})

    async def configure(self, station_id: str, settings: Mapping[str, str]) -> None:
        """Has settings of a station set, by their own names."""
        await self.put("firmware", f"{_station(station_id)}/configuration", {"settings": settings})

    async def refresh(self, station_id: str, **what: Any) -> "Refresh":
        """Has settings read again: names, or the report of all that there are."""
        told = await self.post("firmware", f"{_station(station_id)}/configuration/refresh", what)
        return Refresh(told["request_id"], [Command(self, "firmware", one["command_id"]) for one in told["commands"]])

    # What the operator sees.

    async def get(self, service: str, path: str, **query: Any) -> Any:
        return _ok(await self.request("GET", service, path, **query))

    async def until(self, service: str, path: str, wanted: Callable[[Any], bool], **query: Any) -> Any:
        """What REST shows, once it is what is wanted: a service hears of what others have done a moment after."""
        return await eventually(partial(self.get, service, path, **query), wanted, self.patience)

    async def station(self, station_id: str, wanted: Callable[[Any], bool] = bool) -> Any:
        """A station in the inventory, once it is as wanted."""
        return await self.until("firmware", _station(station_id), wanted)

    async def connector(self, station_id: str, status: str, evse_id: int = 1) -> Any:
        """The station in the inventory, once a connector has that status."""
        return await self.station(station_id, lambda seen: _statuses(seen).get(evse_id) == status)

    async def settings(self, station_id: str, wanted: Mapping[str, str]) -> None:
        """Waits until the settings of a station are known, these among them and with these values."""

        def known(view: Any) -> bool:
            return {(one["name"], one["value"]) for one in view["items"]} >= set(wanted.items())

        await self.until("firmware", f"{_station(station_id)}/configuration", known)

    async def transaction(self, transaction_id: str, wanted: Callable[[Any], bool] = bool, *, of: str) -> Any:
        """A transaction by the name that the station `of` gave it, once it is as wanted."""

        def found(page: Any) -> list[Any]:
            return [one for one in page["items"] if one["transaction_id"] == transaction_id and wanted(one)]

        page = await self.until("transactions", "/v1/transactions", lambda page: bool(found(page)), station_id=of)
        return found(page)[0]

    async def samples(self, transaction_id: str, wanted: Callable[[list[Any]], bool], *, of: str) -> list[Any]:
        """The meter values of a transaction, in the order of the station's clock, once they are as wanted."""
        found = await self.transaction(transaction_id, of=of)
        path = f"/v1/transactions/{found['id']}/samples"
        page = await self.until("transactions", path, lambda page: wanted(page["items"]))
        items: list[Any] = page["items"]
        return items

    async def profiles(self, station_id: str, wanted: Callable[[Any], bool]) -> Any:
        """The charging profiles of a station as smartcharging shows them, once they are as wanted."""
        return await self.until("smartcharging", f"{_station(station_id)}/profiles", wanted)

    async def messages(self, service: str, station_id: str, action: str) -> list[Any]:
        """What a station has reported, as it is kept by a service; the newest first."""
        page = await self.until(
            service, f"{_station(station_id)}/messages", lambda page: bool(page["items"]), action=action
        )
        items: list[Any] = page["items"]
        return items

    async def reported(self, service: str, station_id: str, action: str, count: int = 1) -> list[Any]:
        """So many messages of a station, the oldest first: each as a service keeps it and tells other systems of it."""
        page = await self.until(
            service, f"{_station(station_id)}/messages", lambda page: len(page["items"]) == count, action=action
        )
        for item in page["items"]:
            await self.event(station_id, "MessageRecorded", partial(_is_about, item["message_id"]))
        return [item["payload"] for item in reversed(page["items"])]

    async def event(self, station_id: str, kind: str, wanted: Callable[[Any], bool] = lambda _: True) -> Any:
        """The first event of that kind about a station that is as wanted, past or to come; what it says."""

        def told() -> list[Any]:
            events = self._system.feed.events
            bodies = [event.body for event in events if event.kind == kind and event.key == station_id]
            return [body for body in bodies if wanted(body)]

        return (await self._system.feed.until(told, self.patience))[0]


@dataclass(frozen=True, slots=True)
class Command:
    """What an operator has asked of a station."""

    operator: Operator
    service: str
    id: str

    async def ended(self) -> Any:
        """The command as REST shows it, when it has ended."""
        return await self.operator.until(
            self.service, f"/v1/commands/{self.id}", lambda command: command["status"] in ENDED, wait=WAIT
        )

    async def answered(self, effect: str | None = None) -> Any:
        """The command when the station has answered it, and others are told so.

        effect: what its answer means, where that matters.
        """
        command = await self.ended()
        assert command["status"] == "answered", command
        assert effect in (None, command["effect"]), command
        said = ("answered", command["effect"] or "")

        def told(event: Any) -> bool:
            return event.command_id == self.id and (enum_word(event), enum_word(event, "effect")) == said

        await self.operator.event(command["station_id"], "CommandChanged", told)
        return command


@dataclass(frozen=True, slots=True)
class Refresh:
    """What an operator has asked to be read. request_id: of the report, where it is one."""

    request_id: int | None
    commands: list[Command]


def is_ended(seen: Any) -> bool:
    """Of a transaction."""
    return bool(seen["status"] == "ended")


def _is_about(message_id: str, recorded: Any) -> bool:
    return bool(recorded.message_id == message_id)


def _station(station_id: str) -> str:
    return f"/v1/stations/{quote(station_id, safe='')}"


def _statuses(seen: Any) -> dict[int, str]:
    return {evse["evse_id"]: connector["status"] for evse in seen["evses"] for connector in evse["connectors"]}


def _ok(response: httpx.Response) -> Any:
    assert response.is_success or response.status_code == 404, f"{response.url}: {response.status_code} {response.text}"
    response.raise_for_status()
    return response.json()
