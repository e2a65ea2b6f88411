"""Security events: which are critical, when they happened, and how many are kept."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.firmware.domain.refusals import RefusalReport, RefusedStation
from services.firmware.domain.security_events import (
    MOST_A_DAY,
    Day,
    Kept,
    Origin,
    SecurityEventReported,
    bounded,
    of_report,
)
from services.ocpp.refusals import RefusalReason

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def event(number: int = 0, kind: str = "InvalidMessages", **more: Any) -> SecurityEventReported:
    said: dict[str, Any] = {"station_id": "CP1", "tech_info": None, "occurred_at": None, "at": NOW} | more
    return SecurityEventReported(type=kind, cause=f"c.{number}", **said)


@pytest.mark.parametrize(
    ("kind", "origin", "known", "critical"),
    [
        ("TamperDetectionActivated", Origin.STATION, "TamperDetectionActivated", True),
        ("InvalidCentralSystemCertificate", Origin.STATION, "InvalidCsmsCertificate", True),
        ("FailedToAuthenticationAtCsms", Origin.STATION, "FailedToAuthenticateAtCsms", False),
        ("acme.DoorOpened", Origin.STATION, "other", None),
        ("DowngradeAttempted", Origin.CSMS, "DowngradeAttempted", True),
        ("DowngradeAttempted", Origin.STATION, "other", None),
    ],
)
def test_types_by_what_they_are_called_in_any_version(
    kind: str, origin: Origin, known: str, critical: bool | None
) -> None:
    one = event(kind=kind, origin=origin)
    assert (one.type, one.kind, one.critical) == (kind, known, critical)


@pytest.mark.parametrize(
    ("said", "counts"),
    [
        (NOW - timedelta(days=3), True),
        (NOW + timedelta(seconds=30), True),
        (NOW + timedelta(hours=1), False),
        (datetime(1970, 1, 1, tzinfo=UTC), False),
        (None, False),
    ],
)
def test_a_clock_that_cannot_be_right_does_not_say_when_it_was(said: datetime | None, counts: bool) -> None:
    one = event(occurred_at=said)
    assert (one.happened_at, one.occurred_at) == (said if counts else NOW, said)


def test_what_is_told_twice_is_one_event() -> None:
    """Its answer was lost: the station tells it again, in another message."""
    at = NOW - timedelta(hours=1)
    assert event(1, occurred_at=at).id == event(2, occurred_at=at, at=NOW + timedelta(hours=1)).id
    others: list[dict[str, Any]] = [
        *({"station_id": "CP2"}, {"kind": "A"}, {"tech_info": "y"}, {"occurred_at": NOW}, {"occurred_at": None})
    ]
    assert len({event(occurred_at=at).id, *(event(**{"occurred_at": at, **more}).id for more in others)}) == 6
    assert event(1).id != event(2).id, "it says no time"


@given(st.lists(st.integers(1, 60), max_size=8))
def test_a_flood_is_counted_and_not_kept(batches: Sequence[int]) -> None:
    """However it is cut into batches; the sum of what is kept and what came after it is what was told."""
    days: dict[Day, Kept] = {}
    kept: list[SecurityEventReported] = []
    number, further = 0, 0
    for size in batches:
        found = bounded([event(number + n) for n in range(size)], days)
        number, days = number + size, dict(found.days)
        kept += found.kept
        further += sum(found.further.values())
        assert set(found.further) <= {kept[-1].cause}
    assert (len(kept), len(kept) + further) == (min(number, MOST_A_DAY), number)


def test_a_flood_of_one_type_leaves_room_for_others_and_for_tomorrow() -> None:
    flood = [event(n, f"acme.{n}") for n in range(3 * MOST_A_DAY)]
    others = [
        event(1001, "TamperDetectionActivated"),
        event(1002, station_id="CP2"),
        event(1003, "acme.1", at=NOW + timedelta(days=1)),
    ]
    found = bounded([*flood, *others], {})
    assert found.kept == [*flood[:MOST_A_DAY], *others]
    assert found.further == {flood[MOST_A_DAY - 1].cause: 2 * MOST_A_DAY}


@pytest.mark.parametrize("reason", [*RefusalReason, "of_tomorrow"])
def test_what_gateways_refuse_is_an_event_where_it_is_about_who_a_station_is(reason: str) -> None:
    refused = RefusedStation("CP1", reason, 3, NOW - timedelta(seconds=9), NOW, "192.0.2.7", "ocpp1.6")
    told = list(of_report(RefusalReport("g1", NOW, (refused,))))
    kinds = {
        "no_password": "LoginFailed",
        "wrong_password": "LoginFailed",
        "too_many_wrong_passwords": "LoginFailed",
        "low_security_profile": "DowngradeAttempted",
        "no_certificate": "DowngradeAttempted",
        "other_serial_number": "CertificateRefused",
    }
    kind = "CertificateRefused" if reason.endswith("_certificate") and reason != "no_certificate" else kinds.get(reason)
    kind = "CertificateRefused" if reason == "certificate_of_another" else kind
    assert [one.type for one in told] == [kind for kind in [kind] if kind]
    assert all((one.origin, one.times, one.tech_info) == (Origin.CSMS, 3, reason) for one in told)
    assert all((one.remote_address, one.happened_at) == ("192.0.2.7", NOW) for one in told)
