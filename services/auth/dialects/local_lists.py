"""How versions say local authorization lists."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from services.auth.domain.local_lists import Entry, ListWords
from services.ocpp import v16, v201
from services.ocpp.id_tokens import LONGEST_ID_TOKEN, Token, TokenInfo, token_key

FULL, DIFFERENTIAL = "Full", "Differential"
# IdTokenEnumType of 2.0.1, without those that no list has, and the room for one.
TYPES_201 = frozenset({"eMAID", "ISO14443", "ISO15693", "Local", "MacAddress"})
LONGEST_201 = 36


def _entry_16(token: Token, info: TokenInfo) -> Entry | None:
    if len(token.id_token) > v16.LONGEST_ID_TAG:
        return None
    return {"idTag": token.id_token, "idTagInfo": v16.id_tag_info(info)}


def _message(number: str, version: int, whole: bool, items: Sequence[Entry]) -> dict[str, Any]:
    """Without a list where it is empty (D01.FR.04, 1.6 §6.41)."""
    said: dict[str, Any] = {number: version, "updateType": FULL if whole else DIFFERENTIAL}
    return said | {"localAuthorizationList": list(items)} if items else said


def _version_16(answer: Any) -> int | None:
    """Errata 3.52: 0 is no list yet, -1 that there are none."""
    version = int(answer["listVersion"])
    return None if version == -1 else max(version, 0)


V16 = ListWords(
    entry=_entry_16,
    key=lambda entry: token_key(entry["idTag"]),
    removed=lambda entry: {"idTag": entry["idTag"]},
    message=lambda version, whole, items: _message("listVersion", version, whole, items),
    version=_version_16,
    sent_version=lambda payload: int(payload["listVersion"]),
)


def _entry_2x(token: Token, info: TokenInfo) -> Entry:
    return {"idToken": {"idToken": token.id_token, "type": token.type}, "idTokenInfo": v201.id_token_info(info)}


def _entry_201(token: Token, info: TokenInfo) -> Entry | None:
    fits = token.type in TYPES_201 and len(token.id_token) <= LONGEST_201
    return _entry_2x(token, info) if fits else None


def _entry_21(token: Token, info: TokenInfo) -> Entry | None:
    return _entry_2x(token, info) if len(token.id_token) <= LONGEST_ID_TOKEN else None


V201 = ListWords(
    entry=_entry_201,
    key=lambda entry: token_key(entry["idToken"]["idToken"]),
    removed=lambda entry: {"idToken": entry["idToken"]},
    message=lambda version, whole, items: _message("versionNumber", version, whole, items),
    version=lambda answer: max(int(answer["versionNumber"]), 0),
    sent_version=lambda payload: int(payload["versionNumber"]),
)
V21 = replace(V201, entry=_entry_21)
BY_VERSION = {"1.5": V16, "1.6": V16, "2.0.1": V201, "2.1": V21}
