"""Local authorization lists: what stations are to have, and the next message that brings one there (D01). Pure.

An entry is the AuthorizationData of the station's version, by a key that identifies it. A list that is larger than a
message is brought there message by message: a Full one with the beginning, Differential ones with the rest, each with
a version number of its own. No number is used for two contents, so that the version that a station says tells what it
has, whatever answers were lost.
"""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeAlias

import orjson

from services.common.authorization.judge import Place, judge
from services.common.splitting import LARGEST_MESSAGE, MessageLimit, fitting, message_size
from services.ocpp.id_tokens import (
    CENTRAL,
    KEY_CODE,
    LISTS,
    NO_AUTHORIZATION,
    Authorization,
    IdToken,
    Token,
    TokenInfo,
    token_key,
)

Entry: TypeAlias = Mapping[str, Any]
# By key.
Entries: TypeAlias = Mapping[str, Entry]

# These no station decides about by a list: a key code is told to nobody (C04.FR.04), the others are no driver's.
UNLISTED = frozenset({KEY_CODE, NO_AUTHORIZATION, CENTRAL})
# IdTokens of a list; no station keeps more.
LONGEST_LIST = 20_000
# Of a message to a station that has not said how many it takes.
ITEMS = 100
# What a version number has room for at stations.
HIGHEST_VERSION = 2**31 - 1
NO_LIMIT, ANYWHERE = MessageLimit(), Place("")


@dataclass(frozen=True, slots=True)
class ListRule:
    """What a group's list has: the accepted idTokens of token groups, and those that are named, whatever they are."""

    token_groups: tuple[str, ...] = ()
    id_tokens: tuple[str, ...] = ()

    @property
    def keys(self) -> frozenset[str]:
        """Of those that are named."""
        return frozenset(map(token_key, self.id_tokens))


@dataclass(frozen=True, slots=True)
class Limits:
    """What a station takes, as far as it has said so. entries: of its list. message: of one SendLocalList."""

    entries: int | None = None
    message: MessageLimit = NO_LIMIT

    @property
    def of_message(self) -> MessageLimit:
        """One that it has not spoken of is small."""
        return MessageLimit(self.message.items or ITEMS, min(self.message.bytes or LARGEST_MESSAGE, LARGEST_MESSAGE))


@dataclass(frozen=True, slots=True)
class ListWords:
    """How a version says lists.

    entry: an idToken with what is judged of it; None where the version has no room for it. key: identifies an entry.
    removed: an entry that is to go. message: the payload of SendLocalList. version:
    the station's, in its answer to GetLocalListVersion; None where it has no lists. sent_version: of a SendLocalList.
    """

    entry: Callable[[Token, TokenInfo], Entry | None]
    key: Callable[[Entry], str]
    removed: Callable[[Entry], Entry]
    message: Callable[[int, bool, Sequence[Entry]], dict[str, Any]]
    version: Callable[[Any], int | None]
    sent_version: Callable[[Any], int]


@dataclass(frozen=True, slots=True)
class Message:
    """One SendLocalList. after: what the station has then. whole: updateType Full."""

    version: int
    whole: bool
    items: Sequence[Entry] = field(repr=False)
    after: Entries = field(repr=False)


def listed(
    rule: ListRule, tokens: Mapping[str, Token], words: ListWords, now: datetime, place: Place | None = None
) -> tuple[Entries, int]:
    """What the rule comes to, and how many idTokens the version has no room for.

    tokens: by key, those that the rule is about and those that their groups are called by. place: the station; None:
    anywhere, as if all might charge there.
    """
    keys = {key for key, one in tokens.items() if one.group_id in rule.token_groups} | (rule.keys & tokens.keys())
    # What an outside authorizer has said lapses soon.
    keys = {key for key in keys if tokens[key].outside_until is None}
    found: dict[str, Entry] = {}
    left_out = 0
    for key in sorted(keys):
        token = tokens[key]
        info = _judged(token, tokens, now, place)
        if token.type in UNLISTED or (key not in rule.keys and info.status != Authorization.ACCEPTED):
            continue
        if (entry := words.entry(token, info)) is None:
            left_out += 1
        else:
            found[words.key(entry)] = entry
    return found, left_out


def is_bound(token: Token) -> bool:
    """Whether it may charge at some places alone, so that lists differ from station to station."""
    return any(getattr(token, name) for name in LISTS)


def _judged(token: Token, tokens: Mapping[str, Token], now: datetime, place: Place | None) -> TokenInfo:
    """A list outlives caches: what an entry says ends with its idToken, and not before."""
    group = tokens.get(token_key(token.group_id)) if token.group_id else None
    group = group if group and group.type == CENTRAL else None
    anywhere: dict[str, Any] = dict.fromkeys(LISTS, ())
    known = token if place else replace(token, **anywhere)
    info = judge(IdToken(token.id_token, token.type), known, now, place or ANYWHERE, group=group)
    return replace(info, cache_expires_at=info.expires_at)


def mark(tokens: Mapping[str, Token], now: datetime) -> str:
    """Another one as soon as a list of these may be another one anywhere."""
    said = [
        (
            key,
            repr(one),
            one.expires_at is not None and one.expires_at <= now,
            one.valid_from is None or one.valid_from <= now,
        )
        for key, one in sorted(tokens.items())
    ]
    return hashlib.sha256(repr(said).encode()).hexdigest()


def fingerprint(entries: Entries) -> str:
    """The same for the same content."""
    return hashlib.sha256(
        orjson.dumps([entries[key] for key in sorted(entries)], option=orjson.OPT_SORT_KEYS)
    ).hexdigest()


def changes(known: Entries, desired: Entries, words: ListWords) -> list[tuple[str, Entry]]:
    """What makes one the other, by key: first what goes, so that no list grows beyond both."""
    gone = [(key, words.removed(known[key])) for key in sorted(known.keys() - desired.keys())]
    return gone + [(key, desired[key]) for key in sorted(desired) if known.get(key) != desired[key]]


def next_message(
    known: Entries | None,
    desired: Entries,
    words: ListWords,
    limits: Limits,
    last_version: int,
    withdrawn: Collection[str] = (),
) -> Message | None:
    """The next message for a station; None where nothing is to be said.

    known: what it has; None where that is not known, which only a Full list ends (D01.FR.03). last_version: the highest
    that was ever used or heard (D01.FR.18, FR.19). withdrawn: keys that are to go alone, as changes (N10.FR.02).
    """
    before: Entries = {} if known is None else known
    different = changes(before, desired, words)
    if known is not None and not different:
        return None
    version = last_version + 1 if last_version < HIGHEST_VERSION else 1
    larger = len(different) > len(desired) + len(before.keys() & set(withdrawn))
    whole = known is None or version == 1 or larger
    if whole:
        before, different = {}, changes({}, desired, words)
    some = different[: _count(different, words, limits, version, whole)]
    changed = dict(some)
    after = {key: entry for key, entry in before.items() if key not in changed}
    after |= {key: entry for key, entry in changed.items() if key in desired}
    return Message(version, whole, [entry for _, entry in some], after)


def _count(items: Sequence[tuple[str, Entry]], words: ListWords, limits: Limits, version: int, whole: bool) -> int:
    """How many of the items the next message holds: one at least, where there is one."""
    around = message_size(words.message(version, whole, [])) + len(b',"localAuthorizationList":[]')
    return max(1, fitting([entry for _, entry in items], limits.of_message, around))
