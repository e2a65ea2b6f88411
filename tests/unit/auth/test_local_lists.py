"""What local lists have, and the messages that bring them to stations (D01, D02; 1.6 §3.5.2, §5.15)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.auth.dialects.local_lists import BY_VERSION, V16, V21, V201
from services.auth.domain.local_lists import (
    HIGHEST_VERSION,
    Entries,
    Limits,
    ListRule,
    ListWords,
    Message,
    fingerprint,
    is_bound,
    listed,
    mark,
    next_message,
)
from services.common.authorization.judge import Place
from services.common.splitting import MessageLimit, message_size
from services.ocpp.id_tokens import Authorization, Token
from services.ocpp.versions import VERSIONS

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NO_LIMITS = Limits()


def token(id_token: str, **more: Any) -> Token:
    return Token(**{"id_token": id_token, "type": "ISO14443", "status": Authorization.ACCEPTED} | more)


def by_key(*tokens: Token) -> dict[str, Token]:
    return {one.id_token.casefold(): one for one in tokens}


def entries(*names: str, words: ListWords = V16, **more: Any) -> Entries:
    return listed(ListRule(id_tokens=names), by_key(*(token(name, **more) for name in names)), words, NOW)[0]


def names(found: Entries) -> list[str]:
    return sorted(found)


@pytest.mark.parametrize("version", BY_VERSION)
def test_what_is_said_is_valid(version: str) -> None:
    """In every version, of whole lists, changes and empty ones."""
    words, schemas = BY_VERSION[version], VERSIONS[version].schemas
    before = entries("B", "C", words=words)
    after = entries("A", "B", words=words, group_id="FLEET", expires_at=NOW + timedelta(days=1), language="en")
    for message in (
        next_message(None, after, words, NO_LIMITS, 0),
        next_message(before, after, words, NO_LIMITS, 1),
        next_message(before, {}, words, NO_LIMITS, 1),
    ):
        assert message
        schemas.check_request("SendLocalList", words.message(message.version, message.whole, message.items))


def test_a_rule_has_the_accepted_tokens_of_its_groups() -> None:
    """And nothing that is refused; nor key codes, whatever is named."""
    known = by_key(
        token("A", group_id="FLEET"),
        token("B", group_id="FLEET", status=Authorization.BLOCKED),
        token("C", group_id="FLEET", expires_at=NOW),
        token("1234", group_id="FLEET", type="KeyCode"),
        token("D", group_id="OTHER"),
    )
    assert names(listed(ListRule(("FLEET",)), known, V16, NOW)[0]) == ["a"]
    assert names(listed(ListRule(("FLEET",), ("1234",)), known, V16, NOW)[0]) == ["a"]


def test_a_token_that_is_named_is_listed_as_it_is_judged() -> None:
    """1.6 §3.5.2: blocked, expired; by its group, too."""
    known = by_key(
        token("A", status=Authorization.BLOCKED),
        token("B", expires_at=NOW - timedelta(days=1)),
        token("C", group_id="FLEET"),
        token("FLEET", type="Central", status=Authorization.BLOCKED),
    )
    found, _ = listed(ListRule(id_tokens=("A", "B", "C")), known, V16, NOW)
    assert [found[key]["idTagInfo"]["status"] for key in "abc"] == ["Blocked", "Expired", "Blocked"]


def test_a_named_token_that_is_not_registered_is_not_listed() -> None:
    assert names(listed(ListRule(id_tokens=("A", "GONE")), by_key(token("A")), V16, NOW)[0]) == ["a"]


def test_a_token_is_listed_where_it_may_charge() -> None:
    """And as refused where it is named; at which EVSEs, in 2.x (C01.FR.20)."""
    known = by_key(
        token("A", group_id="FLEET", allowed_groups=("vienna",)),
        token("B", group_id="FLEET", denied_stations=("CP1",)),
        token("C", group_id="FLEET", evses=("CP1/2",)),
    )
    here, there = Place("CP1", ("vienna",)), Place("CP2")
    assert names(listed(ListRule(("FLEET",)), known, V201, NOW, here)[0]) == ["a", "c"]
    assert names(listed(ListRule(("FLEET",)), known, V201, NOW, there)[0]) == ["b", "c"]
    assert names(listed(ListRule(("FLEET",)), known, V201, NOW)[0]) == ["a", "b", "c"]
    assert listed(ListRule(("FLEET",)), known, V201, NOW, here)[0]["c"]["idTokenInfo"]["evseId"] == [2]
    named = listed(ListRule(id_tokens=("A",)), known, V201, NOW, there)[0]
    assert named["a"]["idTokenInfo"]["status"] == "NotAtThisLocation"
    assert [is_bound(one) for one in (*known.values(), token("D"))] == [True, True, True, False]


def test_a_mark_changes_with_a_token_and_with_time() -> None:
    day = timedelta(days=1)
    known = by_key(token("A", valid_from=NOW + day, expires_at=NOW + 2 * day))
    marks = {mark(known, NOW + n * day) for n in (0, 1, 2)}
    assert len(marks) == 3
    assert mark(known, NOW) in marks
    assert mark(by_key(token("A")), NOW) != mark(by_key(token("A", denied_stations=("CP1",))), NOW)


def test_an_entry_ends_with_its_token() -> None:
    """Not when the cache may no longer keep an answer."""
    ends = NOW + timedelta(days=9)
    known = by_key(token("A", expires_at=ends, cache_expires_at=NOW + timedelta(hours=1)))
    found, _ = listed(ListRule(id_tokens=("A",)), known, V201, NOW)
    assert found["a"]["idTokenInfo"]["cacheExpiryDateTime"].startswith("2026-03-10T12:00")
    found, _ = listed(ListRule(id_tokens=("A",)), known, V16, NOW)
    assert found["a"]["idTagInfo"]["expiryDate"].startswith("2026-03-10T12:00")


@pytest.mark.parametrize(
    ("words", "left_out"),
    [(V16, {"L" * 21, "L" * 37}), (V201, {"L" * 37, "VIN"}), (V21, set[str]())],
)
def test_what_a_version_has_no_room_for_is_left_out_and_counted(words: ListWords, left_out: set[str]) -> None:
    """1.6 has 20 characters and no types, 2.0.1 36 and types of its own."""
    known = by_key(token("A"), token("L" * 21), token("L" * 37), token("VIN", type="VIN"))
    found, count = listed(ListRule(id_tokens=("A", "L" * 21, "L" * 37, "VIN")), known, words, NOW)
    assert (set(found), count) == (set(known) - {one.casefold() for one in left_out}, len(left_out))


def test_what_is_not_known_is_sent_whole() -> None:
    """D01.FR.03."""
    message = next_message(None, entries("A", "B"), V16, NO_LIMITS, 4)
    assert message == Message(5, True, [entries("A")["a"], entries("B")["b"]], entries("A", "B"))


def test_changes_are_sent_alone() -> None:
    """D01.FR.16, FR.17: what is to go has no idTokenInfo, and goes first."""
    known, desired = entries("A", "B", "C"), entries("B", "C", "D")
    message = next_message(known, desired, V16, NO_LIMITS, 4)
    assert message == Message(5, False, [{"idTag": "A"}, entries("D")["d"]], desired)


def test_more_changes_than_entries_are_a_whole_list() -> None:
    message = next_message(entries("A", "B", "C"), entries("D"), V16, NO_LIMITS, 4)
    assert message
    assert (message.whole, message.after) == (True, entries("D"))


@pytest.mark.parametrize("words", [V16, V201])
def test_an_empty_list_is_a_whole_one_without_a_list(words: ListWords) -> None:
    """D01.FR.04, 1.6 §6.41."""
    message = next_message(entries("A", words=words), {}, words, NO_LIMITS, 4)
    assert message
    assert (message.whole, message.items, message.after) == (True, [], {})
    assert "localAuthorizationList" not in words.message(5, True, [])


def test_what_is_withdrawn_is_a_change_even_if_it_was_all() -> None:
    """N10.FR.02, TC_N_46."""
    message = next_message(entries("A", words=V201), {}, V201, NO_LIMITS, 4, withdrawn={"a"})
    assert message
    assert (message.whole, message.items) == (False, [{"idToken": {"idToken": "A", "type": "ISO14443"}}])


def test_what_a_station_has_is_not_sent() -> None:
    """Nor where no number is left."""
    assert next_message(entries("A"), entries("A"), V16, NO_LIMITS, 4) is None
    assert next_message(entries("A"), entries("A"), V16, NO_LIMITS, HIGHEST_VERSION) is None


def test_numbers_begin_anew_with_a_whole_list() -> None:
    """D01.FR.19: only changes need a higher one."""
    message = next_message(entries("A", "B", "C"), entries("A", "B"), V16, NO_LIMITS, HIGHEST_VERSION)
    assert message
    assert (message.version, message.whole) == (1, True)


@pytest.mark.parametrize("known", [None, entries("X", "Y", "A")])
@pytest.mark.parametrize(
    "limit", [MessageLimit(items=2), MessageLimit(bytes=260), MessageLimit(2, 260), MessageLimit(bytes=1)]
)
def test_a_long_list_comes_in_messages_that_the_station_takes(known: Entries | None, limit: MessageLimit) -> None:
    """D01.FR.11, FR.15; 1.6 SendLocalListMaxLength: whole at first, and then changes. One that no message can hold is
    sent alone."""
    desired, version, sent = entries(*"ABCDEFG"), 0, list[Message]()
    while message := next_message(known, desired, V16, Limits(message=limit), version):
        known, version = message.after, message.version
        sent.append(message)
    assert known == desired
    assert [one.version for one in sent] == list(range(1, len(sent) + 1))
    assert not any(one.whole for one in sent[1:])
    assert all(len(one.items) <= (limit.items or 99) for one in sent)
    for one in sent:
        size = message_size(V16.message(one.version, one.whole, one.items))
        assert len(one.items) == 1 or size <= (limit.bytes or 9999)


def test_a_station_that_has_not_said_what_it_takes_gets_small_messages() -> None:
    message = next_message(None, entries(*(f"T{n}" for n in range(300))), V16, NO_LIMITS, 0)
    assert message
    assert len(message.items) == 100


def test_the_same_content_has_the_same_fingerprint() -> None:
    assert fingerprint(entries("A", "B")) == fingerprint(entries("B", "A")) != fingerprint(entries("A"))
    assert fingerprint(entries("A")) != fingerprint(entries("A", status=Authorization.BLOCKED))


def test_a_list_that_is_said_is_shown_nowhere_else() -> None:
    """A message in a log has no idTokens."""
    message = next_message(None, entries("SECRET"), V16, NO_LIMITS, 0)
    assert message
    assert "SECRET" not in repr(replace(message))
