"""Every list of the REST APIs, and how rows come to stand at a place in its order."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from services.common.postgres.database import Connection
from tests.integration.common.running import START

Row = Mapping[str, Any]


@dataclass(frozen=True)
class List:
    """row: of a place: the larger, the later in the order that the list or its reverse has.

    key: the column that tells rows apart; shown: the same in an item.
    """

    service: str
    path: str
    table: str
    key: str
    shown: str
    row: Callable[[int], Row]

    async def add(self, db: Connection, place: int) -> None:
        row = self.row(place)
        values = ", ".join(f"${n}" for n in range(1, len(row) + 1))
        columns = ", ".join(f'"{name}"' for name in row)
        sql = f"insert into {self.table} ({columns}) overriding system value values ({values})"
        await db.execute(sql, *row.values())

    async def remove(self, db: Connection, place: int) -> None:
        await db.execute(f"delete from {self.table} where {self.key} = $1", self.row(place)[self.key])

    def name(self, place: int) -> Any:
        value = self.row(place)[self.key]
        return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value


def at(place: int) -> datetime:
    return START + timedelta(seconds=place)


def message(place: int) -> Row:
    # Two of one moment, so that only the id tells them apart.
    said = {"version": "1.6", "action": "DataTransfer", "message_id": "1", "payload": "{}"}
    return {"call_id": f"c{place:05}", "station_id": "CP1", "received_at": at(place // 2), **said}


def command(place: int) -> Row:
    until = {"created_at": START, "expires_at": START, "status": "cancelled"}
    return {"id": f"c{place:05}", "number": place, "station_id": "CP1", "action": "Reset", "payload": "{}", **until}


def boot(place: int) -> Row:
    said = {"version": "1.6", "status": "Accepted", "interval_seconds": 1, "payload": "{}"}
    return {"call_id": f"c{place:05}", "station_id": "CP1", "received_at": at(place // 2), **said}


def refused(place: int) -> Row:
    said = {"version": "1.6", "action": "Authorize", "message_id": "m", "code": "c", "description": "d", "frame": "f"}
    return {"id": f"r{place:05}", "station_id": "CP1", "received_at": at(place // 2), **said}


def refused_station(place: int) -> Row:
    told = {"reason": "unknown_station", "times": 1, "first_at": START, "remote_address": "", "subprotocols": ""}
    return {"station_id": f"S{place:05}", "last_at": at(place // 2), **told}


def disconnection(place: int) -> Row:
    said = {"connection_id": "c", "code": 1000, "reason": "r", "author": "a"}
    return {"id": f"d{place:05}", "station_id": "CP1", "at": at(place // 2), **said}


def status_change(place: int) -> Row:
    of = {"station_id": "CP1", "evse_id": 1, "connector_id": 1, "status": "Available", "matters": False}
    return {
        "call_id": f"c{place:05}",
        "info": f"c{place:05}",
        "happened_at": at(place // 2),
        "received_at": START,
        **of,
    }


def maintenance_window(place: int) -> Row:
    said = {"begin_at": START, "end_at": at(1), "reason": "r", "author": "a", "changed_at": START}
    return {"id": f"w{place:05}", "station_id": "CP1", **said}


def registered(place: int) -> Row:
    return {"station_id": f"S{place:05}", "registered_at": START, "changed_at": START}


def location(place: int) -> Row:
    return {"location_id": f"l{place:05}", "registered_at": START, "changed_at": START}


def id_token(place: int) -> Row:
    name = f"t{place:05}"
    said = {"type": "Central", "status": "Accepted", "registered_at": START, "changed_at": START}
    return {"key": name, "id_token": name, **said}


def transaction(place: int) -> Row:
    times = {"started_at": START, "started_received_at": START, "updated_at": START}
    told = {
        "offline": False,
        "register_jumped_back": False,
        "details": "{}",
        "state": '{"register": null, "seen": [], "told": {}}',
    }
    names = {"station_id": "CP1", "key": f"k{place}", "transaction_id": f"t{place}"}
    return {"id": place, **names, **times, **told, "occurrence": 1, "revision": 1}


def sample(place: int) -> Row:
    # Two of one moment of the station's clock.
    of = {"transaction_id": 7, "taken_at": at(place // 2)}
    return of | {"received_at": at(place), "digest": place, "readings": "[]"}


def station_sample(place: int) -> Row:
    return {"station_id": "CP1", "taken_at": at(place), "received_at": START, "digest": place, "readings": "[]"}


def orphan(place: int) -> Row:
    times = {"stopped_at": at(place), "received_at": START}
    return {"id": place, "call_id": "c", "station_id": "CP1", "transaction_id": f"t{place}", **times}


def site(place: int) -> Row:
    limit = {"limit_value": 96.0, "limit_unit": "A", "phases": 3, "voltage": 230.0}
    return {"site_id": f"s{place:05}", **limit, "created_at": START, "changed_at": START}


def stored_profile(place: int) -> Row:
    schedule = {"unit": "A", "periods": [{"start": 0, "limit": 6}]}
    profile = {"id": 1, "purpose": "TxDefaultProfile", "schedule": schedule}
    return {"name": f"p{place:05}", "profile": json.dumps(profile), "changed_at": START}


def webhook(place: int) -> Row:
    fits: Row = {"types": [], "stations": [], "groups": []}
    times = {"created_at": START, "changed_at": START}
    return {"webhook_id": f"w{place:05}", "url": "", **fits, "secret": b"", "enabled": False, **times}


def of_every_service(service: str) -> Iterator[List]:
    yield List(service, "/v1/stations/CP1/messages", "recorded_message", "call_id", "id", message)
    yield List(service, "/v1/commands", "command", "id", "command_id", command)


LISTS = [
    *(one for service in ("auth", "transactions", "smartcharging", "firmware") for one in of_every_service(service)),
    List("auth", "/v1/stations", "station", "station_id", "station_id", registered),
    List("auth", "/v1/locations", "location", "location_id", "location_id", location),
    List("auth", "/v1/tokens", "token", "key", "id_token", id_token),
    List("transactions", "/v1/transactions", "transaction", "id", "id", transaction),
    List("transactions", "/v1/transactions/7/samples", "sample", "received_at", "received_at", sample),
    List("transactions", "/v1/stations/CP1/samples", "station_sample", "taken_at", "taken_at", station_sample),
    List("transactions", "/v1/orphans", "orphan_stop", "id", "id", orphan),
    List("smartcharging", "/v1/sites", "site", "site_id", "site_id", site),
    List("smartcharging", "/v1/profiles", "stored_profile", "name", "name", stored_profile),
    List("firmware", "/v1/stations", "station", "station_id", "station_id", lambda n: {"station_id": f"S{n:05}"}),
    List("firmware", "/v1/webhooks", "webhook", "webhook_id", "webhook_id", webhook),
    List("firmware", "/v1/stations/CP1/boots", "recorded_boot", "call_id", "id", boot),
    List("firmware", "/v1/stations/refused", "refused_station", "station_id", "station_id", refused_station),
    List("firmware", "/v1/stations/CP1/disconnects", "disconnection", "id", "id", disconnection),
    List("firmware", "/v1/stations/CP1/status-history", "status_change", "info", "info", status_change),
    List("firmware", "/v1/maintenance-windows", "maintenance_window", "id", "id", maintenance_window),
    List("firmware", "/v1/stations/CP1/refused", "refused", "id", "id", refused),
]
