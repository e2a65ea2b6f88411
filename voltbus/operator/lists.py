"""`voltbus stations`, `voltbus refused` and `voltbus sessions`: lists of REST as tables."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from voltbus.operator.output import counted, print_json, seconds, table, terminal
from voltbus.operator.rest import installation

Item = Mapping[str, Any]

STATIONS = ("station", "groups", "online", "OCPP", "security", "model", "firmware", "boot", "connectors", "last seen")
REFUSED = ("station", "reason", "times", "first", "last", "address", "connected from", "offers", "registered")
SESSIONS = ("id", "station", "EVSE", "started", "stopped", "energy", "card", "status", "review")

TIMES = ("started", "stopped", "first", "last", "last seen")


def stations(limit: int, as_json: bool, **filters: Any) -> None:
    """Prints the stations that are registered or were ever here, by id. Raises LocalError."""
    _show("firmware", "/v1/stations", limit, as_json, STATIONS, _station, "station", filters)


def refused(limit: int, as_json: bool, **filters: Any) -> None:
    """Prints ids that knocked and were not let in, the newest first. Raises LocalError."""
    _show("firmware", "/v1/stations/refused", limit, as_json, REFUSED, _refused, "id", filters)


def sessions(limit: int, as_json: bool, **filters: Any) -> None:
    """Prints sessions, the newest first. Raises LocalError."""
    _show("transactions", "/v1/transactions", limit, as_json, SESSIONS, _session, "session", filters)


def _show(
    service: str,
    path: str,
    limit: int,
    as_json: bool,
    columns: Sequence[str],
    cells: Callable[[Item], Sequence[str]],
    noun: str,
    filters: Mapping[str, Any],
) -> None:
    found = installation().items(service, path, limit + 1, **filters)
    shown = found[:limit]
    if as_json:
        return print_json(shown)
    out = terminal()
    if shown:
        out.print(table(columns, map(cells, shown), unbroken=(columns[0], *TIMES)))
    more = ", and more (--limit)" if len(found) > limit else ""
    out.print(f"{counted(len(shown), noun)}{more}", highlight=False)
    return None


def _station(item: Item) -> Sequence[str]:
    model = " ".join(filter(None, (item["vendor"], item["model"])))
    online = "quarantined" if item["quarantined"] else "yes" if item["online"] else "no"
    return (
        item["station_id"],
        "\n".join(item["groups"]),
        online,
        item["version"] or "",
        _security(item.get("security")),
        model,
        item["firmware_version"] or "",
        item["boot_status"] or "",
        "\n".join(_connectors(item)),
        seconds(item["last_seen_at"]),
    )


def _security(said: Item | None) -> str:
    """`3, TLSv1.3`, and when the certificate ends."""
    if said is None:
        return ""
    spoken = ", ".join(filter(None, (str(said["profile"]), said["tls_version"])))
    return f"{spoken}\nto {said['certificate']['not_after'][:10]}" if said["certificate"] else spoken


def _refused(item: Item) -> Sequence[str]:
    registered = "yes" if item["registered"] else "quarantined" if item["quarantined"] else "no"
    return (
        item["station_id"],
        item["reason"],
        str(item["times"]),
        seconds(item["first_at"]),
        seconds(item["last_at"]),
        item["remote_address"],
        item.get("connected_from") or "",
        item["subprotocols"],
        registered,
    )


def _connectors(item: Item) -> Iterator[str]:
    """`1: Charging`; `1/2: Available` where an EVSE has several."""
    for evse in item["evses"]:
        for connector in evse["connectors"]:
            several = len(evse["connectors"]) > 1
            number = f"{evse['evse_id']}/{connector['connector_id']}" if several else str(evse["evse_id"])
            yield f"{number}: {connector['status']}"


def _session(item: Item) -> Sequence[str]:
    energy = "" if item["energy_wh"] is None else f"{item['energy_wh'] / 1000:.3f} kWh"
    how = item["charging_state"] if item["status"] == "active" else item["stop_reason"] or item["ended_by"]
    return (
        str(item["id"]),
        item["station_id"],
        "" if item["evse_id"] is None else str(item["evse_id"]),
        seconds(item["started_at"]),
        seconds(item["stopped_at"]),
        energy,
        item["id_token"] or "",
        f"{item['status']} ({how})" if how else item["status"],
        ", ".join(filter(None, (item["review"] if item["review"] != "none" else "", *item["doubts"]))),
    )
