"""Kafka, Postgres and Redis as Voltbus uses them; what they say of themselves is theirs to show."""

from deploy.grafana.panels import Line, Lines, Number, Section, rate

TITLE, MEANING = "Kafka, Postgres, Redis", "Seen from our processes: whether they answer, and what waits for them."

SECTIONS: list[Section] = [
    (
        "Now",
        [
            Number(
                "Kafka", 'min(voltbus_dependency_up{dependency="kafka"})', "1: every process reaches it", red_below=1
            ),
            Number("Postgres", 'min(voltbus_dependency_up{dependency="postgres"})', red_below=1),
            Number("Redis", 'min(voltbus_dependency_up{dependency="redis"})', red_below=1),
            Number(
                "Under-replicated",
                "max(voltbus_kafka_under_replicated_partitions)",
                "partitions of our topics that lack a replica in sync",
                red_from=1,
            ),
            Number(
                "Without a leader", "max(voltbus_kafka_leaderless_partitions)", "partitions of our topics", red_from=1
            ),
            Number(
                "Days of partitions ahead",
                "min(voltbus_partitions_ahead_days)",
                "the table with the fewest",
                unit="d",
                red_below=1.5,
            ),
        ],
    ),
    (
        "Reachable",
        [
            Lines(
                "Servers that do not answer",
                [Line("count by (job, dependency) (voltbus_dependency_up == 0)", "{{job}} {{dependency}}")],
                "Processes of each job; nothing here is as it should be.",
                width=12,
            ),
            Lines("Retries a minute", [Line(rate("voltbus_retries_total", "job", seconds=60), "{{job}}")], width=12),
        ],
    ),
    (
        "Kafka",
        [
            Lines(
                "Partitions in danger",
                [
                    Line("max(voltbus_kafka_under_replicated_partitions)", "under-replicated"),
                    Line("max(voltbus_kafka_leaderless_partitions)", "without a leader"),
                ],
                "As brokers told our clients, of the topics that they use.",
            ),
            Lines("Records behind, by topic", [Line("sum by (topic) (voltbus_consumer_lag_records)", "{{topic}}")]),
            Lines(
                "Entries in copies of compacted topics",
                [Line("max by (topic) (voltbus_copy_entries)", "{{topic}}")],
                "What each process keeps in memory.",
            ),
        ],
    ),
    (
        "Postgres",
        [
            Lines(
                "Connections in use",
                [
                    Line('sum by (job, pool) (voltbus_postgres_connections{state="in_use"})', "{{job}} {{pool}}"),
                    Line(
                        "max by (job, pool) (voltbus_postgres_pool_size)", "{{job}} {{pool}}: what a process may have"
                    ),
                ],
            ),
            Lines(
                "Waiting for a connection", [Line("sum by (job, pool) (voltbus_postgres_waiting)", "{{job}} {{pool}}")]
            ),
            Lines(
                "Outbox: rows, at the most",
                [Line("max by (job) (voltbus_outbox_rows)", "{{job}}")],
                "From the oldest to the newest; what was rolled back between them counts, too.",
            ),
            Lines(
                "Outbox: age of the oldest row",
                [Line("max by (job) (voltbus_outbox_oldest_seconds)", "{{job}}")],
                unit="s",
            ),
            Lines("Outbox: records published a second", [Line(rate("voltbus_outbox_relayed_total", "job"), "{{job}}")]),
            Lines(
                "Partitions ahead, in days",
                [Line("min by (job, table) (voltbus_partitions_ahead_days)", "{{job}} {{table}}")],
                unit="d",
            ),
            Lines(
                "Partitions overdue, in days",
                [Line("max by (job, table) (voltbus_partitions_overdue_days)", "{{job}} {{table}}")],
                "They should have been dropped: nothing in them is needed.",
                unit="d",
            ),
        ],
    ),
    (
        "Redis",
        [
            Lines("Gateways with a slot", [Line("count(voltbus_gateway_slot >= 0)", "gateways")], width=12),
            Lines(
                "Routes that wait to be written",
                [Line("sum by (instance) (voltbus_gateway_routes_pending)", "{{instance}}")],
                width=12,
            ),
        ],
    ),
]
