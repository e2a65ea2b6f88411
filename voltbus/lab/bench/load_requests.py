"""What the benchmark tells its load processes: a JSON object a line on their standard input, a tally for each back."""

import json
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Make:
    """Stations are made, beside those that are there, each with an id made of prefix and number.

    of: stations of all loads. profile: their security profile; from 2 on certificates: the folder of the authority.
    """

    prefix: str
    version: str
    script: str
    numbers: list[int]
    of: int
    profile: int = 1
    certificates: str = ""


@dataclass(frozen=True, slots=True)
class Connect:
    """Those that were made connect, `at_a_time` at most. boot: each boots as soon as it is in. deflate: they offer
    permessage-deflate.
    """

    url: str
    boot: bool = False
    deflate: bool = False
    at_a_time: int = 200


@dataclass(frozen=True, slots=True)
class Open:
    """Stations get into the state that is measured."""


@dataclass(frozen=True, slots=True)
class Run:
    """Stations call for so many seconds: `rate` messages a second over the stations of all loads, None for no limit.

    at: when, on the clock of perf_counter, which all processes of a machine share. overtime: seconds after the end in
    which what is due is still sent.
    """

    rate: float | None
    seconds: float
    at: float
    overtime: float


@dataclass(frozen=True, slots=True)
class Leave:
    """Stations disconnect."""


Request = Make | Connect | Open | Run | Leave
_KINDS: dict[str, type[Request]] = {kind.__name__: kind for kind in (Make, Connect, Open, Run, Leave)}


def write(order: Request) -> bytes:
    """One line."""
    return json.dumps({"order": type(order).__name__, **asdict(order)}).encode() + b"\n"


def read(line: bytes) -> Request:
    """What `write` wrote."""
    fields: dict[str, Any] = json.loads(line)
    return _KINDS[fields.pop("order")](**fields)
