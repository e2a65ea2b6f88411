"""How far a station has come with its local list: what it is known to have, and what it is asked. Pure.

    idle ──▶ due ──▶ asked   its version is read: when it is back, and after an answer that is not known
      ▲       │ ▲──────┘
      │       ├──▶ sent      one message of the list
      │       │ ▲──┘
      └───────┘ it has the list, or cannot have it

What is due is decided anew each time, from what the station has and what it is to have then.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum, StrEnum

from services.auth.domain.local_lists import Entries, Limits, ListWords, Message, next_message

# Until a station is asked again that did not answer, or refused a whole list; each time twice as long.
RETRY_AFTER, LONGEST_RETRY = timedelta(seconds=30), timedelta(hours=6)
# Until one that is away is looked for again, should nobody have said that it is back.
AWAY = timedelta(minutes=10)


class Step(StrEnum):
    """Of a station."""

    IDLE = "idle"
    DUE = "due"
    ASKED = "asked"
    SENT = "sent"


class Trouble(StrEnum):
    """Why a station has not got its list."""

    UNSUPPORTED = "unsupported"
    TOO_LARGE = "too_large"
    REFUSED = "refused"
    UNANSWERED = "unanswered"


class Heard(Enum):
    """What became of a message."""

    ACCEPTED = "it was taken"
    REFUSED = "it was not taken"
    UNSUPPORTED = "the station has no lists"
    LOST = "it may have been taken"
    UNSENT = "it was never on the wire"
    AWAY = "the station was not here"


@dataclass(frozen=True, slots=True)
class ListProgress:
    """One station.

    due_at: when it is looked at next. ocpp_version: of known and sent. known: the fingerprint of what it has; None: not
    known. version: the number it has; None: never heard. last_version: the highest that was used or heard. confirmed:
    it has told its number since it came back. command_id: what is waited for. sent_id: the last message of the list.
    sent, sent_version: the content that it may have by now, and its number. whole: that message was Full. failures: in
    a row. reason: in the station's words.
    """

    station_id: str
    step: Step
    due_at: datetime
    changed_at: datetime
    ocpp_version: str | None = None
    known: str | None = None
    version: int | None = None
    last_version: int = 0
    confirmed: bool = False
    command_id: str | None = None
    sent_id: str | None = None
    sent: str | None = None
    sent_version: int | None = None
    whole: bool = False
    failures: int = 0
    trouble: Trouble | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class AskVersion:
    """The number of its list is to be read (D02)."""


def plan(
    progress: ListProgress,
    known: Entries | None,
    desired: Entries,
    words: ListWords,
    limits: Limits,
    withdrawn: Collection[str] = (),
) -> AskVersion | Message | Trouble | None:
    """What is to be done for a station that is here and due; None: it has its list.

    known: the content of progress.known, where that is still kept. withdrawn: see next_message.
    """
    if limits.entries is not None and len(desired) > limits.entries:
        return Trouble.TOO_LARGE
    if not progress.confirmed:
        return AskVersion()
    return next_message(known, desired, words, limits, progress.last_version, withdrawn)


def due(progress: ListProgress, at: datetime) -> ListProgress:
    """To be looked at then. What is waited for goes on: what is due is decided after it."""
    if progress.step in (Step.ASKED, Step.SENT):
        return progress
    return replace(progress, step=Step.DUE, due_at=at)


def returned(progress: ListProgress, at: datetime) -> ListProgress:
    """It is back, or has booted, and may have lost its list: its number is read before anything is sent."""
    return replace(progress, step=Step.DUE, due_at=at, confirmed=False, command_id=None, failures=0)


def forgotten(progress: ListProgress, at: datetime) -> ListProgress:
    """It may have got another list, which nobody here knows: after what is waited for it gets a whole one."""
    return replace(due(progress, at), known=None, sent=None, sent_version=None, confirmed=False)


def speaking(progress: ListProgress, ocpp_version: str) -> ListProgress:
    """In another version of OCPP than before, nothing is known of what it has."""
    if progress.ocpp_version == ocpp_version:
        return progress
    return replace(progress, ocpp_version=ocpp_version, known=None, sent=None, sent_version=None, confirmed=False)


def idle(progress: ListProgress, now: datetime, trouble: Trouble | None = None) -> ListProgress:
    """It has its list, or cannot have it."""
    reason = progress.reason if trouble else None
    return replace(
        progress, step=Step.IDLE, changed_at=now, failures=0, trouble=trouble, reason=reason, command_id=None
    )


def away(progress: ListProgress, now: datetime) -> ListProgress:
    """It is not here; it is looked at when it is back."""
    return replace(progress, due_at=now + AWAY)


def asking(progress: ListProgress, command_id: str) -> ListProgress:
    """It is asked for its number."""
    return replace(progress, step=Step.ASKED, command_id=command_id)


def sending(progress: ListProgress, command_id: str, content: str, version: int, *, whole: bool) -> ListProgress:
    """A message of its list is on its way, after which it has this content."""
    return replace(
        progress,
        step=Step.SENT,
        command_id=command_id,
        sent_id=command_id,
        sent=content,
        sent_version=version,
        last_version=version,
        whole=whole,
    )


def told_version(
    progress: ListProgress, version: int | None, heard: Heard, reason: str | None, now: datetime
) -> ListProgress:
    """After it was asked for its number. version: that it said; None: it has no lists, or did not answer."""
    if heard is not Heard.ACCEPTED or version is None:
        return _not_taken(progress, Heard.UNSUPPORTED if heard is Heard.ACCEPTED else heard, reason, now)
    known: str | None
    if progress.sent is not None and version == progress.sent_version:
        known = progress.sent
    elif version == progress.version and version > 0:
        known = progress.known
    else:
        known = None
    return replace(
        progress,
        step=Step.DUE,
        due_at=now,
        changed_at=now,
        confirmed=True,
        command_id=None,
        known=known,
        version=version,
        last_version=max(progress.last_version, version),
        sent=None,
        sent_version=None,
    )


def replied(progress: ListProgress, heard: Heard, reason: str | None, now: datetime) -> ListProgress:
    """After a message of its list."""
    if heard is not Heard.ACCEPTED:
        return _not_taken(progress, heard, reason, now)
    return replace(
        progress,
        step=Step.DUE,
        due_at=now,
        changed_at=now,
        command_id=None,
        known=progress.sent,
        version=progress.sent_version,
        sent=None,
        sent_version=None,
        failures=0,
        trouble=None,
        reason=None,
    )


def replied_late(progress: ListProgress, version: int, heard: Heard, now: datetime) -> ListProgress:
    """After a message that nobody waited for any more. version: its number."""
    if heard is not Heard.ACCEPTED or (progress.known is not None and version == progress.version):
        return progress
    if progress.sent is not None and version == progress.sent_version:
        return replied(progress, heard, None, now)
    return forgotten(progress, now)


def _not_taken(progress: ListProgress, heard: Heard, reason: str | None, now: datetime) -> ListProgress:
    after = replace(progress, step=Step.DUE, command_id=None, reason=reason, changed_at=now)
    if heard is Heard.UNSUPPORTED:
        return idle(replace(after, confirmed=False), now, Trouble.UNSUPPORTED)
    if heard is Heard.AWAY:
        return replace(after, due_at=now + AWAY, sent=None, sent_version=None)
    if heard is Heard.REFUSED and progress.step is Step.SENT:
        # D01.FR.03: changes that were refused are followed by the whole list.
        after = replace(after, known=None, sent=None, sent_version=None)
        if not progress.whole:
            return replace(after, due_at=now, trouble=Trouble.REFUSED)
    wait = min(RETRY_AFTER * 2 ** min(progress.failures, 20), LONGEST_RETRY)
    after = replace(after, due_at=now + wait, failures=progress.failures + 1)
    if heard is Heard.UNSENT:
        return replace(after, sent=None, sent_version=None)
    trouble = Trouble.REFUSED if heard is Heard.REFUSED else Trouble.UNANSWERED
    return replace(after, confirmed=False, trouble=trouble)
