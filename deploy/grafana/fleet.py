"""The fleet: how many stations there are, in which state, and what they charge."""

from deploy.grafana.panels import Line, Lines, Number, Section, rate

TITLE, MEANING = "fleet", "Stations, connectors and sessions. The numbers are those of the leader of each service."
NOTIFICATIONS = 'action=~"BootNotification|StatusNotification"'
ONLINE = 'sum(max by (presence, boot_status) (voltbus_stations{presence="online"}))'
ALL = "sum(max by (presence, boot_status) (voltbus_stations))"

SECTIONS: list[Section] = [
    (
        "Now",
        [
            Number("Stations", ALL, "known to firmware"),
            Number("Online", ONLINE),
            Number("Share online", f"{ONLINE} / {ALL}", unit="percentunit", red_below=0.8),
            Number("Open sessions", "max(voltbus_transactions_open)"),
            Number(
                "Faulted connectors",
                'max(voltbus_connectors{status="Faulted"})',
                "as they were last said to be",
                red_from=1,
            ),
            Number("Held sessions", "max(voltbus_transactions_held)", "they wait for a review before they are billed"),
        ],
    ),
    (
        "Stations",
        [
            Lines(
                "Presence",
                [Line("sum by (presence) (max by (presence, boot_status) (voltbus_stations))", "{{presence}}")],
                "A fall of many at once is a network, a gateway or a release; of one by one, stations.",
                stacked=True,
            ),
            Lines(
                "Online, by the verdict on the last boot",
                [
                    Line(
                        'sum by (boot_status) (max by (presence, boot_status) (voltbus_stations{presence="online"}))',
                        "{{boot_status}}",
                    )
                ],
                "Pending and Rejected may not charge yet (B02, B03).",
                stacked=True,
            ),
            Lines(
                "Connections by version",
                [Line("sum by (version) (voltbus_gateway_connections)", "{{version}}")],
                "As gateways count them. Together they are those online, give or take the silent.",
                stacked=True,
            ),
            Lines(
                "Connectors",
                [Line("max by (status) (voltbus_connectors) > 0", "{{status}}")],
                "By what each was last said to be; of stations that are offline, too.",
                stacked=True,
                width=12,
            ),
            Lines(
                "Boots and status notifications a second",
                [
                    Line(
                        rate("voltbus_gateway_frames_total", "action", f'direction="in",kind="call",{NOTIFICATIONS}'),
                        "{{action}}",
                    )
                ],
                "Waves of boots are restarts: of power, of a network, of firmware.",
                unit="reqps",
                width=12,
            ),
        ],
    ),
    (
        "Charging",
        [
            Lines("Open sessions", [Line("max(voltbus_transactions_open)", "open")], "That none has superseded."),
            Lines(
                "Sessions that ended, an hour",
                [Line(rate("voltbus_transactions_ended_total", "ended_by", seconds=3600), "{{ended_by}}")],
                "station: by its own word. All others are guesses that its late word may still correct.",
                stacked=True,
            ),
            Lines(
                "Energy of sessions that ended, Wh an hour",
                [Line("3600 * sum(rate(voltbus_transactions_energy_wh_total[$__rate_interval]))", "Wh in an hour")],
                "When their end was first told; what a revision changes is not in it.",
                unit="watth",
            ),
        ],
    ),
    (
        "What is wrong with what stations send",
        [
            Lines(
                "Handshakes refused a minute",
                [Line(rate("voltbus_gateway_refused_handshakes_total", "reason", seconds=60), "{{reason}}")],
                "Which they are: GET /v1/stations/refused.",
                stacked=True,
            ),
            Lines(
                "Messages refused a minute",
                [Line(rate("voltbus_gateway_refused_total", "code", seconds=60), "{{code}}")],
                "Answered with a CALLERROR, or not at all.",
                stacked=True,
            ),
            Lines(
                "Deviations passed over, a minute",
                [Line(rate("voltbus_gateway_tolerated_total", "kind", seconds=60), "{{kind}}")],
                "Each is read as what it means; see docs/field-notes.md.",
                stacked=True,
            ),
        ],
    ),
    (
        "Certificates of stations",
        [
            Lines(
                "To be renewed",
                [Line("max by (end) (voltbus_station_certificates_ending)", "{{end}}")],
                "soon is as it should be; late: a quarter of the time for it is left; ended: its station may be out.",
            ),
            Lines(
                "Signing requests that ended, a day",
                [Line("sum by (outcome) (increase(voltbus_signing_requests_ended_total[1d]))", "{{outcome}}")],
                "csms: what was asked for is at fault.",
            ),
            Number(
                "Oldest request that waits",
                "max(voltbus_signing_requests_waiting_seconds)",
                "for a desk or a CA",
                unit="s",
                red_from=86400,
            ),
        ],
    ),
]
