"""Apache Kafka's jars: fetched once into the user's cache, used only if they match the lock file."""

import hashlib
import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from voltbus.errors import LocalError, reason
from voltbus.local.disk import STORAGE
from voltbus.local.files import exclusive

ENDPOINT = "org.apache.kafka:kafka_2.13:4.3.0+org.slf4j:slf4j-simple:2.0.17"
LOCK_FILE = Path(__file__).with_name("kafka.lock")

OnProgress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Jar:
    """One file of a Maven repository: its path there and the SHA-256 it must have."""

    path: str
    sha256: str

    def matches(self, file: Path) -> bool:
        """Whether `file` is this jar, byte for byte."""
        try:
            with file.open("rb") as content:
                return hashlib.file_digest(content, "sha256").hexdigest() == self.sha256
        except FileNotFoundError:
            return False


def read_lock(file: Path = LOCK_FILE) -> list[Jar]:
    """The locked jars; the file has the format of `sha256sum`."""
    pairs = (line.split(maxsplit=1) for line in file.read_text().splitlines() if line.strip())
    return [Jar(path, digest) for digest, path in pairs]


def cache_folder() -> Path:
    """Where the jars are kept for all data folders: the user's cache, after XDG_CACHE_HOME.

    Raises RuntimeError for a user without a home.
    """
    caches = os.environ.get("XDG_CACHE_HOME") or (
        Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache")
    )
    return Path(caches) / "voltbus" / "maven"


def cache_folders(data: Path) -> list[Path]:
    """The user's cache; after it, for a home that is read-only or missing, a folder in the data folder."""
    own = data / "maven"
    try:
        return [cache_folder(), own]
    except RuntimeError:
        return [own]


def class_path(progress: OnProgress, caches: Sequence[Path], lock: Path = LOCK_FILE) -> list[Path]:
    """The files of all locked jars, verified, in the first cache that has them or can be written to.

    Missing or damaged ones are fetched. Raises LocalError.
    """
    jars, refusals = read_lock(lock), []
    for folder in caches:
        try:
            _fill(folder, jars, progress)
        except OSError as error:
            refusals.append(f"{folder} ({reason(error)})")
        else:
            return [folder / jar.path for jar in jars]
    raise LocalError(
        f"cannot store Kafka's jars in {' nor in '.join(refusals)}: set XDG_CACHE_HOME, "
        "or VOLTBUS_KAFKA_BOOTSTRAP to a Kafka of your own"
    )


def _fill(folder: Path, jars: list[Jar], progress: OnProgress) -> None:
    # Before the lock: a cache that has all of them may be read-only.
    if all(jar.matches(folder / jar.path) for jar in jars):
        return
    folder.mkdir(parents=True, exist_ok=True)
    with exclusive(folder):
        missing = [jar for jar in jars if not jar.matches(folder / jar.path)]
        if missing:
            _fetch(folder, missing, progress)


def _fetch(folder: Path, jars: list[Jar], progress: OnProgress) -> None:
    from jgo.maven import MavenContext, PythonResolver

    context = MavenContext(resolver=PythonResolver(), repo_cache=folder, timeout=30)

    def fetch(jar: Jar) -> None:
        (folder / jar.path).unlink(missing_ok=True)
        group, artifact, version, _ = jar.path.rsplit("/", 3)
        context.project(group.replace("/", "."), artifact).at_version(version).artifact().resolve()

    progress(f"fetching Apache Kafka, once: 0 of {len(jars)} files")
    with ThreadPoolExecutor(8) as pool:
        try:
            for count, _ in enumerate(pool.map(fetch, jars), 1):
                if count % 10 == 0 or count == len(jars):
                    progress(f"fetching Apache Kafka, once: {count} of {len(jars)} files")
        except Exception as error:
            pool.shutdown(cancel_futures=True)
            if isinstance(error, OSError) and error.errno in STORAGE:
                raise
            raise LocalError(
                f"cannot fetch Apache Kafka ({type(error).__name__}): check the network (HTTPS_PROXY, and "
                "REQUESTS_CA_BUNDLE for its certificates), or set VOLTBUS_KAFKA_BOOTSTRAP to a Kafka of your own"
            ) from None
    for jar in jars:
        if not jar.matches(folder / jar.path):
            (folder / jar.path).unlink(missing_ok=True)
            raise LocalError(f"{jar.path} does not match its SHA-256 and was removed: try again")


def write_lock(lock: Path = LOCK_FILE, cache: Path | None = None) -> None:
    """Resolves `ENDPOINT` and writes the lock file: run `python -m voltbus.local.jars` after changing it."""
    from jgo.env import EnvironmentBuilder
    from jgo.maven import MavenContext, PythonResolver

    folder = cache or cache_folder()
    context = MavenContext(resolver=PythonResolver(), repo_cache=folder)
    environment = EnvironmentBuilder(context=context, cache_dir=folder.parent / "jgo").from_endpoint(ENDPOINT)
    names = {jar.name for jar in environment.all_jars}
    files = sorted(file for file in folder.rglob("*.jar") if file.name in names)
    digests = (hashlib.sha256(file.read_bytes()).hexdigest() for file in files)
    lines = (f"{digest}  {file.relative_to(folder)}\n" for digest, file in zip(digests, files, strict=True))
    lock.write_text("".join(lines))


if __name__ == "__main__":
    write_lock()
