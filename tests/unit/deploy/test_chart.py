"""The chart as Helm renders it: its sets against the schemas of Kubernetes, the code's tables, and golden files."""

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import helm_python
import pytest
import yaml

from deploy.helm import generate
from services.common.process.service import ServiceTiming
from services.ocpp import acls
from services.ocpp.services import SERVICES
from services.ocpp.topics import ALL, Spread
from tests.unit.deploy import golden
from tests.unit.deploy.chart import (
    CHART,
    SET_NAMES,
    Object,
    changed,
    container,
    environment,
    find,
    kinds,
    objects,
    of_set,
    pod,
    rendered,
    values,
)
from tests.unit.deploy.schemas import NEWEST, OLDEST, refusals
from voltbus.operator.topics import IN_SYNC, configs

PROCESSES = ("gateway", *SERVICES, "prepare")
TINY = values("tiny")
SCHEMA = json.loads(generate.SCHEMA.read_text())


def workloads(given: "list[Object] | tuple[Object, ...]") -> list[Object]:
    return [one for one in given if one["kind"] in ("Deployment", "StatefulSet", "Job")]


def workload(given: "list[Object] | tuple[Object, ...]", process: str) -> Object:
    [found] = [one for one in workloads(given) if one["metadata"]["name"] == f"voltbus-{process}"]
    return found


@pytest.mark.parametrize("name", SET_NAMES)
def test_helm_finds_nothing_to_say(name: str) -> None:
    report = helm_python.lint(CHART, values(name), strict=True, kube_version=f"v{NEWEST}.0")
    assert report["errors"] == []
    assert [one["error"] for one in report["messages"]] == ["icon is recommended"]


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("name", SET_NAMES)
def test_kubernetes_takes_every_object(name: str, version: str) -> None:
    assert [refusal for one in of_set(name) for refusal in refusals(one, version)] == []


def test_the_oldest_version_is_that_of_the_chart() -> None:
    assert yaml.safe_load((CHART / "Chart.yaml").read_text())["kubeVersion"] == f">={OLDEST}.0-0"


@pytest.mark.parametrize(
    "kind", ["StatefulSet", "NetworkPolicy", "KafkaTopic", "KafkaUser", "ScaledObject", "ServiceMonitor"]
)
def test_what_does_not_exist_would_be_refused(kind: str) -> None:
    """The schemas are strict, or else these tests could not fail."""
    one = kinds(of_set("large"), kind)[0]
    assert refusals(one, NEWEST) == []
    assert refusals({**one, "spec": {**one["spec"], "replica": 1}}, NEWEST) != []


@pytest.mark.parametrize("name", SET_NAMES)
def test_what_is_rendered_is_what_was_read_last(name: str) -> None:
    """make chart writes the golden files: read what has changed in them."""
    assert golden.text(name) == (golden.GOLDEN / f"{name}.yaml").read_text()


def test_files_of_the_chart_are_up_to_date() -> None:
    generate.main(check=True)


BAD = {
    "a typing error": {"gatway": {}},
    "a setting that nobody knows": {"settings": {"VOLTBUS_FRAMELOG": "all"}},
    "a setting of another process": {"auth": {"settings": {"VOLTBUS_UNKNOWN_STATIONS": "reject"}}},
    "a value that is none": {"settings": {"VOLTBUS_FRAME_LOG": "most"}},
    "a number out of bounds": {"gateway": {"settings": {"VOLTBUS_MESSAGE_SIZE": 10}}},
    "a text for a number": {"settings": {"VOLTBUS_BATCH": "many"}},
    "a setting that the chart sets": {"settings": {"VOLTBUS_PARTITIONS": 4}},
    "a secret in plain": {"settings": {"VOLTBUS_PASSWORD_KEY": "secret"}},
    "a secret without its key": {"auth": {"secrets": {"VOLTBUS_PASSWORD_KEY": {"name": "voltbus"}}}},
    "a secret that is a text": {"secrets": {"VOLTBUS_PASSWORD_KEY": "secret"}},
    "a setting that is no secret": {"secrets": {"VOLTBUS_FRAME_LOG": {"name": "a", "key": "b"}}},
    "brokers without ports": {"kafka": {"bootstrap": "kafka"}},
    "no partitions": {"kafka": {"partitions": 0}},
    "days of a topic that is compacted": {"kafka": {"topicDays": {"tokens": 30}}},
    "a prefix that no topic can have": {"kafka": {"topicPrefix": "pröd"}},
    "a digest that is none": {"image": {"digest": "latest"}},
    "both bounds of a disruption": {"auth": {"disruption": {"maxUnavailable": 1, "minAvailable": 1}}},
    "a field of a service that is none": {"firmware": {"replica": 2}},
    "a negative number of replicas": {"auth": {"replicas": -1}},
    "replicas as a text": {"auth": {"replicas": "2"}},
    "a way to log in that Strimzi has not": {"strimzi": {"users": {"authentication": "plain"}}},
    "a type of service": {"gateway": {"service": {"type": "ExternalName"}}},
    "capital letters in names": {"fullnameOverride": "Voltbus"},
    "a name that ends with a dash": {"nameOverride": "voltbus-"},
    "replicas of no topic": {"kafka": {"replication": 0}},
    "networks that are none": {"settings": {"VOLTBUS_OUTBOUND_ALLOW": "10.0.0.0/8,intranet"}},
    "a network of 33 bits": {"settings": {"VOLTBUS_OUTBOUND_ALLOW": "10.0.0.0/33"}},
    "keys without a scheme": {"settings": {"VOLTBUS_JWT_JWKS_URL": "sso.example.com/keys"}},
    "no pod that may be away": {"auth": {"disruption": {"maxUnavailable": 0}}},
    "no pod in a hundred": {"gateway": {"disruption": {"maxUnavailable": "0%"}}},
    "root": {"podSecurityContext": {"runAsUser": 0}},
    "another field of who runs it": {"podSecurityContext": {"privileged": True}},
}


@pytest.mark.parametrize("bad", BAD.values(), ids=list(BAD))
def test_values_are_checked(bad: Mapping[str, Any]) -> None:
    with pytest.raises(helm_python.HelmValuesError):
        rendered(changed(TINY, bad))


SASL = {"settings": {"VOLTBUS_KAFKA_SECURITY_PROTOCOL": "SASL_SSL"}}
KEY = {"name": "kafka", "key": "key"}
EACH = {"rest": {"httpRoute": {"hostname": "", "domain": "csms.example.com"}}}
LOGIN = {"strimzi": {"login": True, "cluster": "kafka"}}
CANNOT_RUN = {
    "VOLTBUS_GATEWAY_PLAIN": {"gateway": {"settings": {"VOLTBUS_GATEWAY_PLAIN": False}}},
    "VOLTBUS_CPO_NAMES": {"gateway": {"secrets": {"VOLTBUS_GATEWAY_TLS_CLIENT_CA": KEY}}},
    "VOLTBUS_CERTIFICATE_SIGNER": {"auth": {"settings": {"VOLTBUS_CERTIFICATE_SIGNER": "ca"}}},
    "kafka.bootstrap": {"kafka": {"bootstrap": ""}},
    "auth: 3 processes on 2 partitions": {"auth": {"replicas": 3}},
    "firmware: 8 processes on 2 partitions": {"firmware": {"autoscaling": {"enabled": True}}},
    "firmware.autoscaling: minReplicas": {
        "firmware": {"autoscaling": {"enabled": True, "minReplicas": 2, "maxReplicas": 1}}
    },
    "gateway: 4 gateways with maxSurge on 3 slots": {"gateway": {"replicas": 3}},
    "gateway: 11 gateways with maxSurge on 3 slots": {"gateway": {"autoscaling": {"enabled": True}}},
    "gateway.autoscaling: minReplicas": {
        "gateway": {"autoscaling": {"enabled": True, "minReplicas": 2, "maxReplicas": 1}}
    },
    "secrets.VOLTBUS_PASSWORD_KEY": {"secrets": {"VOLTBUS_PASSWORD_KEY": None}},
    "secrets.VOLTBUS_POSTGRES_DSN": {"secrets": {"VOLTBUS_POSTGRES_DSN": None}},
    "secrets.VOLTBUS_REDIS_URL": {"settings": {"VOLTBUS_REDIS_URL": None}},
    "VOLTBUS_REDIS_URL is in settings and in secrets": {
        "secrets": {"VOLTBUS_REDIS_URL": {"name": "redis", "key": "url"}}
    },
    "REST calls need a bearer token": {"secrets": {"VOLTBUS_JWT_SECRET": None}},
    "VOLTBUS_JWT_AUDIENCE": {
        "secrets": {"VOLTBUS_JWT_SECRET": None},
        "settings": {"VOLTBUS_JWT_ISSUER": "https://sso.example/realms/csms"},
    },
    "gateway.httpRoute.parentRefs": {"gateway": {"httpRoute": {"enabled": True}}},
    "gateway.tlsRoute.parentRefs": {"gateway": {"tlsRoute": {"enabled": True}}},
    "rest.httpRoute: set": {"rest": {"httpRoute": {"enabled": True}}},
    "rest.httpRoute: hostname is one": {
        "rest": {"httpRoute": {"enabled": True, "hostname": "a", "domain": "b", "parentRefs": [{"name": "c"}]}}
    },
    "strimzi.cluster": {"strimzi": {"topics": {"enabled": True}}},
    "strimzi.only: nothing": {"strimzi": {"only": True}},
    "strimzi.login with strimzi.users": changed(LOGIN, {"strimzi": {"users": {"enabled": True}}}),
    "users of scram-sha-512 cannot log in by PLAINTEXT": changed(
        LOGIN, {"settings": {"VOLTBUS_KAFKA_SECURITY_PROTOCOL": "PLAINTEXT"}}
    ),
    "auth: .*users of scram-sha-512 cannot log in by SSL": changed(
        LOGIN, {"auth": {"settings": {"VOLTBUS_KAFKA_SECURITY_PROTOCOL": "SSL"}}}
    ),
    "users of tls cannot log in by SASL_SSL": changed(LOGIN | SASL, {"strimzi": {"users": {"authentication": "tls"}}})
    | {"secrets": {"VOLTBUS_KAFKA_SASL_USERNAME": KEY, "VOLTBUS_KAFKA_SASL_PASSWORD": KEY}},
    "SASL_SSL with SCRAM-SHA-512 needs VOLTBUS_KAFKA_SASL_USERNAME": SASL,
    "SASL_SSL with SCRAM-SHA-512 needs VOLTBUS_KAFKA_SASL_PASSWORD": changed(
        SASL, {"settings": {"VOLTBUS_KAFKA_SASL_USERNAME": "voltbus"}}
    ),
    "nobody logs in with VOLTBUS_KAFKA_SASL_PASSWORD by PLAINTEXT": {"secrets": {"VOLTBUS_KAFKA_SASL_PASSWORD": KEY}},
    "SASL_SSL with OAUTHBEARER needs VOLTBUS_KAFKA_OAUTH_TOKEN_URL": changed(
        SASL, {"settings": {"VOLTBUS_KAFKA_SASL_MECHANISM": "OAUTHBEARER"}}
    ),
    "prepare: VOLTBUS_KAFKA_SSL_CERTIFICATE and VOLTBUS_KAFKA_SSL_KEY": {
        "prepare": {"secrets": {"VOLTBUS_KAFKA_SSL_CERTIFICATE": KEY}}
    },
    "gateway: VOLTBUS_KAFKA_SSL_CERTIFICATE and VOLTBUS_KAFKA_SSL_KEY": {"secrets": {"VOLTBUS_KAFKA_SSL_KEY": KEY}},
    "firmware.autoscaling: KEDA": changed(
        SASL,
        {
            "secrets": {"VOLTBUS_KAFKA_SASL_USERNAME": KEY, "VOLTBUS_KAFKA_SASL_PASSWORD": KEY},
            "firmware": {"autoscaling": {"enabled": True, "maxReplicas": 2}},
        },
    ),
    "VOLTBUS_JWT_JWKS_URL and VOLTBUS_JWT_SECRET are both set": {
        "settings": {"VOLTBUS_JWT_JWKS_URL": "https://sso.example.com/keys"}
    },
    "VOLTBUS_JWT_ISSUER is an address and VOLTBUS_JWT_SECRET is set": {
        "settings": {"VOLTBUS_JWT_ISSUER": "https://sso.example.com", "VOLTBUS_JWT_AUDIENCE": "voltbus"}
    },
    "a secret is in settings.VOLTBUS_REDIS_URL": {"settings": {"VOLTBUS_REDIS_URL": "redis://:secret@redis:6379/0"}},
    "auth: a secret is in settings.VOLTBUS_KAFKA_SSL_CERTIFICATE": {
        "auth": {"settings": {"VOLTBUS_KAFKA_SSL_CERTIFICATE": "-----BEGIN PRIVATE KEY-----"}}
    },
    "auth: pod.env has VOLTBUS_POSTGRES_DSN": {
        "auth": {"pod": {"env": [{"name": "VOLTBUS_POSTGRES_DSN", "value": "postgresql://a:b@c/d"}]}}
    },
    "gateway: pod.env has VOLTBUS_SLOTS": {"pod": {"env": [{"name": "VOLTBUS_SLOTS", "value": "64"}]}},
    "auth.resources: the request of memory, 1Gi, is above its limit, 512Mi": {
        "auth": {"resources": {"requests": {"memory": "1Gi"}}}
    },
    "prepare.resources: the request of cpu, 1500m, is above its limit, 1": {
        "prepare": {"resources": {"requests": {"cpu": "1500m"}, "limits": {"cpu": 1}}}
    },
    "auth.disruption.minAvailable: 1 of 1": {"auth": {"disruption": {"minAvailable": 1}}},
    "gateway.disruption.minAvailable: 100% of 1": {"gateway": {"disruption": {"minAvailable": "100%"}}},
}


@pytest.mark.parametrize(("message", "change"), CANNOT_RUN.items())
def test_what_cannot_run_is_refused_with_what_to_set(message: str, change: Mapping[str, Any]) -> None:
    given = changed(TINY, change)
    # As Helm does with null, before anything else.
    given = {key: _without_null(value) for key, value in given.items()}
    with pytest.raises(helm_python.HelmError, match=message):
        rendered(given)


def _without_null(value: Any) -> Any:
    return {key: one for key, one in value.items() if one is not None} if isinstance(value, dict) else value


@pytest.mark.parametrize("process", PROCESSES)
def test_every_setting_of_a_process_can_be_set(process: str) -> None:
    """And each one that the chart sets exists. The keys of the issuer would be instead of a secret."""
    fields = {f"VOLTBUS_{name.upper()}" for name in generate.PROCESSES[process].model_fields}
    plain, secret = (generate.processes()[process][kind] for kind in ("settings", "secrets"))
    instead = "VOLTBUS_JWT_JWKS_URL"
    chart = {
        process: {
            "settings": {name: _example(process, name) for name in plain if name not in {*secret, instead}},
            "secrets": {name: {"name": "mine", "key": name.lower()} for name in secret},
        }
    }
    found = environment(workload(objects(changed(TINY, chart)), process))
    named = {name.removesuffix("_FILE") if name.removesuffix("_FILE") in secret else name for name in found}
    owned = {f"VOLTBUS_{name.upper()}" for name in generate.OWNED}
    useless = {f"VOLTBUS_{name.upper()}" for name in generate.USELESS.get(process, ())}
    assert named <= fields
    assert fields - owned - useless - {instead} <= named


def _example(process: str, name: str) -> Any:
    """A value that its schema takes."""
    schema = SCHEMA["$defs"][f"{process}-settings"]["properties"][name]
    if "enum" in schema:
        return schema["enum"][-1]
    if "pattern" in schema:
        examples = ("10.1.0.0/16, ::1", "443, 8000-8999", "https://sso.example.com/a")
        return next(one for one in examples if re.search(schema["pattern"], one))
    least = schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)
    return {"string": "text", "boolean": True}.get(schema["type"], least)


def test_what_the_chart_sets_itself() -> None:
    large = of_set("large")
    gateway, transactions, prepare = (
        environment(workload(large, one)) for one in ("gateway", "transactions", "prepare")
    )
    for found in (gateway, transactions, prepare):
        assert (found["VOLTBUS_HOST"], found["VOLTBUS_PARTITIONS"], found["VOLTBUS_SLOTS"]) == ("0.0.0.0", "48", "40")
    assert gateway["VOLTBUS_DRAIN_SECONDS"] == "120"
    assert prepare["VOLTBUS_REPLICATION"] == "3"
    assert environment(workload(of_set("tls"), "auth"))["VOLTBUS_TOPIC_PREFIX"] == "prod."


def test_large_numbers_are_whole_numbers() -> None:
    """Helm's own would be 6.7108864e+07, which no setting reads."""
    assert environment(workload(of_set("large"), "gateway"))["VOLTBUS_WAITING_SIZE"] == "67108864"


def test_the_ordinal_of_a_pod_names_the_group_member() -> None:
    instance = {"fieldRef": {"fieldPath": "metadata.labels['apps.kubernetes.io/pod-index']"}}
    for service in SERVICES:
        assert environment(workload(of_set("tiny"), service))["VOLTBUS_INSTANCE"] == instance


def test_clients_are_told_where_services_are() -> None:
    told = environment(workload(of_set("tls"), "firmware"))
    assert told["VOLTBUS_URL"] == "https://csms.example.com"
    assert "VOLTBUS_ADDRESSES" not in told
    given = changed(values("tls"), {"settings": {"VOLTBUS_URL": "https://a"}})
    assert environment(workload(objects(given), "firmware"))["VOLTBUS_URL"] == "https://a"
    given = changed(values("tls"), EACH)
    told = environment(workload(objects(given), "firmware"))
    assert told["VOLTBUS_ADDRESSES"] == ",".join(f"{name}=https://{name}.csms.example.com" for name in SERVICES)
    assert "VOLTBUS_URL" not in told
    given = changed(given, {"settings": {"VOLTBUS_ADDRESSES": "auth=https://a"}})
    assert environment(workload(objects(given), "firmware"))["VOLTBUS_ADDRESSES"] == "auth=https://a"


def test_one_hostname_has_each_service_below_its_name_and_the_pages_of_all() -> None:
    [route] = [one for one in of_set("tls") if one["kind"] == "HTTPRoute" and one["metadata"]["name"].endswith("-rest")]
    assert route["spec"]["hostnames"] == ["csms.example.com"]
    backends = {(name := f"voltbus-{service}"): {"name": name, "port": SERVICES[service].port} for service in SERVICES}
    led: dict[str, str] = {}
    for rule in route["spec"]["rules"]:
        [match], [backend] = rule["matches"], rule["backendRefs"]
        assert backend == backends[backend["name"]]
        [path] = [one["urlRewrite"]["path"] for one in rule.get("filters", ())] or [{}]
        assert match["path"]["type"] == ("Exact" if path.get("type") == "ReplaceFullPath" else "PathPrefix")
        assert bool(path) or rule["timeouts"] == {"request": "0s"}
        to = path.get("replaceFullPath") or path.get("replacePrefixMatch") or match["path"]["value"]
        led[match["path"]["value"]] = backend["name"].removeprefix("voltbus-") + to
    assert led == {f"/{name}": f"{name}/{name}" for name in SERVICES} | {
        "/": "auth/all/",
        "/docs": "auth/all/docs",
        "/openapi.json": "auth/all/openapi.json",
    }


def test_each_service_may_have_a_hostname_of_its_own() -> None:
    routes = [one for one in objects(changed(values("tls"), EACH)) if one["kind"] == "HTTPRoute"]
    assert {f"{name}.csms.example.com" for name in SERVICES} <= {one["spec"]["hostnames"][0] for one in routes}


def test_a_process_gets_the_secrets_that_it_has_and_no_other() -> None:
    mounted = {process: set(_secret_files(workload(of_set("tiny"), process))) for process in PROCESSES}
    service = {"VOLTBUS_POSTGRES_DSN", "VOLTBUS_JWT_SECRET"}
    assert mounted == {
        "gateway": {"VOLTBUS_PASSWORD_KEY"},
        "auth": service | {"VOLTBUS_PASSWORD_KEY"},
        "transactions": service,
        "smartcharging": service,
        "firmware": service,
        "prepare": {"VOLTBUS_POSTGRES_DSN"},
    }


@pytest.mark.parametrize("name", SET_NAMES)
def test_secrets_are_files_of_existing_secrets(name: str) -> None:
    assert kinds(of_set(name), "Secret") == []
    for one in workloads(of_set(name)):
        [mount] = [mount for mount in container(one)["volumeMounts"] if mount["name"] == "secrets"]
        files = {variable: path for variable, path in environment(one).items() if variable.endswith("_FILE")}
        assert files == {f"{path}_FILE": f"{mount['mountPath']}/{path}" for path in _secret_files(one)}


def _secret_files(one: Object) -> dict[str, tuple[str, str]]:
    """By their names in the folder of secrets: Secret and key."""
    [volume] = [volume for volume in pod(one)["volumes"] if volume["name"] == "secrets"]
    sources = [source["secret"] for source in volume["projected"]["sources"]]
    return {item["path"]: (source["name"], item["key"]) for source in sources for item in source["items"]}


def test_what_a_process_says_itself_counts() -> None:
    """Its own secret over that of all, its own setting over a secret of all, and the other way round."""
    given = changed(
        values("tls"),
        {
            "secrets": {"VOLTBUS_POSTGRES_DSN": {"name": "shared", "key": "dsn"}},
            "gateway": {"settings": {"VOLTBUS_REDIS_URL": "redis://near"}},
        },
    )
    found = objects(given)
    assert _secret_files(workload(found, "auth"))["VOLTBUS_POSTGRES_DSN"] == ("voltbus-auth", "dsn")
    gateway = environment(workload(found, "gateway"))
    assert gateway["VOLTBUS_REDIS_URL"] == "redis://near"
    assert "VOLTBUS_REDIS_URL_FILE" not in gateway
    given = changed(TINY, {"gateway": {"secrets": {"VOLTBUS_REDIS_URL": {"name": "redis", "key": "url"}}}})
    gateway = environment(workload(objects(given), "gateway"))
    assert "VOLTBUS_REDIS_URL" not in gateway
    assert "VOLTBUS_REDIS_URL_FILE" in gateway


@pytest.mark.parametrize("name", SET_NAMES)
def test_pods_are_restricted(name: str) -> None:
    """The Pod Security Standard `restricted`, and more: a root that is only read, no token, no links to Services."""
    for one in workloads(of_set(name)):
        spec, only = pod(one), container(one)
        assert spec["automountServiceAccountToken"] is False
        # Kubernetes would set VOLTBUS_AUTH_PORT=tcp://… for the Service voltbus-auth.
        assert spec["enableServiceLinks"] is False
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] > 0
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert only["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec)
        assert all({"configMap", "emptyDir", "projected"} & set(volume) for volume in spec["volumes"])
        assert only["resources"]["requests"].keys() == {"cpu", "memory"}
        assert "memory" in only["resources"]["limits"]


@pytest.mark.parametrize("name", SET_NAMES)
def test_each_process_has_an_account_without_a_token(name: str) -> None:
    accounts = kinds(of_set(name), "ServiceAccount")
    assert {one["metadata"]["name"] for one in accounts} == {f"voltbus-{process}" for process in PROCESSES}
    assert all(one["automountServiceAccountToken"] is False for one in accounts)
    assert {pod(one)["serviceAccountName"] for one in workloads(of_set(name))} == {
        f"voltbus-{one}" for one in PROCESSES
    }


@pytest.mark.parametrize("name", SET_NAMES)
def test_a_pod_is_not_killed_before_its_process_has_ended(name: str) -> None:
    """Its own time-outs, one after the other, and the pause before SIGTERM."""
    timing = ServiceTiming()
    for one in workloads(of_set(name)):
        if one["kind"] == "Job":
            continue
        wait = container(one)["lifecycle"]["preStop"]["sleep"]["seconds"]
        drain = float(environment(one).get("VOLTBUS_DRAIN_SECONDS", timing.drain - 10)) + 10
        least = wait + drain + timing.grace + 2 * timing.close + timing.http
        assert pod(one)["terminationGracePeriodSeconds"] >= least


@pytest.mark.parametrize("name", SET_NAMES)
def test_no_restart_where_a_server_is_away(name: str) -> None:
    """/healthz needs the process alone; /readyz keeps stations and clients away."""
    for one in workloads(of_set(name)):
        if one["kind"] != "Job":
            probes = {
                probe: container(one)[f"{probe}Probe"]["httpGet"] for probe in ("startup", "liveness", "readiness")
            }
            assert {probe: get["path"] for probe, get in probes.items()} == {
                "startup": "/healthz",
                "liveness": "/healthz",
                "readiness": "/readyz",
            }
            assert {get["port"] for get in probes.values()} == {"http"}


def test_ports_are_those_of_the_processes() -> None:
    """No variable moves them in the pod; Services have the same numbers."""
    found = {one["metadata"]["name"]: _ports(one) for one in workloads(of_set("tiny"))}
    gateway = generate.PROCESSES["gateway"].model_fields
    assert found["voltbus-gateway"] == {
        "ocpp": gateway["gateway_port"].default,
        "http": gateway["gateway_http_port"].default,
    }
    for service in SERVICES.values():
        assert found[f"voltbus-{service.name}"] == {"http": service.port}
        [port] = find(of_set("tiny"), "Service", f"voltbus-{service.name}")["spec"]["ports"]
        assert (port["port"], port["targetPort"]) == (service.port, "http")


SECRET = {"name": "gateway-tls", "key": "tls.crt"}
SECURED = {"VOLTBUS_GATEWAY_TLS_CERTIFICATE": SECRET, "VOLTBUS_GATEWAY_TLS_KEY": SECRET | {"key": "tls.key"}}


def test_with_a_certificate_the_gateway_has_a_port_for_tls() -> None:
    route = {"enabled": True, "parentRefs": [{"name": "public"}], "hostnames": ["ocpp.example.com"]}
    plain = objects(changed(TINY, {"gateway": {"tlsRoute": route}}))
    both = objects(changed(TINY, {"gateway": {"tlsRoute": route, "secrets": SECURED}}))
    alone = {"tlsRoute": route, "secrets": SECURED, "settings": {"VOLTBUS_GATEWAY_PLAIN": False}}
    secured = objects(changed(TINY, {"gateway": alone}))
    for given, ports in ((plain, {"ocpp": 80}), (both, {"ocpp": 80, "ocpps": 443}), (secured, {"ocpps": 443})):
        service = find(given, "Service", "voltbus-stations")["spec"]["ports"]
        assert {port["targetPort"]: port["port"] for port in service} == ports
        gateway = find(given, "Deployment", "voltbus-gateway")
        assert _ports(gateway).keys() == ports.keys() | {"http"}
        rules = find(given, "NetworkPolicy", "voltbus-gateway")["spec"]["ingress"]
        assert {port["port"] for rule in rules for port in rule["ports"]} == ports.keys() | {"http"}
        [backend] = find(given, "TLSRoute", "voltbus-stations")["spec"]["rules"][0]["backendRefs"]
        assert backend["port"] == (443 if "ocpps" in ports else 80)
    fields = generate.PROCESSES["gateway"].model_fields
    assert _ports(find(both, "Deployment", "voltbus-gateway"))["ocpps"] == fields["gateway_tls_port"].default


def test_stations_that_speak_soap_have_a_port_and_are_called() -> None:
    """The Service keeps a station at its gateway; gateways call what settings allow, and no other process does."""

    def egress(given: "list[Object]", process: str = "gateway") -> list[Object]:
        rules: list[Object] = find(given, "NetworkPolicy", f"voltbus-{process}")["spec"]["egress"]
        return [rule for rule in rules if any("endPort" in port for port in rule["ports"])]

    closed = objects(TINY)
    assert "VOLTBUS_SOAP_PORT" not in environment(workload(closed, "gateway"))
    assert not any(one["metadata"]["name"] == "voltbus-soap" for one in closed)
    assert egress(closed) == []

    allowed = {"VOLTBUS_SOAP_ALLOW": "10.64.0.0/12, 10.9.9.9,fd00::1"}
    given = objects(changed(TINY, {"gateway": {"soap": {"enabled": True}, "settings": allowed}}))
    gateway = workload(given, "gateway")
    assert environment(gateway)["VOLTBUS_SOAP_PORT"] == str(_ports(gateway)["soap"])
    service = find(given, "Service", "voltbus-soap")["spec"]
    assert (service["type"], service["sessionAffinity"]) == ("ClusterIP", "ClientIP")
    fields = generate.PROCESSES["gateway"].model_fields
    assert service["sessionAffinityConfig"]["clientIP"]["timeoutSeconds"] >= fields["soap_silence"].default
    [rule] = egress(given)
    assert [one["ipBlock"]["cidr"] for one in rule["to"]] == ["0.0.0.0/0", "10.64.0.0/12", "10.9.9.9/32", "fd00::1/128"]
    ports = tuple((port["port"], port.get("endPort", port["port"])) for port in rule["ports"])
    assert ports == fields["soap_call_ports"].default
    assert all(egress(given, service) == [] for service in SERVICES)

    named = {"gateway": {"settings": {"VOLTBUS_SOAP_CALL_PORTS": "8000-8999"}}, "networkPolicy": {"soap": {"to": []}}}
    [rule] = egress(objects(changed(TINY, changed({"gateway": {"soap": {"enabled": True}}}, named))))
    assert rule == {"ports": [{"port": 8000, "endPort": 8999, "protocol": "TCP"}]}


def test_stations_that_speak_soap_have_a_port_for_tls_with_a_certificate() -> None:
    """As those of WebSockets: where there is a certificate, and alone where the plain ports are switched off."""
    soap = {"soap": {"enabled": True}, "secrets": SECURED}
    alone = soap | {"settings": {"VOLTBUS_GATEWAY_PLAIN": False}}
    for gateway, ports in ((soap, {"soap": 80, "soaps": 443}), (alone, {"soaps": 443})):
        given = objects(changed(TINY, {"gateway": gateway}))
        service = find(given, "Service", "voltbus-soap")["spec"]["ports"]
        assert {port["targetPort"]: port["port"] for port in service} == ports
        found = workload(given, "gateway")
        assert {name for name in _ports(found) if name.startswith("soap")} == ports.keys()
        assert environment(found)["VOLTBUS_SOAP_TLS_PORT"] == str(_ports(found)["soaps"])
        assert ("VOLTBUS_SOAP_PORT" in environment(found)) == ("soap" in ports)
        rules = find(given, "NetworkPolicy", "voltbus-gateway")["spec"]["ingress"]
        assert ports.keys() <= {port["port"] for rule in rules for port in rule["ports"]}


def _ports(one: Object) -> dict[str, int]:
    return {port["name"]: port["containerPort"] for port in container(one).get("ports", ())}


@pytest.mark.parametrize("name", SET_NAMES)
def test_the_network_lets_through_what_is_needed_and_nothing_else(name: str) -> None:
    policies = kinds(of_set(name), "NetworkPolicy")
    closed = find(policies, "NetworkPolicy", "voltbus-default-deny")["spec"]
    assert closed.keys() == {"podSelector", "policyTypes"}
    for one in workloads(of_set(name)):
        labels = one["spec"]["template"]["metadata"]["labels"]
        assert closed["podSelector"]["matchLabels"].items() <= labels.items()
        policy = find(policies, "NetworkPolicy", one["metadata"]["name"])["spec"]
        assert policy["podSelector"]["matchLabels"].items() <= labels.items()
        assert policy["policyTypes"] == ["Ingress", "Egress"]
        allowed = {port["port"] for rule in policy.get("ingress", ()) for port in rule["ports"]}
        assert allowed == set(_ports(one))


def test_each_process_calls_only_what_it_has_to() -> None:
    policies = kinds(of_set("tls"), "NetworkPolicy")
    called = {
        process: [
            port["port"]
            for rule in find(policies, "NetworkPolicy", f"voltbus-{process}")["spec"]["egress"]
            for port in rule["ports"]
        ]
        for process in ("gateway", "auth", "prepare")
    }
    dns, kafka, redis, postgres, outbound, ocsp, traces = [53, 53], [9093], [6380], [5432], [443], [80], [4318]
    webhooks = [443]
    assert called == {
        "gateway": [*dns, *kafka, *redis, *traces, *webhooks],
        "auth": [*dns, *kafka, *redis, *postgres, *outbound, *ocsp, *traces, *webhooks],
        "prepare": [*dns, *kafka, *postgres, *webhooks],
    }


def test_the_collector_is_called_where_traces_are_on() -> None:
    for given, times in ((TINY, 0), (changed(TINY, {"auth": {"settings": {"VOLTBUS_TRACES": 0}}}), 1)):
        rules = find(objects(given), "NetworkPolicy", "voltbus-auth")["spec"]["egress"]
        assert [rule["ports"][0]["port"] for rule in rules].count(4318) == times


def test_tokens_for_kafka_are_got_from_outside() -> None:
    given = objects(changed(TINY, {"settings": {"VOLTBUS_KAFKA_OAUTH_TOKEN_URL": "https://sso.example.com/token"}}))
    for process in PROCESSES:
        rules = find(given, "NetworkPolicy", f"voltbus-{process}")["spec"]["egress"]
        assert [rule["ports"][0]["port"] for rule in rules].count(443) == 1


@pytest.mark.parametrize("name", SET_NAMES)
def test_what_selects_pods_finds_them(name: str) -> None:
    found = of_set(name)
    labels = {one["metadata"]["name"]: one["spec"]["template"]["metadata"]["labels"] for one in workloads(found)}
    for one in kinds(found, "Service"):
        process = one["metadata"]["name"].replace("stations", "gateway").replace("soap", "gateway")
        assert one["spec"]["selector"].items() <= labels[process].items()
    for one in [*kinds(found, "PodDisruptionBudget"), *kinds(found, "Deployment"), *kinds(found, "StatefulSet")]:
        assert one["spec"]["selector"]["matchLabels"].items() <= labels[one["metadata"]["name"]].items()
    for one in kinds(found, "ServiceMonitor"):
        wanted = one["spec"]["selector"]["matchLabels"].items()
        [port] = [endpoint["port"] for endpoint in one["spec"]["endpoints"]]
        scraped = [
            service["metadata"]["name"]
            for service in kinds(found, "Service")
            if wanted <= service["metadata"]["labels"].items() and service["spec"]["ports"][0]["name"] == port
        ]
        assert scraped == [f"voltbus-{process}" for process in ("gateway", *SERVICES)]


def test_the_preparation_needs_nothing_that_comes_after_it() -> None:
    """A hook runs before the rest of the release is there."""
    hooks = [one for one in of_set("tiny") if "helm.sh/hook" in one["metadata"].get("annotations", {})]
    assert [one["kind"] for one in sorted(hooks, key=_weight)] == ["ServiceAccount", "NetworkPolicy", "Job"]
    assert {one["metadata"]["annotations"]["helm.sh/hook"] for one in hooks} == {"pre-install,pre-upgrade"}
    assert pod(hooks[-1])["serviceAccountName"] == hooks[0]["metadata"]["name"]
    assert container(hooks[-1])["command"] == ["python", "-m", "voltbus.operator.prepare"]


def _weight(one: Object) -> int:
    return int(one["metadata"]["annotations"]["helm.sh/hook-weight"])


def test_every_topic_is_one_of_strimzi() -> None:
    given = {one["spec"]["topicName"]: one for one in kinds(of_set("large"), "KafkaTopic")}
    assert list(given) == [topic.name for topic in ALL]
    for topic in ALL:
        spec = given[topic.name]["spec"]
        assert spec["partitions"] == (40 if topic.spread is Spread.SLOTS else 48)
        assert spec["replicas"] == 3
        assert spec["config"] == configs(topic) | IN_SYNC
        assert given[topic.name]["metadata"]["namespace"] == "kafka"


def test_how_long_topics_are_kept_is_one_value() -> None:
    """For Strimzi and for prepare."""
    given = objects(changed(values("large"), {"kafka": {"topicDays": {"events.auth": 30, "dead.auth": 0}}}))
    kept = {one["spec"]["topicName"]: one["spec"]["config"].get("retention.ms") for one in kinds(given, "KafkaTopic")}
    assert kept == {
        topic.name: configs(topic, {"events.auth": 30, "dead.auth": 0}.get(topic.name)).get("retention.ms")
        for topic in ALL
    }
    assert environment(workload(given, "prepare"))["VOLTBUS_TOPIC_DAYS"] == "dead.auth=0,events.auth=30"


@pytest.mark.parametrize("replication", [-1, 1, 2])
def test_copies_in_sync_are_asked_for_where_there_are_three(replication: int) -> None:
    """Two of two would stop with the first broker; of as many as the brokers have, nobody knows here."""
    given = objects(changed(values("large"), {"kafka": {"replication": replication}}))
    for one in kinds(given, "KafkaTopic"):
        assert one["spec"].get("replicas") == (replication if replication > 0 else None)
        assert not IN_SYNC.keys() & one["spec"]["config"].keys()
        assert refusals(one, NEWEST) == []
    assert environment(workload(given, "prepare"))["VOLTBUS_REPLICATION"] == str(replication)


@pytest.mark.parametrize("prefix", ["", "prod."])
def test_every_process_is_a_user_with_its_rights(prefix: str) -> None:
    given = objects(changed(values("large"), {"kafka": {"topicPrefix": prefix}}))
    users = {one["metadata"]["name"]: one["spec"]["authorization"]["acls"] for one in kinds(given, "KafkaUser")}
    assert users.keys() == {f"voltbus-{client}" for client in (*PROCESSES, acls.OPERATOR)}
    for client in (*PROCESSES, acls.OPERATOR):
        assert users[f"voltbus-{client}"] == acls.strimzi(acls.acls(client, prefix))


def test_processes_log_in_as_users_of_strimzi() -> None:
    auth = workload(of_set("tls"), "auth")
    settings, secrets = environment(auth), _secret_files(auth)
    assert settings["VOLTBUS_KAFKA_SECURITY_PROTOCOL"] == "SASL_SSL"
    assert settings["VOLTBUS_KAFKA_SASL_USERNAME"] == "voltbus-auth"
    assert secrets["VOLTBUS_KAFKA_SASL_PASSWORD"] == ("voltbus-auth", "password")
    assert secrets["VOLTBUS_KAFKA_SSL_CA"] == ("kafka-cluster-ca-cert", "ca.crt")


def test_or_with_certificates() -> None:
    """And what an operator says counts."""
    change = {
        "strimzi": {"users": {"authentication": "tls"}},
        "secrets": {"VOLTBUS_KAFKA_SSL_CA": {"name": "ca", "key": "pem"}},
    }
    auth = workload(objects(changed(values("tls"), change)), "auth")
    settings, secrets = environment(auth), _secret_files(auth)
    assert settings["VOLTBUS_KAFKA_SECURITY_PROTOCOL"] == "SSL"
    assert "VOLTBUS_KAFKA_SASL_USERNAME" not in settings
    assert secrets["VOLTBUS_KAFKA_SSL_CERTIFICATE"] == ("voltbus-auth", "user.crt")
    assert secrets["VOLTBUS_KAFKA_SSL_KEY"] == ("voltbus-auth", "user.key")
    assert secrets["VOLTBUS_KAFKA_SSL_CA"] == ("ca", "pem")


def test_names_of_topics_are_names_of_objects() -> None:
    given = changed(values("large"), {"kafka": {"topicPrefix": "Prod_1."}})
    topics = kinds(objects(given), "KafkaTopic")
    assert topics[0]["metadata"]["name"] == "prod-1.ocpp.outbound"
    assert topics[0]["spec"]["topicName"] == "Prod_1.ocpp.outbound"


def test_topics_can_be_a_release_of_their_own() -> None:
    given = {"strimzi": {"only": True, "topics": {"enabled": True}, "users": {"enabled": True}, "cluster": "kafka"}}
    assert {one["kind"] for one in objects(given)} == {"KafkaTopic", "KafkaUser"}


def test_the_number_of_a_kind_that_scales_is_left_to_its_scaler() -> None:
    scaled, fixed = of_set("large"), of_set("tls")
    for process in ("gateway", *SERVICES):
        assert "replicas" not in workload(scaled, process)["spec"]
        assert workload(fixed, process)["spec"]["replicas"] == 2
    scaler = find(scaled, "ScaledObject", "voltbus-transactions")["spec"]
    assert scaler["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "voltbus-transactions"}
    assert scaler["triggers"][0]["metadata"]["consumerGroup"] == "transactions"
    given = changed(values("large"), {"kafka": {"topicPrefix": "prod."}})
    prefixed = find(objects(given), "ScaledObject", "voltbus-transactions")["spec"]
    assert prefixed["triggers"][0]["metadata"]["consumerGroup"] == "prod.transactions"


LIVE = """\
apiVersion: v1
kind: ConfigMap
metadata: { name: live }
data: { replicas: '{{ include "voltbus.replicas" (dict "of" .Values.gateway "live" LIVE) }}' }
"""


@pytest.mark.parametrize(
    ("live", "enabled", "expected"),
    [
        ('(dict "spec" (dict "replicas" 7.0))', True, "7"),
        ('(dict "spec" (dict "replicas" 0.0))', True, "0"),
        ("dict", True, ""),
        ('(dict "spec" (dict "replicas" 7.0))', False, "1"),
    ],
)
def test_what_begins_to_scale_goes_on_as_it_is(live: str, enabled: bool, expected: str) -> None:
    """A number that is no longer said is 1: all gateways but one would be ended."""
    scaled = {"gateway": {"autoscaling": {"enabled": enabled, "minReplicas": 1, "maxReplicas": 2}}}
    given = objects(changed(TINY, scaled | {"extraObjects": [LIVE.replace("LIVE", live)]}))
    assert find(given, "ConfigMap", "live")["data"] == {"replicas": expected}


def test_dashboards_and_rules_are_taken_as_they_are(tmp_path: Path) -> None:
    """Both have braces of their own, which are no templates of Helm."""
    chart = Path(shutil.copytree(CHART, tmp_path / "voltbus"))
    alert = {"alert": "Mine", "expr": "up == 0", "annotations": {"summary": "{{ $labels.pod }} is away"}}
    rules = {"groups": [{"name": "mine", "rules": [alert]}]}
    dashboard = {"title": "Mine", "panels": [{"title": "{{pod}}"}]}
    for folder, name, content in (("rules", "mine.yaml", rules), ("dashboards", "mine.json", dashboard)):
        (chart / folder).mkdir(exist_ok=True)
        (chart / folder / name).write_text(json.dumps(content, indent=2))
    found = objects(changed(values("large"), {"monitoring": {"rules": {"labels": {"release": "p"}}}}), chart=chart)
    rule = find(found, "PrometheusRule", "voltbus-mine")
    assert rule["spec"] == rules
    assert rule["metadata"]["labels"]["release"] == "p"
    shown = find(found, "ConfigMap", "voltbus-dashboard-mine")
    assert json.loads(shown["data"]["mine.json"]) == dashboard
    assert shown["metadata"]["labels"]["grafana_dashboard"] == "1"


def test_alerts_link_to_their_runbooks() -> None:
    alerts = {
        name: [
            rule["annotations"]["runbook_url"]
            for one in kinds(of_set(name), "PrometheusRule")
            for group in one["spec"]["groups"]
            for rule in group["rules"]
            if "alert" in rule
        ]
        for name in ("large", "tls")
    }
    assert alerts["large"]
    assert all(link.startswith("docs/runbooks/") for link in alerts["large"])
    assert alerts["tls"] == [link.replace("docs/", "https://wiki.example.com/voltbus/") for link in alerts["large"]]


@pytest.mark.parametrize("release", ["a", "csms", "a-release-with-a-name-that-is-as-long-as-helm-lets-it"])
def test_names_are_short_enough_whatever_the_release_is_called(release: str) -> None:
    """A StatefulSet is a part of labels, of 63 characters at most, with a hash of 10."""
    found = objects(TINY, release=release)
    assert max(len(one["metadata"]["name"]) for one in workloads(found)) <= 52
    assert len({(one["kind"], one["metadata"]["name"]) for one in found}) == len(found)
    assert [refusal for one in found for refusal in refusals(one, NEWEST)] == []


def test_keda_needs_no_login_where_nobody_has_one() -> None:
    """TLS without a client certificate."""
    change = {
        "settings": {"VOLTBUS_KAFKA_SECURITY_PROTOCOL": "SSL"},
        "auth": {"autoscaling": {"enabled": True, "maxReplicas": 2}},
    }
    with pytest.raises(helm_python.HelmError, match=r"auth.autoscaling: KEDA"):
        objects(changed(TINY, change))
    given = objects(changed(TINY, change | {"keda": {"metadata": {"tls": "enable"}}}))
    assert "authenticationRef" not in find(given, "ScaledObject", "voltbus-auth")["spec"]["triggers"][0]


def test_names_that_are_cut_are_still_two() -> None:
    """Two releases in one namespace would share what they are made of."""
    names = [
        {one["metadata"]["name"] for one in objects(TINY, release=f"a-release-with-a-name-that-is-as-long-as-{which}")}
        for which in ("the-first", "the-second")
    ]
    assert not names[0] & names[1]


@pytest.mark.parametrize("release", ["a.b", "7"])
def test_a_name_that_no_service_can_have_is_refused(release: str) -> None:
    with pytest.raises(helm_python.HelmError, match="Set fullnameOverride"):
        objects(TINY, release=f"{release}-voltbus")
    assert objects(changed(TINY, {"fullnameOverride": "csms"}), release=release)


@pytest.mark.parametrize("bound", [{"minAvailable": 1}, {"minAvailable": "50%"}, {"maxUnavailable": "10%"}])
def test_either_bound_of_a_disruption_can_be_said(bound: Mapping[str, Any]) -> None:
    given = objects(changed(TINY, {"auth": {"replicas": 2, "disruption": bound}}))
    budgets = {process: find(given, "PodDisruptionBudget", f"voltbus-{process}")["spec"] for process in SERVICES}
    assert budgets["auth"].items() >= bound.items()
    assert not {"minAvailable", "maxUnavailable"} - bound.keys() & budgets["auth"].keys()
    assert budgets["firmware"]["maxUnavailable"] == 1


def test_who_processes_run_as_can_be_left_to_the_cluster() -> None:
    """As on OpenShift, whose ids are those of the namespace."""
    nobody = {"podSecurityContext": {"runAsUser": None, "runAsGroup": None, "fsGroup": None}}
    for one in workloads(objects(changed(TINY, nobody))):
        assert pod(one)["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    other = objects(changed(TINY, {"podSecurityContext": {"runAsUser": 1000700000}}))
    assert pod(workload(other, "auth"))["securityContext"]["runAsUser"] == 1000700000
    assert pod(workload(other, "auth"))["securityContext"]["fsGroup"] == 10001


def test_names_are_asked_for_at_a_port_of_the_cluster() -> None:
    given = objects(changed(TINY, {"networkPolicy": {"dns": {"ports": [5353]}}}))
    rule = find(given, "NetworkPolicy", "voltbus-prepare")["spec"]["egress"][0]
    assert rule["ports"] == [{"port": 5353, "protocol": "UDP"}, {"port": 5353, "protocol": "TCP"}]


def test_the_gateways_of_routes_are_let_in() -> None:
    """From the namespaces that their routes name; where everybody is, they are."""
    route = {"enabled": True, "parentRefs": [{"name": "public", "namespace": "gateways"}, {"name": "here"}]}
    change = {
        "gateway": {"httpRoute": route, "tlsRoute": route},
        "rest": {"httpRoute": route | {"domain": "csms.example.com"}},
    }
    theirs = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "gateways"}}}
    own: Mapping[str, Any] = {"podSelector": {}}
    given = objects(changed(TINY, change))
    assert "from" not in _ingress(given, "gateway")
    assert _ingress(given, "auth")["from"] == [own, theirs]
    given = objects(
        changed(TINY, change | {"networkPolicy": {"stations": {"from": [own]}, "rest": {"from": [theirs]}}})
    )
    assert _ingress(given, "gateway")["from"] == [own, theirs]
    assert _ingress(given, "auth")["from"] == [theirs]


def _ingress(given: list[Object], process: str) -> Mapping[str, Any]:
    """The first rule: who calls it for what it is there for."""
    rule: Mapping[str, Any] = find(given, "NetworkPolicy", f"voltbus-{process}")["spec"]["ingress"][0]
    return rule


def test_objects_of_others_are_templates() -> None:
    assert find(of_set("large"), "ConfigMap", "voltbus-contact")["data"] == {"team": "csms"}
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}-more}"
    assert find(objects(changed(TINY, {"extraObjects": [text]})), "ConfigMap", "voltbus-more")


def test_pods_take_what_an_operator_adds() -> None:
    given = changed(
        TINY,
        {
            "pod": {
                "labels": {"team": "csms"},
                "nodeSelector": {"pool": "general"},
                "env": [{"name": "TZ", "value": "UTC"}],
            },
            "firmware": {"pod": {"nodeSelector": {"pool": "large"}, "annotations": {"a": "b"}}},
        },
    )
    found = objects(given)
    auth, firmware = workload(found, "auth"), workload(found, "firmware")
    assert pod(auth)["nodeSelector"] == {"pool": "general"}
    assert pod(firmware)["nodeSelector"] == {"pool": "large"}
    assert firmware["spec"]["template"]["metadata"]["annotations"] == {"a": "b"}
    assert firmware["spec"]["template"]["metadata"]["labels"]["team"] == "csms"
    assert environment(firmware)["TZ"] == "UTC"


def test_notes_say_where_stations_connect() -> None:
    notes = {name: rendered(values(name))["voltbus/templates/NOTES.txt"] for name in SET_NAMES}
    assert "wss://ocpp.example.com/ocpp/STATION_ID" in notes["tls"]
    assert "get service voltbus-stations" in notes["large"]
