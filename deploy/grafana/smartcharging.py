"""Smart charging: sites that share a limit, and whether their stations are told in time."""

from deploy.grafana.panels import Line, Lines, Number, Section, quantile, rate

TITLE, MEANING = "smart charging", "Sites and their limits."
OURS = "and on (namespace, job) voltbus_sites"
FRAMES = "voltbus_gateway_frames_total"
PROFILES = 'action=~"SetChargingProfile|ClearChargingProfile|GetCompositeSchedule|GetChargingProfiles"'

SECTIONS: list[Section] = [
    (
        "Now",
        [
            Number("Sites", "max(voltbus_sites)"),
            Number(
                "Over-committed",
                "max(voltbus_sites_over_committed)",
                "the limit cannot be held: more is set aside than there is",
                red_from=1,
            ),
            Number("Open sessions", "max(voltbus_transactions_open)"),
            Number(
                "Limits not answered yet",
                f"sum(max by (job, status) (voltbus_commands_open {OURS}))",
                "commands of smartcharging that are open",
            ),
        ],
    ),
    (
        "Over time",
        [
            Lines("Sites that are over-committed", [Line("max(voltbus_sites_over_committed)", "sites")]),
            Lines(
                "Profiles sent and asked for, a minute",
                [
                    Line(
                        rate(FRAMES, "action", f'direction="out",kind="call",{PROFILES}', seconds=60),
                        "{{action}}",
                    )
                ],
            ),
            Lines(
                "Profiles refused by stations, a minute",
                [
                    Line(
                        rate(FRAMES, "action", f'direction="in",kind="error",{PROFILES}', seconds=60),
                        "{{action}}",
                    )
                ],
                "With a CALLERROR. An answer Rejected is in the command.",
            ),
            Lines(
                "Records behind",
                [Line(f"sum by (topic) (voltbus_consumer_lag_records {OURS})", "{{topic}}")],
                "Limits follow sessions and connections by these topics; while it is behind, limits are late.",
                width=12,
            ),
            Lines(
                "Time of a batch",
                [Line(quantile(0.95, "voltbus_batch_seconds", "namespace, job") + f" {OURS}", "{{job}} p95")],
                unit="s",
                width=12,
            ),
        ],
    ),
]
