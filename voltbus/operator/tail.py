"""`voltbus tail`: the log of a station, what is kept of it and then as it grows."""

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Any

from rich.console import Console
from rich.text import Text

from voltbus.errors import LocalError
from voltbus.operator.output import json_text, terminal, visible
from voltbus.operator.rest import NotThere, Rest, installation, segment

# Seconds without a sign of life, after which the connection is taken to be lost; and until it is made again.
_SILENT, _AGAIN = 40.0, 1.0
# Items that are remembered, so that none is shown twice; and more than there are.
_REMEMBERED, _ALL = 1000, 10**9
_ARROWS = {"in": "→", "out": "←", None: "·"}
_FAILED = frozenset({"refused", "invalid", "timed_out", "undelivered", "late", "unanswered"})


def run(
    station: str, before: int, since: str | None, follow: bool, as_json: bool, **filters: str | bool | None
) -> None:
    """Prints them. since: instead of the last ones. Raises LocalError."""
    rest = installation()
    log = _Log(rest, f"/v1/stations/{segment(station)}/log", filters)
    out = terminal()
    if not follow:
        for item in (kept := list(log.kept(before, since))):
            show(out, item, as_json)
        if not kept:
            rest.get("firmware", f"/v1/stations/{segment(station)}")
        return
    _say_if_unknown(rest, station)
    for item in log.follow(before, since, lambda problem: out.print(Text(f"connecting again: {problem}", "dim"))):
        show(out, item, as_json)


def _say_if_unknown(rest: Rest, station: str) -> None:
    """It may come yet: whoever waits for it is told that it has not."""
    try:
        rest.get("firmware", f"/v1/stations/{segment(station)}")
    except NotThere as error:
        print(f"voltbus: {error}", file=sys.stderr)


class _Log:
    """That of one station. shown: the last items, as they were."""

    def __init__(self, rest: Rest, path: str, filters: Mapping[str, str | bool | None]) -> None:
        self._rest, self._path, self._filters = rest, path, filters
        self._shown: dict[str, Any] = {}

    def kept(self, before: int, since: str | None) -> Iterator[Any]:
        """Those that are there already, the oldest first. Raises LocalError."""
        if since:
            yield from self._rest.items("firmware", self._path, _ALL, since=since, order="oldest", **self._filters)
        elif before:
            yield from reversed(self._rest.items("firmware", self._path, before, **self._filters))

    def follow(self, before: int, since: str | None, lost: Callable[[LocalError], None]) -> Iterator[Any]:
        """The same, and then what comes; without end. lost: hears why the connection is made again."""
        connected = False
        while True:
            try:
                # What is kept is read when nothing new is missed any more.
                with self._rest.events("firmware", f"{self._path}/tail", _SILENT, **self._filters) as events:
                    connected = True
                    for item in chain(self.kept(before, since), events):
                        if self._shown.get(item["id"]) != item:
                            self._remember(item)
                            since = item["at"]
                            yield item
            except LocalError as error:
                if not connected:
                    raise
                lost(error)
            before = 0
            time.sleep(_AGAIN)

    def _remember(self, item: Any) -> None:
        self._shown[item["id"]] = item
        if len(self._shown) > _REMEMBERED:
            del self._shown[next(iter(self._shown))]


def show(out: Console, item: Mapping[str, Any], as_json: bool) -> None:
    """One a line: when, whose, how it ended, by whom and how fast, then what it says and what was answered."""
    if as_json:
        out.out(json_text(item), highlight=False)
        return
    bad = item["outcome"] in _FAILED or item["kind"] in ("refused", "dropped", "left_out")
    text = Text(item["at"][11:23].ljust(12, "0"), "dim")
    text.append(f" {_ARROWS[item['direction']]} ", "bold")
    text.append(visible(item["action"] or item["kind"]), "bold red" if bad else "bold")
    text.append(visible(f" {_ended(item)}".rstrip()), "red" if bad else "green")
    text.append(visible(_said("", item["payload"]))).append(visible(_said("⇒ ", item["answer"])), "green")
    text.append(visible(f" {item['message_id']}".rstrip()), "dim")
    if out.is_terminal:
        out.print(text, no_wrap=True, overflow="ellipsis", highlight=False)
    else:
        out.print(text, soft_wrap=True, highlight=False)


def _ended(item: Mapping[str, Any]) -> str:
    by = f"by {item['answered_by']}" if item["answered_by"] else ""
    latency = "" if item["latency_ms"] is None else f"{item['latency_ms']:.0f} ms"
    size = f"{item['size']} frames" if item["kind"] == "left_out" else ""
    outcome = item["outcome"] if item["outcome"] != item["kind"] else ""
    words = (outcome, by, latency, size, item["error_code"], item["error_description"])
    return " ".join(filter(None, words))


def _said(before: str, payload: Any) -> str:
    if payload is None:
        return ""
    return f" {before}{payload if isinstance(payload, str) else json.dumps(payload, ensure_ascii=False)}"
