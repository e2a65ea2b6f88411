"""Metrics of consumers, each declared once."""

from prometheus_client import Counter, Gauge, Histogram

from services.common.process.metrics import BUCKETS

BATCH_RECORDS = Histogram(
    "voltbus_batch_records", "records handled in one go", buckets=(1, 2, 5, 10, 50, 100, 500, 1000, 2000)
)
BATCH_SECONDS = Histogram(
    "voltbus_batch_seconds", "from when a batch is begun to its replies' acknowledgement", buckets=BUCKETS
)
LAG = Gauge("voltbus_consumer_lag_records", "records of a topic that wait in the partitions of this process", ["topic"])
DEAD_LETTERS = Counter("voltbus_dead_letters_total", "records put aside because they cannot be handled")
STOPPED = Gauge("voltbus_consumer_stopped", "1 when the consumer has stopped at its limit of dead letters")
