"""Every metric that services share, declared once. The gateway declares its own beside its code."""

from prometheus_client import REGISTRY, Counter, Gauge, Histogram

from services.common.process.fast_metrics import FastCounter, FastHistogram

BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)

CALLS = FastCounter("voltbus_calls", "CALLs handled by a service", ("action", "version", "outcome"))
CALL_SECONDS = FastHistogram(
    "voltbus_call_seconds",
    "from the receipt of a CALL at the gateway to its commit by the service",
    ("action", "version"),
    BUCKETS,
)
BATCH_RECORDS = Histogram(
    "voltbus_batch_records", "records handled in one go", buckets=(1, 2, 5, 10, 50, 100, 500, 1000, 2000)
)
BATCH_SECONDS = Histogram(
    "voltbus_batch_seconds", "from when a batch is begun to its replies' acknowledgement", buckets=BUCKETS
)
LAG = Gauge("voltbus_consumer_lag_records", "records that wait in the partitions of this process")
RETRIES = Counter("voltbus_batch_retries_total", "batches tried again because infrastructure was away")
DEAD_LETTERS = Counter("voltbus_dead_letters_total", "records put aside because they cannot be handled")
STOPPED = Gauge("voltbus_consumer_stopped", "1 when the consumer has stopped at its limit of dead letters")
RELAYED = Counter("voltbus_outbox_relayed_total", "records sent from the outbox to Kafka")
TABLE_ENTRIES = Gauge("voltbus_copy_entries", "entries in the in-memory copy of a compacted topic", ["topic"])
READY = Gauge("voltbus_ready", "1 while this process can do its work")

REGISTRY.register(CALLS)
REGISTRY.register(CALL_SECONDS)
