"""The four services: calls, batches, lag, what went wrong, REST."""

from deploy.grafana.panels import Line, Lines, Number, Section, quantile, rate

TITLE, MEANING = "services", "auth, transactions, smartcharging and firmware: the job is the service."
OURS = "and on (namespace, job, instance) voltbus_consumer_stopped"

SECTIONS: list[Section] = [
    (
        "Now",
        [
            Number("Processes", "count(voltbus_build_info)", "gateways among them"),
            Number("Not ready", "count(voltbus_ready == 0) or vector(0)", red_from=1),
            Number("Consumers stopped", "sum(voltbus_consumer_stopped)", "at the limit of dead letters", red_from=1),
            Number("Dead letters, 1 h", "sum(increase(voltbus_dead_letters_total[1h]))", red_from=1),
            Number("Records behind", "sum(voltbus_consumer_lag_records)"),
            Number(
                "Oldest event not published",
                "max(voltbus_outbox_oldest_seconds)",
                "in the outbox",
                unit="s",
                red_from=60,
            ),
        ],
    ),
    (
        "Calls",
        [
            Lines("Calls a second", [Line(rate("voltbus_calls_total", "job"), "{{job}}")], unit="reqps", stacked=True),
            Lines(
                "Calls refused a second",
                [Line(rate("voltbus_calls_total", "job, action", 'outcome="refused"') + " > 0", "{{job}} {{action}}")],
                "Answered with a CALLERROR by the service.",
                unit="reqps",
            ),
            Lines(
                "From the gateway to the commit, p95",
                [Line(quantile(0.95, "voltbus_call_seconds", "job"), "{{job}}")],
                unit="s",
            ),
            Lines(
                "Records behind, by topic",
                [Line("sum by (job, topic) (voltbus_consumer_lag_records)", "{{job}} {{topic}}")],
                "A service that catches up falls; one that only rises is stuck or too slow.",
            ),
            Lines("Time of a batch, p95", [Line(quantile(0.95, "voltbus_batch_seconds", "job"), "{{job}}")], unit="s"),
            Lines(
                "Records of a batch",
                [
                    Line(
                        "sum by (job) (rate(voltbus_batch_records_sum[$__rate_interval]))"
                        " / sum by (job) (rate(voltbus_batch_records_count[$__rate_interval]))",
                        "{{job}}",
                    )
                ],
                "They grow with the load; that is how it is carried.",
            ),
        ],
    ),
    (
        "Trouble",
        [
            Lines("Ready", [Line("min by (job, instance) (voltbus_ready)", "{{job}} {{instance}}")]),
            Lines(
                "Parts that are not ready",
                [Line("count by (job, check) (voltbus_check == 0)", "{{job}} {{check}}")],
            ),
            Lines(
                "Retries a minute",
                [Line(rate("voltbus_retries_total", "job", seconds=60), "{{job}}")],
                "Postgres, Kafka or Redis was away.",
            ),
            Lines("Dead letters an hour", [Line("sum by (job) (increase(voltbus_dead_letters_total[1h]))", "{{job}}")]),
            Lines(
                "Statuses refused an hour",
                [Line("sum(increase(voltbus_refused_connector_statuses_total[1h]))", "statuses")],
                "Of connectors beyond those that one station may have.",
            ),
            Lines(
                "Processes by version",
                [Line("count by (part, version) (voltbus_build_info)", "{{part}} {{version}}")],
                stacked=True,
            ),
        ],
    ),
    (
        "REST",
        [
            Lines(
                "Requests a second",
                [Line(rate("voltbus_http_requests_total", "job"), "{{job}}")],
                unit="reqps",
                stacked=True,
            ),
            Lines(
                "Requests that failed, a minute",
                [
                    Line(
                        rate("voltbus_http_requests_total", "job, status", 'status=~"4xx|5xx"', seconds=60),
                        "{{job}} {{status}}",
                    )
                ],
                "5xx is a fault of ours, or a server that was away.",
            ),
            Lines(
                "Slowest routes, p95",
                [
                    Line(
                        f"topk(8, {quantile(0.95, 'voltbus_http_request_seconds', 'job, method, route')} > 0)",
                        "{{job}} {{method}} {{route}}",
                    )
                ],
                "Commands that wait for their station are slow because they are asked to be.",
                unit="s",
            ),
        ],
    ),
    (
        "Events to others",
        [
            Lines("Clients that follow", [Line("sum by (job) (voltbus_event_stream_clients)", "{{job}}")]),
            Lines(
                "Webhook deliveries a second",
                [Line(rate("voltbus_webhook_deliveries_total", "job, outcome"), "{{job}} {{outcome}}")],
            ),
            Lines(
                "Oldest delivery that waits",
                [Line("max by (job, webhook) (voltbus_webhook_oldest_seconds)", "{{job}} {{webhook}}")],
                unit="s",
            ),
            Lines(
                "Deliveries that are kept",
                [
                    Line("max by (job, webhook) (voltbus_webhook_waiting)", "{{job}} {{webhook}} waiting"),
                    Line("max by (job, webhook) (voltbus_webhook_dead)", "{{job}} {{webhook}} given up"),
                ],
                "With VOLTBUS_WEBHOOK_BACKLOG of both together a webhook is disabled.",
            ),
        ],
    ),
    (
        "IdTokens that are not registered",
        [
            Lines(
                "Verdicts of the outside authorizer a minute",
                [Line(f"60 * {rate('voltbus_auth_outside_verdicts_total', 'outcome')}", "{{outcome}}")],
                "no_answer, and not_asked while it does not answer: stations get no verdict either.",
            ),
        ],
    ),
    (
        "Station log",
        [
            Lines(
                "Frames kept a second", [Line("sum(rate(voltbus_frame_log_entries_total[$__rate_interval]))", "frames")]
            ),
            Lines("Records that it has not kept yet", [Line("sum(voltbus_frame_log_lag_records)", "records")]),
            Lines(
                "Frames left out a minute",
                [Line("60 * sum(rate(voltbus_frame_log_left_out_total[$__rate_interval]))", "frames")],
                "Of stations that sent too many.",
            ),
        ],
    ),
    (
        "Processes",
        [
            Lines(
                "CPU",
                [
                    Line(
                        f"rate(process_cpu_seconds_total[$__rate_interval]) {OURS}",
                        "{{job}} {{instance}}",
                    )
                ],
                unit="percentunit",
                width=12,
            ),
            Lines(
                "Memory",
                [
                    Line(
                        f"process_resident_memory_bytes {OURS}",
                        "{{job}} {{instance}}",
                    )
                ],
                unit="bytes",
                width=12,
            ),
        ],
    ),
]
