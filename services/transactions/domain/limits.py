"""Limits of a transaction that an operator sets, and what its station says of them (2.1 E16). Pure.

By name: cost (a decimal number as text, in the currency of its tariff), energy_wh, time_s (from its start), soc (%).
"""

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Any

import msgspec

Amount = str | float
# What a station keeps to (Inventory of state.proto), by the name of the limit.
KINDS: Mapping[str, str] = {"cost": "cost", "energy_wh": "energy", "time_s": "time", "soc": "soc"}
# As stations tell theirs, which stands in details as they said it (TransactionLimitType).
WORDS: Mapping[str, str] = {"cost": "maxCost", "energy_wh": "maxEnergy", "time_s": "maxTime", "soc": "maxSoC"}


class LimitStatus(StrEnum):
    """waiting: for a message of the station that it can be answered to. told: the station was. confirmed: by its own
    word. within: the station has a limit of its own that is not above it."""

    WAITING = "waiting"
    TOLD = "told"
    CONFIRMED = "confirmed"
    WITHIN = "within"


class TransactionLimit(msgspec.Struct, frozen=True):
    """wanted: what an operator wants. author: who that is, where it is known.

    told: the order of the report that was answered with it; None: none yet. said: the names of what was said then.
    """

    wanted: Mapping[str, Amount]
    author: str | None = None
    told: int | None = None
    said: tuple[str, ...] = ()


def to_say(limit: TransactionLimit, reported: Any, supported: Collection[str]) -> dict[str, Amount]:
    """What a station is to be told: what it keeps to (E16.FR.12) and has no limit for that is as low (E16.FR.08).

    reported: what it says of its limits.
    """
    return {
        name: amount
        for name, amount in limit.wanted.items()
        if KINDS[name] in supported and not _is_within(name, amount, reported)
    }


def unsupported(names: Collection[str], supported: Collection[str]) -> list[str]:
    """Those that a station does not keep to, as far as it has said."""
    return [name for name in names if KINDS[name] not in supported]


def status(limit: TransactionLimit, reported: Any, reported_in: int | None) -> LimitStatus:
    """reported, reported_in: what the station says of its limits, and the order of the report that it said it in."""
    within = [name for name, amount in limit.wanted.items() if _is_within(name, amount, reported)]
    if limit.told is None:
        return LimitStatus.WITHIN if len(within) == len(limit.wanted) else LimitStatus.WAITING
    confirmed = reported_in is not None and reported_in > limit.told and set(limit.said) <= {*within}
    return LimitStatus.CONFIRMED if confirmed else LimitStatus.TOLD


def _is_within(name: str, amount: Amount, reported: Any) -> bool:
    own = reported.get(WORDS[name]) if isinstance(reported, Mapping) else None
    return isinstance(own, int | float) and own <= float(amount)
