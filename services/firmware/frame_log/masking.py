"""Frames as the log keeps them: without passwords, keys, and what names a driver. Pure.

Nearly all frames have none of it, and are kept byte for byte.
"""

import re
from collections.abc import Mapping
from typing import Any

import orjson

from services.ocpp.id_tokens import KEY_CODE, mask
from services.ocpp.masking import DEEPEST, HIDDEN

# What has none of these words in it, in any case, has nothing to hide: not in a name, not in a text within a text.
WORDS = (
    *(b"idtag", b"id_tag", b"token", b"groupid", b"group_id", b"rfid", b"emaid", b"evcc", b"vehicleid", b"card"),
    *(b"customer", b"password", b"passphrase", b"passwd", b"secret", b"authorizationkey", b"psk", b"simpin"),
    *(b"writeonly", b"vpn", b"keycode", b"private key", b"exirequest", b"exiresponse"),
    # An account in an address; and an escaped letter, which could be one of a word.
    *(b"://", b":\\", b"\\u"),
)
# These are part of other words (voltage, fluid), and count where they stand alone, also within a name (nfcUid, tagId).
SHORT_WORDS = (b"tag", b"uid", b"badge", b"nfc", b"karte", b"user", b"driver")
_ALONE = (
    "(?:"
    + "|".join(
        rf"(?:(?<![A-Za-z]){word}|{word.capitalize()}|(?<![A-Z]){word.upper()})(?![a-z])"
        for word in ("tag", "uid", "badge", "nfc", "karte")
    )
    + ")"
)
# In a text, after these there is whoever charges.
_TOLD = re.compile(rf"{_ALONE}|(?i:(?<![a-z])(?:user|driver)(?= *[:=]))".encode())
_OF_ADDRESSES = (b"://", b":\\")
_WORD = re.compile(b"(?i:%b)|%b" % (b"|".join(map(re.escape, WORDS)), _TOLD.pattern))
# Fields, and settings by their names, whose value names a driver; and those that are secret.
_DRIVER = re.compile(rf"(?i:id_?tag|token|group_?id|rfid|emaid|evcc|vehicleid|card|customer)|{_ALONE}")
_SECRET = re.compile(
    r"pass(word|phrase|wd)|secret|authorizationkey|psk|simpin|keycode|exire(quest|sponse)", re.IGNORECASE
)
_ACCOUNT = re.compile(rb"(:(?:\\?/){2})[^/@\s]*@")
# Where a setting's value stands, beside its name.
_VALUES = frozenset({"value", "attributeValue", "actualValue"})
# A text as short as this is part of too many others to be looked for in them.
SHORTEST = 4
# What differs from one frame to the next of its kind, and is part of no word.
_VARYING = b"0123456789.-+"
_REMEMBERED = 4096
_remembered: dict[bytes, bool] = {}


def masked_payload(written: bytes, action: str = "") -> bytes:
    """JSON, or what should be JSON, without what is secret; the same bytes where nothing is."""
    if not _may_hide(written):
        return written
    try:
        value = orjson.loads(written)
    except orjson.JSONDecodeError:
        return _before_words(written)
    return orjson.dumps(_masked_value(value, action))


def masked_text(text: str) -> str:
    """A text of whoever wrote it, such as the description of an error."""
    return _text(text, set(), DEEPEST)


def _may_hide(written: bytes) -> bool:
    """Whether there is a word in it. Of frames that differ in their numbers alone the first is looked through."""
    kind = written.translate(None, _VARYING)
    if (known := _remembered.get(kind)) is not None:
        return known
    folded = kind.lower()
    found = any(word in folded for word in WORDS)
    if not found and any(word in folded.replace(b"voltage", b"") for word in SHORT_WORDS):
        # Whether one stands alone is not the same for all of a kind, which have other numbers beside it.
        return _TOLD.search(written) is not None
    if len(_remembered) >= _REMEMBERED:
        _remembered.clear()
    if len(kind) <= _REMEMBERED:
        _remembered[kind] = found
    return found


def _masked_value(value: Any, action: str) -> Any:
    hidden: set[str] = set()
    seen = _masked(value, action, hidden, DEEPEST)
    if texts := [text for text in hidden if len(text) >= SHORTEST]:
        pattern = re.compile("|".join(map(re.escape, sorted(texts, key=len, reverse=True))), re.IGNORECASE)
        return _without(seen, pattern)
    return seen


def _masked(value: Any, name: str, hidden: set[str], depth: int) -> Any:
    """name: of the field that holds it. hidden: takes the texts that are left out."""
    if isinstance(value, dict | list) and depth <= 0:
        return HIDDEN
    if isinstance(value, dict):
        return {key: _field(value, key, item, name, hidden, depth - 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_masked(item, name, hidden, depth - 1) for item in value]
    if value is None or isinstance(value, bool):
        return value
    if _SECRET.search(name):
        return _hide(value, hidden)
    if _DRIVER.search(name):
        _hide(value, hidden)
        return mask(value) if isinstance(value, str) else HIDDEN
    return _text(value, hidden, depth) if isinstance(value, str) else value


def _field(parent: Mapping[str, Any], key: str, item: Any, name: str, hidden: set[str], depth: int) -> Any:
    """A field, which may be secret for what stands beside or above it."""
    if key == "variableAttribute" and isinstance(item, list) and _is_private(parent):
        return [
            {one: _hide(of, hidden) if one in _VALUES else of for one, of in each.items()}
            if isinstance(each, dict)
            else _hide(each, hidden)
            for each in item
        ]
    setting = key in _VALUES and (_is_private(parent) or parent.get("mutability") == "WriteOnly")
    code = key == "idToken" and parent.get("type") == KEY_CODE
    # A contract certificate says whose it is.
    contract = key == "certificate" and "idToken" in parent
    personal = key == "data" and name == "NotifyCustomerInformation"
    if setting or code or contract or personal or (name == "vpn" and key == "key"):
        return _hide(item, hidden)
    return _masked(item, key, hidden, depth)


def _is_private(item: Mapping[str, Any]) -> bool:
    """Whether the setting that an item sets or shows is: by `key` in 1.6, by `component` and `variable` in 2.x."""
    places = (item.get("key"), _name(item.get("component")), _name(item.get("variable")))
    named = ".".join(str(place) for place in places if place)
    return bool(_SECRET.search(named) or _DRIVER.search(named))


def _name(value: Any) -> Any:
    return value.get("name") if isinstance(value, Mapping) else None


def _hide(value: Any, hidden: set[str]) -> Any:
    if isinstance(value, dict):
        for item in value.values():
            _hide(item, hidden)
    elif isinstance(value, list):
        for item in value:
            _hide(item, hidden)
    elif value is not None and not isinstance(value, bool):
        hidden.add(str(value))
    return HIDDEN


def _text(text: str, hidden: set[str], depth: int) -> str:
    """A text that may have JSON in it, or words about what is secret."""
    written = text.encode(errors="replace")
    if not _may_hide(written):
        return text
    if text.lstrip()[:1] in ("{", "["):
        try:
            return orjson.dumps(_masked(orjson.loads(text), "", hidden, depth - 1)).decode()
        except (orjson.JSONDecodeError, orjson.JSONEncodeError):
            pass
    return _before_words(written).decode(errors="replace")


def _before_words(written: bytes) -> bytes:
    """A text that cannot be read, up to the first word after which something secret may stand."""
    written = _ACCOUNT.sub(rb"\1" + HIDDEN.encode() + b"@", written)
    for found in _WORD.finditer(written):
        if found[0] not in _OF_ADDRESSES and found.end() < len(written):
            return written[: found.end()] + HIDDEN.encode()
    return written


def _without(value: Any, hidden: re.Pattern[str]) -> Any:
    """A value in whose texts nothing stands that was left out elsewhere in it."""
    if isinstance(value, dict):
        return {key: _without(item, hidden) for key, item in value.items()}
    if isinstance(value, list):
        return [_without(item, hidden) for item in value]
    return hidden.sub(HIDDEN, value) if isinstance(value, str) else value
