"""Commands to stations: what waits, and how they end."""

from deploy.grafana.panels import Line, Lines, Number, Section, rate

TITLE, MEANING = "commands", "Commands to stations; see docs/commands.md for what each end means."
RESULTS, FRAMES = "voltbus_gateway_command_results_total", "voltbus_gateway_frames_total"

SECTIONS: list[Section] = [
    (
        "Now",
        [
            Number(
                "Waiting for stations",
                'sum(max by (job) (voltbus_commands_open{status="accepted"}))',
                "accepted: their stations are not connected, or their time has not come",
            ),
            Number("Waiting for answers", 'sum(max by (job) (voltbus_commands_open{status="sent"}))', "sent"),
            Number(
                "Answered, 15 min",
                f'sum(increase({RESULTS}{{outcome="OUTCOME_ANSWERED"}}[15m]))',
                "with a CALLRESULT, whatever it says",
            ),
            Number("Timed out, 15 min", f'sum(increase({RESULTS}{{outcome="OUTCOME_TIMED_OUT"}}[15m]))', red_from=1),
            Number(
                "Undelivered, 15 min",
                f'sum(increase({RESULTS}{{outcome="OUTCOME_UNDELIVERED"}}[15m]))',
                "the connection was gone",
            ),
            Number(
                "Refused or invalid, 15 min",
                f'sum(increase({RESULTS}{{outcome=~"OUTCOME_REFUSED|OUTCOME_INVALID"}}[15m]))',
                "a CALLERROR, or an answer that cannot be used",
            ),
        ],
    ),
    (
        "Over time",
        [
            Lines(
                "Open by service",
                [Line("max by (job, status) (voltbus_commands_open)", "{{job}} {{status}}")],
                "sent that does not fall: stations do not answer, or results are not read.",
                width=12,
            ),
            Lines(
                "Ends a minute",
                [Line(rate(RESULTS, "outcome", seconds=60), "{{outcome}}")],
                "As gateways see them. What expires while its station is away never comes to a gateway.",
                stacked=True,
                width=12,
            ),
            Lines(
                "On the wire a minute, by action",
                [
                    Line(
                        rate(FRAMES, "action", 'direction="out",kind="call"', seconds=60) + " > 0",
                        "{{action}}",
                    )
                ],
                stacked=True,
                width=12,
            ),
            Lines(
                "Asked for by REST, a minute",
                [
                    Line(
                        rate(
                            "voltbus_http_requests_total",
                            "job, status",
                            'method="POST",route=~".*/commands.*"',
                            seconds=60,
                        ),
                        "{{job}} {{status}}",
                    )
                ],
                width=12,
            ),
        ],
    ),
]
