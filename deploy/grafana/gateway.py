"""The gateway: connections, frames, how fast stations are answered, and what holds them up."""

from deploy.grafana.panels import Line, Lines, Number, Section, quantile, rate

TITLE, MEANING = "gateway", "What stations see of Voltbus."
LATENCY, FRAMES = "voltbus_gateway_call_seconds", "voltbus_gateway_frames_total"
OURS = "and on (namespace, job, instance) voltbus_gateway_slot"
STATIONS_ASK = 'direction="in",kind="call"'
IN_TIME = f'sum(rate({LATENCY}_bucket{{le="1.0"}}[$__rate_interval]))'

SECTIONS: list[Section] = [
    (
        "Now",
        [
            Number("Gateways with a slot", "count(voltbus_gateway_slot >= 0)", red_below=1),
            Number("Connections", "sum(voltbus_gateway_connections)"),
            Number("Frames a second", "sum(rate(voltbus_gateway_frames_total[$__rate_interval]))", unit="reqps"),
            Number(
                "Answered within 1 s",
                f"{IN_TIME} / sum(rate({LATENCY}_count[$__rate_interval]))",
                "of the CALLs that were answered",
                unit="percentunit",
                red_below=0.99,
            ),
            Number(
                "Sockets not read",
                "sum(voltbus_gateway_held_connections) + sum(voltbus_gateway_paused_connections)",
                "because a service or Kafka is behind",
                red_from=1,
            ),
            Number(
                "Unanswered, 5 min",
                'sum(increase(voltbus_gateway_dropped_total{reason="unanswered"}[5m]))',
                "CALLs that no service answered in time",
                red_from=1,
            ),
        ],
    ),
    (
        "Connections",
        [
            Lines(
                "Connections by gateway",
                [Line("sum by (instance) (voltbus_gateway_connections)", "{{instance}}")],
                stacked=True,
            ),
            Lines(
                "Handshakes a second by status",
                [Line(rate("voltbus_gateway_handshakes_total", "status"), "{{status}}")],
                "101: let in. 401: a wrong password; 404: not registered; 426: another version of WebSocket.",
                unit="reqps",
            ),
            Lines(
                "Connections given up a minute by reason",
                [Line("60 * " + rate("voltbus_gateway_given_up_connections_total", "reason"), "{{reason}}")],
                "no_pong: no answer to a ping. not_reading: the station takes nothing. flood: it sent too much.",
            ),
            Number(
                "Ids that several devices have",
                "sum(voltbus_gateway_contested_ids)",
                "of each, the one that is connected stays",
                red_from=1,
            ),
            Lines(
                "Requests over SOAP a second by status",
                [Line(rate("voltbus_gateway_soap_requests_total", "status"), "{{status}}")],
                "400: no message of OCPP, or a station that nobody knows; 401: its password; 500: any other fault.",
                unit="reqps",
            ),
            Lines(
                "Calls to stations that speak SOAP, a minute",
                [Line(rate("voltbus_gateway_soap_calls_total", "outcome", seconds=60), "{{outcome}}")],
                "refused: the address is not allowed. unreachable: the command waits until the station is heard.",
            ),
            Lines(
                "TLS handshakes a second by what became of them",
                [Line(rate("voltbus_gateway_tls_handshakes_total", "outcome"), "{{outcome}}")],
                "refused: by the station, which does not trust our certificate, mostly. gone: it left before the end.",
                unit="reqps",
            ),
            Lines(
                "TLS handshakes under way",
                [Line("sum by (instance) (voltbus_gateway_tls_handshakes_under_way)", "{{instance}}")],
                "500 at the most.",
            ),
            Number(
                "Certificate expires in",
                "min(voltbus_gateway_certificate_expires_timestamp_seconds) - time()",
                "the one that stations are shown",
                unit="s",
                red_below=7 * 86400,
            ),
            Number(
                "Gateways with new certificates that cannot be used",
                "sum(voltbus_gateway_certificate_refused)",
                "those from before stay in use",
                red_from=1,
            ),
            Lines(
                "Connections closed for what came on them, a minute",
                [Line(rate("voltbus_gateway_failed_connections_total", "code", seconds=60), "{{code}}")],
                "1002: protocol, 1003: not text, 1007: not UTF-8, 1009: too long (RFC 6455), 1011: a fault of ours.",
            ),
        ],
    ),
    (
        "Frames",
        [
            Lines(
                "CALLs of stations a second, the most frequent",
                [
                    Line(
                        f"topk(8, {rate(FRAMES, 'action', STATIONS_ASK)}) > 0",
                        "{{action}}",
                    )
                ],
                unit="reqps",
                stacked=True,
            ),
            Lines(
                "Time to the answer",
                [Line(quantile(share, LATENCY, "job"), f"p{round(share * 100)}") for share in (0.5, 0.95, 0.99)],
                "From the receipt of a CALL to its CALLRESULT.",
                unit="s",
            ),
            Lines(
                "Time to the answer by action, p95",
                [Line(f"{quantile(0.95, LATENCY, 'action')} > 0", "{{action}}")],
                unit="s",
            ),
            Lines(
                "Dropped a minute",
                [Line(rate("voltbus_gateway_dropped_total", "reason", seconds=60), "{{reason}}")],
                "unanswered: a service was late. no_connection: the station had gone. not_acknowledged: by Kafka.",
                width=12,
            ),
            Lines(
                "CALLERRORs a second",
                [Line(rate(FRAMES, "direction", 'kind="error"'), "{{direction}}")],
                "in: from stations, of our commands. out: ours.",
                unit="reqps",
                width=12,
            ),
        ],
    ),
    (
        "Pressure",
        [
            Lines(
                "Sockets that are not read",
                [
                    Line("sum by (owner) (voltbus_gateway_held_connections)", "{{owner}} is behind"),
                    Line("sum(voltbus_gateway_paused_connections)", "Kafka is behind"),
                ],
            ),
            Lines(
                "CALLs a second that a service is given",
                [Line("min by (owner) (voltbus_gateway_admitted_calls) >= 0", "{{owner}}")],
                "Only while it is less than what stations send: nothing here is as it should be.",
                unit="reqps",
            ),
            Lines(
                "CALLs that a service is behind", [Line("max by (owner) (voltbus_gateway_behind_records)", "{{owner}}")]
            ),
            Lines(
                "Records that Kafka has not acknowledged",
                [Line("sum by (instance) (voltbus_gateway_unacknowledged_records)", "{{instance}}")],
            ),
            Lines(
                "Messages that wait in the gateway",
                [Line("sum by (instance) (voltbus_gateway_waiting_bytes)", "{{instance}}")],
                unit="bytes",
            ),
            Lines(
                "Routes that wait for Redis",
                [Line("sum by (instance) (voltbus_gateway_routes_pending)", "{{instance}}")],
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
                        "{{instance}}",
                    )
                ],
                "Of one core, which is what a gateway can use.",
                unit="percentunit",
                width=12,
            ),
            Lines(
                "Memory",
                [
                    Line(
                        f"process_resident_memory_bytes {OURS}",
                        "{{instance}}",
                    )
                ],
                unit="bytes",
                width=12,
            ),
        ],
    ),
]
