"""What stations mean by the `status` of an answer to a command, whatever its action and version."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class Effect(StrEnum):
    """What comes of a command that was answered.

    accepted, refused: the station will, or will not. scheduled: it will once what goes on there has ended; then done.
    superseded: something else was ordered before it was done. unconfirmed: the station never told that it was done.
    """

    ACCEPTED = "accepted"
    REFUSED = "refused"
    SCHEDULED = "scheduled"
    DONE = "done"
    SUPERSEDED = "superseded"
    UNCONFIRMED = "unconfirmed"


# A word that is not here means nothing that we could know.
STATUSES: Mapping[str, Effect] = {
    **dict.fromkeys(
        ("Accepted", "AcceptedCanceled", "RebootRequired", "Unlocked", "Unpublished"),
        Effect.ACCEPTED,
    ),
    "Scheduled": Effect.SCHEDULED,
    **dict.fromkeys(
        (
            *("Rejected", "NotSupported", "NotImplemented", "Failed", "NotFound", "Unknown"),
            *("UnlockFailed", "OngoingAuthorizedTransaction", "UnknownConnector", "HashError"),
            *("Faulted", "Occupied", "Unavailable"),
            *("UnknownMessageId", "UnknownVendorId", "VersionMismatch", "EmptyResultSet"),
            *("NoProfile", "NoTariff", "TooManyElements", "ConditionNotSupported", "DuplicateTariffId"),
            *("TxNotFound", "NoCurrencyChange", "LanguageNotSupported"),
            *("NotSupportedPriority", "NotSupportedState", "NotSupportedMessageFormat", "UnknownTransaction"),
            *("Invalid", "InvalidCertificate", "RevokedCertificate", "DownloadOngoing", "NoFirmware", "NoProfiles"),
        ),
        Effect.REFUSED,
    ),
}


def effect_of(answer: Any) -> Effect | None:
    """None where the answer has no status, or one that OCPP does not have."""
    status = answer.get("status") if isinstance(answer, Mapping) else None
    return STATUSES.get(status) if isinstance(status, str) else None
