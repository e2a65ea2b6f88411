"""Metrics of a service's database, each declared once."""

from prometheus_client import Counter, Gauge

from services.common.process.leader_gauge import LeaderGauge

RELAYED = Counter("voltbus_outbox_relayed_total", "records sent from the outbox to Kafka")
OUTBOX_ROWS = LeaderGauge(
    "voltbus_outbox_rows", "transactions whose records wait in the outbox, at the most: from the oldest to the newest"
)
OUTBOX_OLDEST = LeaderGauge("voltbus_outbox_oldest_seconds", "age of the oldest row of the outbox; 0: it is empty")
PARTITIONS_AHEAD = LeaderGauge(
    "voltbus_partitions_ahead_days",
    "days from now that have partitions without a hole; what comes after them waits in the default partition",
    ["table"],
)
PARTITIONS_OVERDUE = LeaderGauge(
    "voltbus_partitions_overdue_days",
    "days since the oldest partition should have been dropped that holds nothing that is needed; 0: there is none",
    ["table"],
)
CONNECTIONS = Gauge(
    "voltbus_postgres_connections", "connections to Postgres; pool: lists has those of REST lists", ["pool", "state"]
)
POOL_SIZE = Gauge("voltbus_postgres_pool_size", "connections to Postgres that a pool may have", ["pool"])
ACQUIRING = Gauge("voltbus_postgres_waiting", "tasks that wait for a connection", ["pool"])
