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
        id_token=token.id_token,
        type=token.type,
        status=Authorization(token.status) if is_known else Authorization.INVALID,
        expires_at=_optional_timestamp(token, "expires_at", token.expires_at),
        group_id=token.group_id or None,
        cache_expires_at=_optional_timestamp(token, "cache_expires_at", token.cache_expires_at),
        language=token.language or None,
        on_block=token.on_block or None,
        language2=token.language2 or None,
        valid_from=_optional_timestamp(token, "valid_from", token.valid_from),
        allowed_groups=tuple(token.allowed_groups),
        allowed_stations=tuple(token.allowed_stations),
        denied_groups=tuple(token.denied_groups),
        denied_stations=tuple(token.denied_stations),
        evses=tuple(token.evses),
        max_sessions=token.max_sessions or None,
        master_pass=token.master_pass,
        outside_until=_optional_timestamp(token, "outside_until", token.outside_until),
    )


def _optional_timestamp(token: TokenRecord, name: str, at: Timestamp) -> datetime | None:
    return at.ToDatetime(UTC) if token.HasField(name) else None
