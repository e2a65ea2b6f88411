"""When each alert fires, and when it stays silent, as promtool sees it: a minute between two scrapes."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from tests.clients import prometheus
from tests.patience import GIVE_UP
from tests.unit.deploy.test_runbooks import RULES, alerts

GATEWAY = 'namespace="v",job="gateway",instance="g"'
AUTH = 'namespace="v",job="auth",instance="a"'
DROPPED, RESULTS = "voltbus_gateway_dropped_total", "voltbus_gateway_command_results_total"
GIVEN_UP = "voltbus_gateway_given_up_connections_total"
REFUSED = "voltbus_gateway_certificate_refused"
SECONDS = "voltbus_gateway_call_seconds"
WAITING = "voltbus_signing_requests_waiting_seconds"


@dataclass(frozen=True, slots=True)
class Case:
    """series: values a minute apart, in the notation of promtool. at: in minutes. fires: with these labels; or not."""

    alert: str
    what: str
    series: Mapping[str, str]
    at: int
    fires: Mapping[str, str] | None = field(default_factory=lambda: {"job": "auth"})


def ending(late: int, ended: int) -> dict[str, str]:
    """Certificates of stations, of which some are always to be renewed soon."""
    counts = {"soon": 7, "late": late, "ended": ended}
    return {f'voltbus_station_certificates_ending{{{AUTH},end="{end}"}}': f"{n}x90" for end, n in counts.items()}


def signing(outcome: str, values: str) -> dict[str, str]:
    return {f'voltbus_signing_requests_ended_total{{{AUTH},outcome="{outcome}"}}': values}


def counter(name: str, where: str = AUTH) -> str:
    return f"{name}{{{where}}}"


def answered(slow: int, total: int, unanswered: int = 0) -> dict[str, str]:
    """CALLs of stations a minute, for a day."""
    return {
        f"{SECONDS}_count{{{GATEWAY}}}": f"0+{total}x1440",
        f'{SECONDS}_bucket{{{GATEWAY},le="1.0"}}': f"0+{total - slow}x1440",
        f'{DROPPED}{{{GATEWAY},reason="unanswered"}}': f"0+{unanswered}x1440",
    }


def refused(a_minute: int, connections: int) -> dict[str, str]:
    return {
        f'voltbus_gateway_refused_handshakes_total{{{GATEWAY},reason="wrong_password"}}': f"0+{a_minute}x60",
        f'voltbus_gateway_refused_handshakes_total{{{GATEWAY},reason="quarantined"}}': "0+1000x60",
        f'voltbus_gateway_connections{{{GATEWAY},version="1.6"}}': f"{connections}x60",
    }


def certificate(days: int) -> dict[str, str]:
    """Of two gateways, one of which has a newer one; promtool's clock begins at 0."""
    name, later = "voltbus_gateway_certificate_expires_timestamp_seconds", GATEWAY.replace('"g"', '"h"')
    return {f'{name}{{{GATEWAY},key="ec"}}': f"{days * 86400}x60", f'{name}{{{later},key="ec"}}': "8640000x60"}


def ended(timed_out: int, others: int) -> dict[str, str]:
    return {
        f'{RESULTS}{{{GATEWAY},outcome="OUTCOME_TIMED_OUT",version="1.6"}}': f"0+{timed_out}x60",
        f'{RESULTS}{{{GATEWAY},outcome="OUTCOME_ANSWERED",version="1.6"}}': f"0+{others}x60",
    }


def requests(failed: int, others: int) -> dict[str, str]:
    return {
        f'voltbus_http_requests_total{{{AUTH},method="GET",route="/v1/stations",status="5xx"}}': f"0+{failed}x60",
        f'voltbus_http_requests_total{{{AUTH},method="GET",route="/v1/stations",status="2xx"}}': f"0+{others}x60",
    }


def online(values: str, job: str = "firmware") -> dict[str, str]:
    return {
        f'voltbus_stations{{namespace="v",job="{job}",instance="f",presence="online",boot_status="Accepted"}}': values
    }


def outside(**a_minute: int) -> dict[str, str]:
    """Verdicts by outcome."""
    return {
        f'voltbus_auth_outside_verdicts_total{{{AUTH},outcome="{outcome}"}}': f"0+{number}x60"
        for outcome, number in a_minute.items()
    }


AT_AUTH = {"job": "auth"}
WEBHOOK = {"job": "auth", "webhook": "w"}


def deliveries(waiting: str = "0x90", dead: str = "0x90", instance: str = "a") -> dict[str, str]:
    where = f'namespace="v",job="auth",instance="{instance}",webhook="w"'
    return {f"voltbus_webhook_waiting{{{where}}}": waiting, f"voltbus_webhook_dead{{{where}}}": dead}


def handed_over(before: int, after: int) -> dict[str, str]:
    """What is dead, as one process told it and then another."""
    return deliveries(dead=f"{before}x20") | deliveries("_x20 0x90", f"_x20 {after}x90", instance="b")


# Three CALLs, of which one was answered in time.
FEW = ((f"{SECONDS}_count{{{GATEWAY}}}", 3), (f'{SECONDS}_bucket{{{GATEWAY},le="1.0"}}', 1))
UP = {f"up{{{AUTH}}}": "1x10 0x600", f'voltbus_build_info{{{AUTH},part="auth",version="1"}}': "1x10"}
READY = {f"voltbus_ready{{{AUTH}}}": "1x10 0x20"}
REPLACED = {f"voltbus_ready{{{AUTH}}}": "1x10", 'voltbus_ready{namespace="v",job="auth",instance="b"}': "_x11 1x30"}
TWO_READY = READY | {'voltbus_ready{namespace="v",job="auth",instance="b"}': "1x30"}
G, A, INSTANCE = {"job": "gateway"}, {"job": "auth"}, {"job": "auth", "instance": "a"}
FIRMWARE = 'namespace="v",job="firmware",instance="f"'


def rises(alert: str, series: str, labels: Mapping[str, str]) -> Iterator[Case]:
    """Of counters that should not count at all."""
    yield Case(alert, "the first one, of a series that was at 0", {series: "0x10 1x20"}, 12, labels)
    yield Case(alert, "a process that had counted before it was first seen", {series: "_x10 1x20"}, 12, labels)
    yield Case(alert, "one more after a restart", {series: "5x10 1x20"}, 12, labels)
    yield Case(alert, "nothing", {series: "0x90"}, 80, None)
    yield Case(alert, "what was long ago", {series: "_x2 7x90"}, 80, None)


CASES = [
    Case("VoltbusTargetDown", "it answered before", UP, 15, INSTANCE),
    Case("VoltbusTargetDown", "a single miss", UP | {f"up{{{AUTH}}}": "1x10 0 1x20"}, 15, None),
    Case("VoltbusTargetDown", "a job of others", {'up{job="other",instance="o"}': "0x30"}, 15, None),
    Case("VoltbusPartUnavailable", "the only process", READY, 14),
    Case("VoltbusPartUnavailable", "another one is ready", TWO_READY, 14, None),
    Case("VoltbusTargetDown", "for hours", UP, 400, INSTANCE),
    Case("VoltbusPartUnavailable", "none is left", {f"voltbus_ready{{{AUTH}}}": "1x10"}, 20),
    Case("VoltbusPartUnavailable", "none is left for hours", {f"voltbus_ready{{{AUTH}}}": "1x10"}, 400),
    Case("VoltbusPartUnavailable", "one that was replaced", REPLACED, 20, None),
    Case("VoltbusNotReady", "for five minutes", TWO_READY, 18, INSTANCE),
    Case("VoltbusNotReady", "a restart", {f"voltbus_ready{{{AUTH}}}": "1x10 0x3 1x20"}, 18, None),
    Case(
        "VoltbusDependencyDown",
        "one of three",
        {
            f'voltbus_dependency_up{{{AUTH},dependency="{name}"}}': f"{up}x20"
            for name, up in (("redis", 0), ("kafka", 1))
        },
        5,
        {"job": "auth", "dependency": "redis"},
    ),
    Case(
        "VoltbusDependencyDown", "all answer", {f'voltbus_dependency_up{{{AUTH},dependency="redis"}}': "1x20"}, 5, None
    ),
    Case("VoltbusAnswersSlow", "a fifth is slow", answered(20, 100), 90, G),
    Case("VoltbusAnswersSlow", "a fifth has no answer", answered(0, 80, 20), 90, G),
    Case("VoltbusAnswersSlow", "one in a hundred", answered(1, 100), 90, None),
    Case("VoltbusAnswersSlow", "a few, and hardly any others", {name: f"0x10 {few}x60" for name, few in FEW}, 14, None),
    Case("VoltbusAnswersSlow", "no stations at all", answered(0, 0), 90, None),
    Case(
        "VoltbusAnswersSlow",
        "it is over",
        answered(0, 100) | {f'{SECONDS}_bucket{{{GATEWAY},le="1.0"}}': "0+50x60 3000+100x1000"},
        75,
        None,
    ),
    Case("VoltbusAnswersSlowForLong", "one in twelve, for hours", answered(8, 100), 400, G),
    Case("VoltbusAnswersSlowForLong", "one in twenty", answered(5, 100), 400, None),
    Case(
        "VoltbusGatewayWithoutSlot", "none", {f"voltbus_gateway_slot{{{GATEWAY}}}": "-1x10"}, 5, G | {"instance": "g"}
    ),
    Case("VoltbusGatewayWithoutSlot", "the slot 0", {f"voltbus_gateway_slot{{{GATEWAY}}}": "0x10"}, 5, None),
    Case(
        "VoltbusStationsThrottled",
        "some are held",
        {f'voltbus_gateway_held_connections{{{GATEWAY},owner="transactions"}}': "7x30"},
        15,
        {"job": "gateway", "owner": "transactions"},
    ),
    Case(
        "VoltbusStationsThrottled",
        "after an outage, for some minutes",
        {f'voltbus_gateway_held_connections{{{GATEWAY},owner="transactions"}}': "7x8 0x30"},
        15,
        None,
    ),
    Case("VoltbusStationsPaused", "Kafka is away", {f"voltbus_gateway_paused_connections{{{GATEWAY}}}": "9x30"}, 10, G),
    Case(
        "VoltbusStationsPaused",
        "for a moment",
        {f"voltbus_gateway_paused_connections{{{GATEWAY}}}": "9x2 0x30"},
        10,
        None,
    ),
    Case("VoltbusHandshakesRefused", "a small fleet", refused(20, 100), 40, G),
    Case("VoltbusHandshakesRefused", "a few that are misconfigured", refused(4, 100), 40, None),
    Case("VoltbusCertificateExpires", "in six days", certificate(6), 5, G | {"key": "ec"}),
    Case("VoltbusCertificateExpires", "in eight days", certificate(8), 5, None),
    Case("VoltbusCertificateRefused", "half of a pair", {f"{REFUSED}{{{GATEWAY}}}": "0x10 1x20"}, 20, G),
    Case("VoltbusCertificateRefused", "the other half in time", {f"{REFUSED}{{{GATEWAY}}}": "0x10 1x3 0x20"}, 17, None),
    Case("VoltbusIdContested", "two devices", {f"voltbus_gateway_contested_ids{{{GATEWAY}}}": "0x5 1x20"}, 20, G),
    Case(
        "VoltbusIdContested", "for a moment", {f"voltbus_gateway_contested_ids{{{GATEWAY}}}": "0x5 1x2 0x20"}, 20, None
    ),
    *rises("VoltbusStationFloods", f'{GIVEN_UP}{{{GATEWAY},reason="flood"}}', G),
    Case("VoltbusStationFloods", "silent", {f'{GIVEN_UP}{{{GATEWAY},reason="no_pong"}}': "0+5x30"}, 20, None),
    Case("VoltbusHandshakesRefused", "few of many", refused(20, 10_000), 40, None),
    *rises("VoltbusMessagesLost", f'{DROPPED}{{{GATEWAY},reason="not_acknowledged"}}', G),
    Case(
        "VoltbusMessagesLost",
        "what else is dropped",
        {f'{DROPPED}{{{GATEWAY},reason="late_reply"}}': "0+5x30"},
        20,
        None,
    ),
    Case("VoltbusCommandsTimeOut", "half of them", ended(2, 2), 30, G),
    Case("VoltbusCommandsTimeOut", "a tenth of many", ended(10, 90), 30, None),
    Case(
        "VoltbusCommandsTimeOut",
        "one alone, and no other",
        ended(0, 0) | {f'{RESULTS}{{{GATEWAY},outcome="OUTCOME_TIMED_OUT",version="1.6"}}': "1x60"},
        30,
        None,
    ),
    Case(
        "VoltbusConsumerLag",
        "it does not fall",
        {f'voltbus_consumer_lag_records{{{AUTH},topic="ocpp.calls.auth"}}': "6000x30"},
        15,
        {"job": "auth", "topic": "ocpp.calls.auth"},
    ),
    Case(
        "VoltbusConsumerLag",
        "a wave that is worked off",
        {f'voltbus_consumer_lag_records{{{AUTH},topic="ocpp.calls.auth"}}': "50000-10000x5 0x30"},
        15,
        None,
    ),
    Case("VoltbusConsumerStopped", "at once", {f"voltbus_consumer_stopped{{{AUTH}}}": "0x5 1x5"}, 7, INSTANCE),
    Case("VoltbusConsumerStopped", "it works", {f"voltbus_consumer_stopped{{{AUTH}}}": "0x10"}, 7, None),
    *rises("VoltbusDeadLetters", counter("voltbus_dead_letters_total"), A),
    Case("VoltbusOutboxOld", "two minutes", {f"voltbus_outbox_oldest_seconds{{{AUTH}}}": "0x5 60+60x20"}, 12),
    Case("VoltbusOutboxOld", "a burst", {f"voltbus_outbox_oldest_seconds{{{AUTH}}}": "0x5 70 0x20"}, 12, None),
    Case("VoltbusOutboxWithoutLeader", "nobody leads", {f'voltbus_build_info{{{AUTH},part="auth"}}': "1x20"}, 10),
    Case(
        "VoltbusOutboxWithoutLeader",
        "another process leads",
        {
            f'voltbus_build_info{{{AUTH},part="auth"}}': "1x20",
            'voltbus_outbox_rows{namespace="v",job="auth",instance="b"}': "0x20",
        },
        10,
        None,
    ),
    Case(
        "VoltbusOutboxWithoutLeader",
        "gateways have none",
        {f'voltbus_build_info{{{GATEWAY},part="gateway"}}': "1x20"},
        10,
        None,
    ),
    Case("VoltbusRetries", "on and on", {counter("voltbus_retries_total"): "0+20x60"}, 30),
    Case("VoltbusRetries", "a restart of a server", {counter("voltbus_retries_total"): "0x5 0+40x2 80x60"}, 30, None),
    Case("VoltbusRestFails", "one of ten", requests(2, 18), 30),
    Case("VoltbusRestFails", "one of a hundred", requests(1, 99), 30, None),
    Case(
        "VoltbusRestFails",
        "a single one, and no other",
        {f'voltbus_http_requests_total{{{AUTH},method="GET",route="",status="5xx"}}': "0x5 1x30"},
        12,
        None,
    ),
    Case(
        "VoltbusAuthorizerAway", "it is not asked any more", outside(no_answer=1, not_asked=3, accepted=2), 30, AT_AUTH
    ),
    Case("VoltbusAuthorizerAway", "some take too long", outside(no_answer=1, not_asked=0, accepted=2), 30, None),
    Case("VoltbusAuthorizerAway", "there is none", outside(no_answer=0, not_asked=0, accepted=0), 30, None),
    Case(
        "VoltbusWebhookBehind",
        "the receiver is away",
        {f'voltbus_webhook_oldest_seconds{{{AUTH},webhook="w"}}': "0+60x90"},
        60,
        {"job": "auth", "webhook": "w"},
    ),
    Case(
        "VoltbusWebhookBehind",
        "it is slow",
        {f'voltbus_webhook_oldest_seconds{{{AUTH},webhook="w"}}': "600x90"},
        60,
        None,
    ),
    Case("VoltbusWebhookDead", "a second one", deliveries(dead="1x10 2x90"), 30, WEBHOOK),
    Case("VoltbusWebhookDead", "the first one, while another process begins to lead", handed_over(0, 1), 30, WEBHOOK),
    Case("VoltbusWebhookDead", "it is known for more than an hour", deliveries(dead="0x10 1x90"), 80, None),
    Case("VoltbusWebhookDead", "as many, where another process begins to lead", handed_over(3, 3), 30, None),
    Case("VoltbusWebhookFilling", "both together", deliveries("30000x20", "20001x20"), 10, WEBHOOK),
    Case("VoltbusWebhookFilling", "half of what there may be", deliveries("30000x20", "20000x20"), 10, None),
    *rises(
        "VoltbusStatusesRefused", counter("voltbus_refused_connector_statuses_total", FIRMWARE), {"job": "firmware"}
    ),
    Case(
        "VoltbusRolloutHalted",
        "one of two",
        {
            f'voltbus_rollouts{{{AUTH},kind="passwords",state="{state}"}}': f"{number}x20"
            for state, number in (("halted", 1), ("running", 1))
        },
        10,
        {"job": "auth", "kind": "passwords"},
    ),
    Case(
        "VoltbusRolloutHalted",
        "until it is resumed",
        {f'voltbus_rollouts{{{AUTH},kind="passwords",state="halted"}}': "1x5 0x20"},
        10,
        None,
    ),
    *rises(
        "VoltbusSecurityEvent",
        f'voltbus_security_events_total{{{FIRMWARE},origin="station",type="TamperDetectionActivated"}}',
        {"job": "firmware", "origin": "station", "type": "TamperDetectionActivated"},
    ),
    Case(
        "VoltbusSecurityEvent",
        "what is a matter of course",
        {f'voltbus_security_events_total{{{FIRMWARE},origin="station",type="StartupOfTheDevice"}}': "0x10 1x20"},
        12,
        None,
    ),
    *rises("VoltbusStationLogIncomplete", counter("voltbus_frame_log_left_out_total", FIRMWARE), {"job": "firmware"}),
    Case("VoltbusStationLogBehind", "for long", {counter("voltbus_frame_log_lag_records"): "60000x40"}, 20),
    Case("VoltbusStationLogBehind", "a wave", {counter("voltbus_frame_log_lag_records"): "60000x5 0x40"}, 20, None),
    Case("VoltbusSiteOverCommitted", "one site", {f"voltbus_sites_over_committed{{{AUTH}}}": "1x20"}, 10),
    Case(
        "VoltbusSiteOverCommitted",
        "until stations have answered",
        {f"voltbus_sites_over_committed{{{AUTH}}}": "1x3 0x20"},
        10,
        None,
    ),
    Case("VoltbusStationCertificatesEnding", "one has ended", ending(late=0, ended=1), 70),
    Case("VoltbusStationCertificatesEnding", "one ends, and was not renewed", ending(late=1, ended=0), 70),
    Case("VoltbusStationCertificatesEnding", "some are being renewed", ending(late=0, ended=0), 70, None),
    Case("VoltbusStationCertificatesEnding", "a renewal takes half an hour", ending(late=1, ended=0), 40, None),
    Case("VoltbusSigningRequestsWait", "for more than a day", {f"{WAITING}{{{AUTH}}}": "86401x9"}, 5),
    Case("VoltbusSigningRequestsWait", "since this morning", {f"{WAITING}{{{AUTH}}}": "30000x9"}, 5, None),
    Case("VoltbusSigningRequestsFail", "a station refuses", signing("station", "0x5 1x60"), 20),
    Case("VoltbusSigningRequestsFail", "the CA refuses, at once", signing("authority", "_x5 1x60"), 20),
    Case("VoltbusSigningRequestsFail", "one did, two hours ago", signing("failed", "0x5 1x200"), 130, None),
    Case("VoltbusSigningRequestsFail", "what a station asked for is at fault", signing("csms", "0+1x60"), 30, None),
    Case("VoltbusSigningRequestsFail", "they are installed", signing("installed", "0+1x60"), 30, None),
    Case("VoltbusTransactionsHeld", "many", {f"voltbus_transactions_held{{{AUTH}}}": "120x90"}, 70),
    Case("VoltbusTransactionsHeld", "some", {f"voltbus_transactions_held{{{AUTH}}}": "99x90"}, 70, None),
    Case("VoltbusStationsGone", "half of them", online("100x30 50x30"), 37, {"job": "firmware"}),
    Case("VoltbusStationsGone", "all, for hours", online("100x30 0x400"), 300, {"job": "firmware"}),
    Case(
        "VoltbusStationsGone",
        "of one release, while another in its namespace grows",
        online("100x30 50x30") | online("100x30 150x30", job="green-firmware"),
        37,
        {"job": "firmware"},
    ),
    Case("VoltbusStationsGone", "a few", online("100x30 90x30"), 37, None),
    Case("VoltbusStationsGone", "half of three", online("3x30 1x30"), 37, None),
    Case("VoltbusStationsGone", "a new leader tells for the first time", online("_x30 50x30"), 37, None),
    Case(
        "VoltbusKafkaUnderReplicated",
        "a broker is away",
        {f"voltbus_kafka_under_replicated_partitions{{{AUTH}}}": "3x20"},
        8,
        {},
    ),
    Case(
        "VoltbusKafkaUnderReplicated",
        "a broker restarts",
        {f"voltbus_kafka_under_replicated_partitions{{{AUTH}}}": "3x2 0x20"},
        8,
        None,
    ),
    Case(
        "VoltbusKafkaLeaderless", "for two minutes", {f"voltbus_kafka_leaderless_partitions{{{AUTH}}}": "1x20"}, 3, {}
    ),
    Case(
        "VoltbusKafkaLeaderless", "an election", {f"voltbus_kafka_leaderless_partitions{{{AUTH}}}": "1 0x20"}, 3, None
    ),
    Case(
        "VoltbusPostgresPoolExhausted",
        "always somebody waits",
        {f'voltbus_postgres_waiting{{{AUTH},pool="main"}}': "4x20"},
        8,
        INSTANCE | {"pool": "main"},
    ),
    Case(
        "VoltbusPostgresPoolExhausted",
        "now and then",
        {f'voltbus_postgres_waiting{{{AUTH},pool="main"}}': "4 0 4 0 4 0 4 0 4 0"},
        8,
        None,
    ),
    Case(
        "VoltbusPartitionsMissing",
        "nobody makes them",
        {f'voltbus_partitions_ahead_days{{{AUTH},table="sample"}}': "1x90"},
        70,
        {"job": "auth", "table": "sample"},
    ),
    Case(
        "VoltbusPartitionsMissing",
        "two days",
        {f'voltbus_partitions_ahead_days{{{AUTH},table="sample"}}': "2x90"},
        70,
        None,
    ),
    Case(
        "VoltbusRetentionBehind",
        "nobody drops it",
        {f'voltbus_partitions_overdue_days{{{AUTH},table="sample"}}': "2.5x90"},
        70,
        {"job": "auth", "table": "sample"},
    ),
    Case(
        "VoltbusRetentionBehind",
        "it was dropped when the service started",
        {f'voltbus_partitions_overdue_days{{{AUTH},table="sample"}}': "2.5x50 0x90"},
        70,
        None,
    ),
    Case(
        "VoltbusSpansLost",
        "its collector is away",
        {f'voltbus_spans_total{{{AUTH},outcome="lost"}}': "0x5 0+10x60"},
        40,
        {"job": "auth"},
    ),
    Case(
        "VoltbusSpansLost",
        "its collector was restarted",
        {
            f'voltbus_spans_total{{{AUTH},outcome="lost"}}': "0x5 500x60",
            f'voltbus_spans_total{{{AUTH},outcome="sent"}}': "0+10x65",
        },
        40,
        None,
    ),
]


def test_each_alert_is_seen_to_fire_and_to_stay_silent() -> None:
    for name in alerts():
        seen = {case.fires is not None for case in CASES if case.alert == name}
        assert seen == {True, False}, name
    assert {case.alert for case in CASES} == alerts().keys()


def written(case: Case) -> dict[str, object]:
    """As promtool wants it: alerts that fire are series, too."""
    expected = []
    if case.fires is not None:
        labels = {"alertname": case.alert, "alertstate": "firing", "namespace": "v", **case.fires}
        labels["severity"] = alerts()[case.alert]["severity"]
        told = ",".join(f'{name}="{value}"' for name, value in labels.items())
        expected = [{"labels": f"ALERTS{{{told}}}", "value": 1}]
    return {
        "name": f"{case.alert}: {case.what}",
        "interval": "1m",
        "input_series": [{"series": series, "values": values} for series, values in case.series.items()],
        "promql_expr_test": [
            {
                "expr": f'ALERTS{{alertname="{case.alert}",alertstate="firing"}}',
                "eval_time": f"{case.at}m",
                "exp_samples": expected,
            }
        ],
    }


@pytest.fixture(scope="module")
def promtool() -> Path:
    try:
        return prometheus.program("promtool")
    except prometheus.NoPrometheus as reason:
        if prometheus.is_required():
            pytest.fail(str(reason))
        pytest.skip(str(reason))


def rules_of(alert: str) -> dict[str, object]:
    """It, and what is recorded: promtool works out each rule for every minute of a test."""
    groups = [group for path in RULES.glob("*.yaml") for group in yaml.safe_load(path.read_text())["groups"]]
    needed = [
        {**group, "rules": [rule for rule in group["rules"] if rule.get("alert", alert) == alert]} for group in groups
    ]
    return {"groups": [group for group in needed if group["rules"]]}


def test_promtool_agrees(promtool: Path, tmp_path: Path) -> None:
    files = [str(path) for path in sorted(RULES.glob("*.yaml"))]
    for alert in alerts():
        rules = tmp_path / f"{alert}.rules"
        rules.write_text(json.dumps(rules_of(alert)))
        cases = [written(case) for case in CASES if case.alert == alert]
        content = {"rule_files": [str(rules)], "evaluation_interval": "1m", "tests": cases}
        (tmp_path / f"{alert}.yaml").write_text(json.dumps(content))
    tests = sorted(map(str, tmp_path.glob("*.yaml")))
    for command in (["check", "rules", "--lint-fatal", *files], ["test", "rules", *tests]):
        done = subprocess.run([promtool, *command], capture_output=True, text=True, timeout=GIVE_UP)
        assert done.returncode == 0, done.stdout + done.stderr


def test_rules_are_plain_files_of_prometheus() -> None:
    """The chart wraps each: their names are those of resources."""
    for path in RULES.glob("*.yaml"):
        assert list(yaml.safe_load(path.read_text())) == ["groups"]
