"""Payloads as people may see them: passwords and keys left out, idTokens where it is asked for."""

import re
from collections.abc import Mapping
from typing import Any

import orjson

from services.ocpp.id_tokens import KEY_CODE, mask

HIDDEN = "…"
# No setting lies so deep, and JSON can be written as deep as that.
DEEPEST = 64
# Fields that hold an idToken, in the words of every version and of our own messages.
_TOKENS = re.compile(r"(parent|stop|group|additional)?_?id_?(tag|token)|group_?id", re.IGNORECASE)
_SECRET = re.compile(r"password|passphrase|secret|authorizationkey|psk|simpin", re.IGNORECASE)
# What a text has in it where something of it is secret.
_MAY_BE_SECRET = re.compile(_SECRET.pattern + r"|writeonly|vpn|keycode|:(\\?/){2}[^/@\s]*@", re.IGNORECASE)
# Where a setting's value stands, beside its name.
_VALUES = ("value", "attributeValue")
# What an address says of an account: ftp://user:password@host.
_ACCOUNT = re.compile(r"(?<=://)[^/@\s]*@")


def is_secret(name: str) -> bool:
    """Whether a field or a setting of this name holds what is nobody's business."""
    return _SECRET.search(name) is not None


def masked_text(written: str) -> str:
    """A JSON text without what is secret in it; the same text where nothing is."""
    if not _MAY_BE_SECRET.search(written):
        return written
    return orjson.dumps(masked(orjson.loads(written), tokens=False)).decode()


def masked(value: Any, name: str = "", *, tokens: bool = True, depth: int = DEEPEST) -> Any:
    """Any JSON value, whatever is secret in it left out. name: of the field that holds it. tokens: idTokens, too.

    depth: levels that are looked into; what lies deeper is left out.
    """
    if isinstance(value, Mapping | list) and not depth:
        return HIDDEN
    if isinstance(value, Mapping):
        return {key: _field(value, key, item, name, tokens, depth - 1) for key, item in value.items()}
    if isinstance(value, list):
        return [masked(item, name, tokens=tokens, depth=depth - 1) for item in value]
    if is_secret(name) and value is not None:
        return HIDDEN
    if not isinstance(value, str):
        return value
    return mask(value) if tokens and _TOKENS.fullmatch(name) else _ACCOUNT.sub(HIDDEN + "@", value)


def _field(parent: Mapping[str, Any], key: str, item: Any, name: str, tokens: bool, depth: int) -> Any:
    """A field, which may be secret for what stands beside or above it."""
    if key == "variableAttribute" and isinstance(item, list) and is_secret(_setting_name(parent)):
        return [one | {"value": HIDDEN} if isinstance(one, dict) and "value" in one else one for one in item]
    write_only = parent.get("mutability") == "WriteOnly"
    setting = key in _VALUES and (write_only or is_secret(_setting_name(parent)))
    code = key == "idToken" and parent.get("type") == KEY_CODE
    if setting or code or (name == "vpn" and key == "key"):
        return HIDDEN
    return masked(item, key, tokens=tokens, depth=depth)


def _setting_name(item: Mapping[str, Any]) -> str:
    """The name of the setting that an item of a payload sets or shows: by `key` in 1.6, by `variable` in 2.x."""
    variable = item.get("variable")
    named = variable.get("name") if isinstance(variable, Mapping) else item.get("key")
    return named if isinstance(named, str) else ""
