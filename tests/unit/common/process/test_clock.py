"""Moments in records are those of protobuf's own, made faster."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from services.common.process.clock import from_timestamp, to_timestamp


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_moment_goes_into_a_record_and_comes_back(at: datetime) -> None:
    written = to_timestamp(at)
    assert from_timestamp(written) == at == written.ToDatetime(UTC)
