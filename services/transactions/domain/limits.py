"""Limits of a transaction that an operator sets, and what its station says of them (2.1 E16). Pure.

By name: cost (a decimal number as text, in the currency of its tariff), energy_wh, time_s (from its start), soc (%).
"""

from collections.abc import Collection, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import msgspec

Amount = str | float
NOTHING: Mapping[str, Amount] = MappingProxyType({})
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
    before: what was said before it was changed, which the station's own limits may be.
    """

    wanted: Mapping[str, Amount]
    author: str | None = None
    told: int | None = None
    said: tuple[str, ...] = ()
    before: Mapping[str, Amount] = NOTHING


def changed(limit: TransactionLimit | None, wanted: Mapping[str, Amount], author: str | None) -> TransactionLimit:
    """A limit that is set, or another one; the same object where that is nothing new.

    What is not given stays: what was once said cannot be taken back (E16.FR.17).
    """
    if limit is None:
        return TransactionLimit(dict(wanted), author)
    wanted = {**limit.wanted, **wanted}
    if wanted == limit.wanted:
        return limit
    before = {**limit.before, **{name: limit.wanted[name] for name in limit.said}}
    return TransactionLimit(wanted, author, before=before)


def to_say(limit: TransactionLimit, reported: Any, supported: Collection[str]) -> dict[str, Amount]:
    """What a station is to be told: what it keeps to (E16.FR.12) and has no limit for that is as low (E16.FR.08).

    reported: what it says of its limits.
    """
    return {
        name: amount
        for name, amount in limit.wanted.items()
        if KINDS[name] in supported and not _has_as_low(limit, name, reported)
    }


def unsupported(names: Collection[str], supported: Collection[str]) -> list[str]:
    """Those that a station does not keep to, as far as it has said."""
    return [name for name in names if KINDS[name] not in supported]


def status(limit: TransactionLimit, reported: Any, reported_in: int | None) -> LimitStatus:
    """reported, reported_in: what the station says of its limits, and the order of the report that it said it in."""
    if limit.told is None:
        is_within = all(_has_as_low(limit, name, reported) for name in limit.wanted)
        return LimitStatus.WITHIN if is_within else LimitStatus.WAITING
    taken = all(_is_within(_own(name, reported), limit.wanted[name]) for name in limit.said)
    confirmed = reported_in is not None and reported_in > limit.told and taken
    return LimitStatus.CONFIRMED if confirmed else LimitStatus.TOLD


def _has_as_low(limit: TransactionLimit, name: str, reported: Any) -> bool:
    """Whether the station has a limit that is as low, and other than what it was told before (E16.FR.14)."""
    own, before = _own(name, reported), limit.before.get(name)
    return _is_within(own, limit.wanted[name]) and (before is None or own != float(before))


def _is_within(own: float | None, amount: Amount) -> bool:
    return own is not None and own <= float(amount)


def _own(name: str, reported: Any) -> float | None:
    own = reported.get(WORDS[name]) if isinstance(reported, Mapping) else None
    return own if isinstance(own, int | float) else None
