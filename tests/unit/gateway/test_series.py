"""The series of a gateway that has heard of no station yet."""

import subprocess
import sys

import pytest

# In a process of its own: other tests count, too.
SCRIPT = """
from prometheus_client import disable_created_metrics, generate_latest
from services.gateway import series
disable_created_metrics()
series.begin()
print(generate_latest().decode())
"""


@pytest.fixture(scope="module")
def page() -> str:
    return subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, check=True, text=True).stdout


@pytest.mark.parametrize(
    "series",
    [
        'voltbus_gateway_frames_total{action="BootNotification",direction="in",kind="call",version="1.6"}',
        'voltbus_gateway_frames_total{action="BootNotification",direction="out",kind="error",version="2.0.1"}',
        'voltbus_gateway_frames_total{action="Reset",direction="out",kind="call",version="1.6"}',
        'voltbus_gateway_frames_total{action="Reset",direction="in",kind="result",version="2.0.1"}',
        'voltbus_gateway_call_seconds_bucket{action="MeterValues",le="1.0",version="1.6"}',
        'voltbus_gateway_handshakes_total{status="401"}',
        'voltbus_gateway_refused_handshakes_total{reason="unknown_station"}',
        'voltbus_gateway_failed_connections_total{code="1009"}',
        'voltbus_gateway_dropped_total{reason="unanswered"}',
        'voltbus_gateway_tolerated_total{kind="unknown_property"}',
        'voltbus_gateway_refused_total{code="FormatViolation",version="2.0.1"}',
        'voltbus_gateway_command_results_total{outcome="OUTCOME_TIMED_OUT",version="1.6"}',
        'voltbus_gateway_connections{version="1.6"}',
    ],
)
def test_begins_at_0(page: str, series: str) -> None:
    assert f"{series} 0.0\n" in page


def test_no_station_can_call_what_the_system_calls(page: str) -> None:
    assert 'voltbus_gateway_frames_total{action="Reset",direction="in",kind="call"' not in page
