"""Counters and histograms of the hot path, as Prometheus sees them."""

from prometheus_client import CollectorRegistry, generate_latest

from services.common.process.fast_metrics import FastCounter, FastHistogram


def page(collector: FastCounter | FastHistogram) -> list[str]:
    registry = CollectorRegistry()
    registry.register(collector)
    return [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]


def test_a_counter_begins_at_0_and_goes_on() -> None:
    counter = FastCounter("calls", "of stations", ("action",))
    counter.begin([("Boot",), ("Stop",)])
    counter.count(("Boot",))
    counter.begin([("Boot",)])
    assert page(counter) == ['calls_total{action="Boot"} 1.0', 'calls_total{action="Stop"} 0.0']


def test_a_histogram_begins_at_0_and_goes_on() -> None:
    histogram = FastHistogram("seconds", "of calls", ("action",), (0.1, 1))
    histogram.begin([("Boot",)])
    assert page(histogram) == [
        'seconds_bucket{action="Boot",le="0.1"} 0.0',
        'seconds_bucket{action="Boot",le="1.0"} 0.0',
        'seconds_bucket{action="Boot",le="+Inf"} 0.0',
        'seconds_count{action="Boot"} 0.0',
        'seconds_sum{action="Boot"} 0.0',
    ]
    histogram.observe(("Boot",), 0.5)
    histogram.begin([("Boot",)])
    assert 'seconds_bucket{action="Boot",le="1.0"} 1.0' in page(histogram)
