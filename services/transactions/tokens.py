"""The copy of the operator's idTokens, from which drivers are authorized, also while auth is away."""

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from services.ocpp.id_tokens import Authorization, Token
from voltbus.v1.state_pb2 import Token as TokenRecord


def read_token(value: bytes) -> Token:
    """A value of the topic `tokens`. A status of a later version refuses, whatever it means."""
    token = TokenRecord.FromString(value)
    is_known = token.status in Authorization.__members__.values()
    return Token(
        token.id_token,
        token.type,
        Authorization(token.status) if is_known else Authorization.INVALID,
        _optional_timestamp(token, "expires_at", token.expires_at),
        token.group_id or None,
        _optional_timestamp(token, "cache_expires_at", token.cache_expires_at),
        token.language or None,
    )


def _optional_timestamp(token: TokenRecord, name: str, at: Timestamp) -> datetime | None:
    return at.ToDatetime(UTC) if token.HasField(name) else None
