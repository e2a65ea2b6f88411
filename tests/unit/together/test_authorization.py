"""auth and transactions decide alike about an idToken, at a place, at a time."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from services.auth.domain.requests import Authorize, verdict
from services.auth.domain.tokens import RegisteredToken, fault
from services.auth.publication import Publication
from services.common.authorization.judge import Rule, place_of
from services.common.calls.stations import Registration
from services.common.kafka.events import Events
from services.common.process.settings import CommonSettings
from services.ocpp.id_tokens import CENTRAL, TYPES, Authorization, IdToken, Token, token_key
from services.transactions.domain.messages import Report, ReportKind
from services.transactions.handlers import Handler
from services.transactions.tokens import read_token

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MOMENT = st.none() | st.sampled_from([NOW - timedelta(hours=1), NOW, NOW + timedelta(hours=1)])
SOME = st.lists(st.sampled_from(["a", "b"]), max_size=1).map(tuple)
STATIONS = st.lists(st.sampled_from(["CP1", "cp1", "CP2"]), max_size=1).map(tuple)
TEXTS = ("T1", "t2", "G1")
ACCEPTED = Authorization.ACCEPTED
STATUS = st.sampled_from([ACCEPTED, ACCEPTED, ACCEPTED, Authorization.BLOCKED, Authorization.NO_CREDIT])
TOKENS = st.lists(
    st.builds(
        Token,
        id_token=st.sampled_from(TEXTS),
        type=st.sampled_from(TYPES),
        status=STATUS,
        expires_at=MOMENT,
        group_id=st.none() | st.just("G1"),
        valid_from=MOMENT,
        allowed_groups=SOME,
        allowed_stations=STATIONS,
        denied_groups=SOME,
        denied_stations=STATIONS,
        evses=st.lists(st.sampled_from(["CP1/1", "CP1/2", "CP2/1"]), max_size=2, unique=True).map(tuple),
        max_sessions=st.none() | st.just(1),
        master_pass=st.booleans(),
    ).filter(lambda one: fault(one) is None),
    unique_by=lambda one: one.id_token,
    max_size=3,
)
PRESENTED = st.builds(IdToken, st.sampled_from([*TEXTS, "T2", "X"]), st.none() | st.sampled_from(TYPES))
REGISTRATIONS = st.builds(Registration, SOME, st.just(""), st.just(0.0), st.none() | st.just(""))


class Published:
    """The copies of transactions, made of what auth publishes."""

    def __init__(self, tokens: list[Token], registration: Registration) -> None:
        settings = CommonSettings()
        publication = Publication(settings, cast(Events, None))
        records = [publication.token(RegisteredToken(one, NOW, NOW)) for one in tokens]
        found = {(record.key or b"").decode(): read_token(record.value or b"") for record in records}
        self._tokens: Mapping[str, Token] = found
        self._registration = registration

    def get(self, key: str) -> Token | None:
        return self._tokens.get(key)

    def registration(self, _: str) -> Registration:
        return self._registration


def started(presented: IdToken, evse_id: int | None, **more: Any) -> Report:
    return Report(
        kind=ReportKind.STARTED,
        call_id="c",
        station_id="CP1",
        at=NOW,
        received_at=NOW,
        order=0,
        evse_id=evse_id,
        id_token=presented.value,
        id_token_type=presented.type,
        **more,
    )


@given(TOKENS, PRESENTED, REGISTRATIONS, st.none() | st.integers(1, 2), st.booleans())
def test_they_never_disagree(
    tokens: list[Token], presented: IdToken, registration: Registration, evse_id: int | None, starts: bool
) -> None:
    """But for how many sessions there are, which auth does not know, and a master pass, which it lets stop (C16)."""
    published = Published(tokens, registration)
    handler = Handler(
        store=cast(Any, None),
        tokens=cast(Any, published),
        stations=cast(Any, published),
        shell=cast(Any, None),
        events=cast(Any, None),
        renumbering=cast(Any, None),
    )
    report = started(presented, evse_id)
    told = handler.verdict(report, NOW)
    registered = {token_key(one.id_token): one for one in tokens}
    asked = verdict(Authorize(presented, starts=starts), registered, NOW, place_of("CP1", registration)).info
    assert told is not None
    if asked.status == ACCEPTED and asked.evse_ids and evse_id and evse_id not in asked.evse_ids:
        assert told.rule == Rule.OTHER_EVSE
    elif not starts and asked.status == ACCEPTED and told.rule == Rule.MASTER_PASS:
        group = registered[token_key(asked.group_id or "")]
        assert (group.type, group.master_pass) == (CENTRAL, True)
    else:
        assert told == asked
        # Transactions does not look for an idToken of this text among those of other types.
        assert told.rule == (Rule.UNKNOWN_TOKEN if asked.rule == Rule.OTHER_TYPE else asked.rule)
    assert handler.verdict(report, NOW + timedelta(minutes=30)) == told
    too_many = handler.verdict(report, NOW, others=1)
    assert too_many is not None
    assert too_many == told or too_many.status == Authorization.CONCURRENT_TX
