"""Metrics that every process has, each declared once. What only some have is declared beside their code."""

from prometheus_client import Counter, Gauge

BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)

BUILD = Gauge("voltbus_build_info", "1, with the part that this process is and its version", ["part", "version"])
READY = Gauge("voltbus_ready", "1 while this process can do its work")
CHECK = Gauge("voltbus_check", "1 while a part of the readiness of this process holds", ["check"])
DEPENDENCY = Gauge("voltbus_dependency_up", "1 while a server that this process needs answers", ["dependency"])
RETRIES = Counter("voltbus_retries_total", "tries repeated because infrastructure was away")
TABLE_ENTRIES = Gauge("voltbus_copy_entries", "entries in the in-memory copy of a compacted topic", ["topic"])
UNDER_REPLICATED = Gauge(
    "voltbus_kafka_under_replicated_partitions",
    "partitions of the topics that this process uses which lack a replica in sync",
)
LEADERLESS = Gauge(
    "voltbus_kafka_leaderless_partitions", "partitions of the topics that this process uses which have no leader"
)
SPANS = Counter(
    "voltbus_spans_total", "spans of traces that have ended, by whether the collector has them", ["outcome"]
)
