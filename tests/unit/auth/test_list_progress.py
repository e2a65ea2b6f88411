"""A station comes to have its list, whatever happens on the way (D01, D02; 1.6 §5.15)."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from services.auth.dialects.local_lists import V16, V201
from services.auth.domain import list_progress as progress_of
from services.auth.domain.list_progress import AskVersion, Heard, ListProgress, Step, Trouble, plan
from services.auth.domain.local_lists import Entries, Limits, ListRule, ListWords, Message, fingerprint, listed
from services.common.splitting import MessageLimit
from services.ocpp.id_tokens import Authorization, Token

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NAMES = "ABCDEFGH"
FATES = [
    "good",
    "good",
    "good",
    "lost",
    "lost",
    "unsent",
    "refused",
    "lost and taken",
    "late",
    "reboot in between",
    "away",
]


@dataclass
class ModelStation:
    """A station as the specification has it: its list and its number (D01.FR.15 to FR.19)."""

    words: ListWords
    entries: dict[str, Any] = field(default_factory=dict)
    version: int = 0

    def take(self, version: int, whole: bool, items: Any) -> str:
        if not whole and version <= self.version:
            return "VersionMismatch"
        if whole:
            self.entries = {}
        for item in items:
            if len(item) == 1:
                self.entries.pop(self.words.key(item), None)
            else:
                self.entries[self.words.key(item)] = item
        self.version = version
        return "Accepted"


@dataclass
class Csms:
    """What keeps the list of one station, without its database."""

    words: ListWords
    ocpp: str
    limits: Limits
    desired: Entries = field(default_factory=dict)
    contents: dict[str, Entries] = field(default_factory=dict)
    now: datetime = NOW
    number: int = 0

    def __post_init__(self) -> None:
        new = ListProgress("CP1", Step.DUE, self.now, self.now)
        self.progress = progress_of.speaking(new, self.ocpp)
        self.messages: dict[str, Message] = {}

    def act(self) -> AskVersion | Message | None:
        """Its turn, when it is due; what it asks the station."""
        self.now = max(self.now, self.progress.due_at)
        known = self.contents.get(self.progress.known or "")
        action = plan(self.progress, known, self.desired, self.words, self.limits)
        self.number += 1
        if isinstance(action, Message):
            self.contents[content := fingerprint(action.after)] = action.after
            self.messages[str(self.number)] = action
            self.progress = progress_of.sending(
                self.progress, str(self.number), content, action.version, whole=action.whole
            )
            return action
        if isinstance(action, AskVersion):
            self.progress = progress_of.asking(self.progress, str(self.number))
            return action
        self.progress = progress_of.idle(self.progress, self.now, action)
        return None

    def heard(self, heard: Heard, version: int | None = None) -> None:
        step = self.progress.step
        if step is Step.ASKED:
            self.progress = progress_of.told_version(self.progress, version, heard, None, self.now)
        else:
            self.progress = progress_of.replied(self.progress, heard, None, self.now)


class Lists(RuleBasedStateMachine):
    """Whatever is lost, refused, forgotten or changed in between, at last the station has the list it is to have."""

    words, ocpp = V201, "2.0.1"

    @initialize(items=st.integers(1, 4))
    def begin(self, items: int) -> None:
        self.station = ModelStation(self.words)
        self.csms = Csms(self.words, self.ocpp, Limits(message=MessageLimit(items=items)))
        self.late: list[tuple[int, Heard]] = []

    @rule(names=st.sets(st.sampled_from(NAMES)), blocked=st.sets(st.sampled_from(NAMES)))
    def change(self, names: set[str], blocked: set[str]) -> None:
        """The operator wants something else."""
        known = {
            name.casefold(): Token(
                name, "ISO14443", Authorization.BLOCKED if name in blocked else Authorization.ACCEPTED
            )
            for name in names
        }
        self.csms.desired = listed(ListRule(id_tokens=tuple(names)), known, self.words, NOW)[0]
        self.csms.progress = progress_of.due(self.csms.progress, self.csms.now)

    @rule(
        what=st.sampled_from(
            ["good", "lost", "unsent", "refused", "lost and taken", "late", "reboot in between", "away"]
        )
    )
    def turn(self, what: str) -> None:
        """One message, and what becomes of it."""
        if self.csms.progress.step is Step.IDLE:
            return
        self._do(what)

    def _do(self, what: str) -> None:
        action = self.csms.act()
        if action is None:
            return None
        if what == "unsent":
            return self.csms.heard(Heard.UNSENT)
        if what == "away":
            return self.csms.heard(Heard.AWAY)
        if what == "refused":
            return self.csms.heard(Heard.REFUSED)
        if what == "lost":
            return self.csms.heard(Heard.LOST)
        if isinstance(action, AskVersion):
            if what == "good":
                return self.csms.heard(Heard.ACCEPTED, self.words.version(self._answer()))
            return self.csms.heard(Heard.LOST)
        status = self.station.take(action.version, action.whole, action.items)
        heard = Heard.ACCEPTED if status == "Accepted" else Heard.REFUSED
        if what == "good":
            return self.csms.heard(heard)
        if what == "reboot in between":
            self.csms.progress = progress_of.returned(self.csms.progress, self.csms.now)
            self.late.append((action.version, heard))
            return None
        self.csms.heard(Heard.LOST)
        if what == "late":
            self.late.append((action.version, heard))
        return None

    def _answer(self) -> Any:
        return {"versionNumber": self.station.version, "listVersion": self.station.version}

    @rule()
    def hear_late(self) -> None:
        """What was answered when nobody waited any more."""
        if self.late:
            version, heard = self.late.pop(0)
            self.csms.progress = progress_of.replied_late(self.csms.progress, version, heard, self.csms.now)

    @rule(keeps=st.booleans())
    def reboot(self, keeps: bool) -> None:
        """With its list, or without (D01.FR.10 is a SHOULD)."""
        if not keeps:
            self.station.entries, self.station.version = {}, 0
        self.csms.progress = progress_of.returned(self.csms.progress, self.csms.now)

    @rule(version=st.integers(1, 60), whole=st.booleans())
    def told_by_others(self, version: int, whole: bool) -> None:
        """Somebody sends it a list by hand."""
        items: list[Any] = [{"idToken": {"idToken": "X", "type": "ISO14443"}, "idTokenInfo": {"status": "Accepted"}}]
        if self.words is V16:
            items = [{"idTag": "X", "idTagInfo": {"status": "Accepted"}}]
        self.station.take(version, whole, items)
        self.csms.progress = progress_of.forgotten(self.csms.progress, self.csms.now)

    @rule()
    def goes_well(self) -> None:
        """For a while nothing happens."""
        for _ in range(200):
            if self.csms.progress.step is Step.IDLE:
                break
            self._do("good")
        assert self.csms.progress.step is Step.IDLE
        assert self.csms.progress.trouble is None
        assert self.station.entries == self.csms.desired

    def teardown(self) -> None:
        if hasattr(self, "csms"):
            self.goes_well()


class Lists16(Lists):
    """The same with the words of 1.6."""

    words, ocpp = V16, "1.6"


TestLists, TestLists16 = Lists.TestCase, Lists16.TestCase
for case in (TestLists, TestLists16):
    case.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)


def new(**more: Any) -> ListProgress:
    given: dict[str, Any] = {
        "station_id": "CP1",
        "step": Step.DUE,
        "due_at": NOW,
        "changed_at": NOW,
        "ocpp_version": "2.0.1",
    }
    return ListProgress(**given | more)


CONFIRMED = new(confirmed=True, known="a", version=4, last_version=4)


def test_a_station_that_has_no_lists_is_left_alone_until_it_is_back() -> None:
    """1.6 NotSupported, and 2.x where the message is not known."""
    sent = progress_of.sending(CONFIRMED, "c", "b", 5, whole=True)
    after = progress_of.replied(sent, Heard.UNSUPPORTED, "NotSupported", NOW)
    assert (after.step, after.trouble, after.reason) == (Step.IDLE, Trouble.UNSUPPORTED, "NotSupported")
    assert progress_of.returned(after, NOW).step is Step.DUE
    asked = progress_of.told_version(progress_of.asking(new(), "c"), None, Heard.ACCEPTED, None, NOW)
    assert (asked.step, asked.trouble) == (Step.IDLE, Trouble.UNSUPPORTED)


def test_a_whole_list_that_is_refused_is_tried_again_later_and_later() -> None:
    progress, waits = CONFIRMED, list[timedelta]()
    for _ in range(12):
        progress = progress_of.sending(replace(progress, confirmed=True), "c", "b", 5, whole=True)
        progress = progress_of.replied(progress, Heard.REFUSED, "Failed", NOW)
        waits.append(progress.due_at - NOW)
    assert waits[:3] == [timedelta(seconds=30), timedelta(seconds=60), timedelta(seconds=120)]
    assert waits[-1] == progress_of.LONGEST_RETRY
    assert (progress.trouble, progress.reason, progress.known) == (Trouble.REFUSED, "Failed", None)


def test_changes_that_are_refused_are_followed_by_the_whole_list_at_once() -> None:
    """D01.FR.03."""
    progress = progress_of.replied(
        progress_of.sending(CONFIRMED, "c", "b", 5, whole=False), Heard.REFUSED, "VersionMismatch", NOW
    )
    assert (progress.step, progress.due_at, progress.known, progress.confirmed) == (Step.DUE, NOW, None, True)


def test_after_a_lost_answer_the_number_tells_what_the_station_has() -> None:
    progress = progress_of.replied(progress_of.sending(CONFIRMED, "c", "b", 5, whole=False), Heard.LOST, None, NOW)
    assert isinstance(plan(progress, {}, {}, V201, Limits()), AskVersion)
    asked = progress_of.asking(progress, "d")
    assert progress_of.told_version(asked, 5, Heard.ACCEPTED, None, NOW).known == "b"
    assert progress_of.told_version(asked, 4, Heard.ACCEPTED, None, NOW).known == "a"
    assert progress_of.told_version(asked, 3, Heard.ACCEPTED, None, NOW).known is None
    assert progress_of.told_version(asked, 9, Heard.ACCEPTED, None, NOW).last_version == 9


def test_a_slow_station_that_answers_late_is_not_sent_the_same_again() -> None:
    """Its number was asked meanwhile, and said that it had taken it."""
    lost = progress_of.replied(progress_of.sending(CONFIRMED, "c", "b", 5, whole=True), Heard.LOST, None, NOW)
    known = progress_of.told_version(progress_of.asking(lost, "d"), 5, Heard.ACCEPTED, None, NOW)
    assert progress_of.replied_late(known, 5, Heard.ACCEPTED, NOW) is known
    assert progress_of.replied_late(lost, 5, Heard.ACCEPTED, NOW).known == "b"


def test_a_late_answer_to_an_older_message_makes_the_list_unknown() -> None:
    """Nobody can tell in which order the station has taken them."""
    after = progress_of.replied_late(replace(CONFIRMED, version=7, last_version=7), 5, Heard.ACCEPTED, NOW)
    assert (after.known, after.confirmed, after.step) == (None, False, Step.DUE)
    assert progress_of.replied_late(CONFIRMED, 5, Heard.REFUSED, NOW) is CONFIRMED


def test_a_list_larger_than_the_station_keeps_is_not_sent() -> None:
    desired = listed(ListRule(id_tokens=("A",)), {"a": Token("A", "Local", Authorization.ACCEPTED)}, V16, NOW)[0]
    assert plan(new(), None, desired, V16, Limits(entries=0)) is Trouble.TOO_LARGE


def test_a_station_of_another_version_than_before_gets_a_whole_list() -> None:
    assert progress_of.speaking(CONFIRMED, "2.0.1") is CONFIRMED
    after = progress_of.speaking(CONFIRMED, "2.1")
    assert (after.known, after.confirmed) == (None, False)


def test_what_is_waited_for_goes_on_when_the_list_changes() -> None:
    sent = progress_of.sending(CONFIRMED, "c", "b", 5, whole=False)
    assert progress_of.due(sent, NOW) is sent
