"""Kafka's jars: locked, verified, fetched only when they are missing."""

import errno
import hashlib
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from voltbus.errors import LocalError
from voltbus.local.jars import ENDPOINT, Jar, cache_folder, cache_folders, class_path, read_lock

PATH = "org/example/thing/1.0/thing-1.0.jar"
GOOD = b"the right content"


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    file = tmp_path / "kafka.lock"
    file.write_text(f"{hashlib.sha256(GOOD).hexdigest()}  {PATH}\n")
    return file


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes | Exception], list[str]]:
    """Says what the repository answers; the list fills with what was asked for."""

    def serve(content: bytes | Exception) -> list[str]:
        asked: list[str] = []

        def download(_: Any, artifact: Any) -> Path:
            asked.append(str(artifact.component))
            if isinstance(content, Exception):
                raise content
            artifact.cached_path.parent.mkdir(parents=True, exist_ok=True)
            artifact.cached_path.write_bytes(content)
            return Path(artifact.cached_path)

        monkeypatch.setattr("jgo.maven.PythonResolver.download", download)
        return asked

    return serve


def silent(_: str) -> None:
    pass


def test_the_lock_holds_all_of_the_endpoint() -> None:
    locked = read_lock()
    assert len(locked) > 40
    assert all(re.fullmatch("[0-9a-f]{64}", jar.sha256) and jar.path.endswith(".jar") for jar in locked)
    for coordinate in ENDPOINT.split("+"):
        group, artifact, version = coordinate.split(":")
        path = f"{group.replace('.', '/')}/{artifact}/{version}/{artifact}-{version}.jar"
        assert path in [jar.path for jar in locked]


def test_fetched_once(tmp_path: Path, lock: Path, served: Any) -> None:
    asked = served(GOOD)
    told: list[str] = []
    assert class_path(told.append, [tmp_path / "cache"], lock) == [tmp_path / "cache" / PATH]
    assert told == ["fetching Apache Kafka, once: 0 of 1 files", "fetching Apache Kafka, once: 1 of 1 files"]
    class_path(told.append, [tmp_path / "cache"], lock)
    assert asked == ["org.example:thing:1.0"]
    assert len(told) == 2


def test_a_damaged_file_is_fetched_again(tmp_path: Path, lock: Path, served: Any) -> None:
    file = tmp_path / "cache" / PATH
    file.parent.mkdir(parents=True)
    file.write_bytes(GOOD[:-1])
    asked = served(GOOD)
    class_path(silent, [tmp_path / "cache"], lock)
    assert len(asked) == 1
    assert file.read_bytes() == GOOD


def test_another_file_than_the_locked_one_is_never_used(tmp_path: Path, lock: Path, served: Any) -> None:
    served(b"something else")
    with pytest.raises(LocalError, match=r"thing-1.0.jar does not match its SHA-256"):
        class_path(silent, [tmp_path / "cache"], lock)
    assert not (tmp_path / "cache" / PATH).exists()


def test_without_a_network(tmp_path: Path, lock: Path, served: Any) -> None:
    served(ConnectionError("name or service not known"))
    with pytest.raises(
        LocalError, match=r"^cannot fetch Apache Kafka .*VOLTBUS_KAFKA_BOOTSTRAP to a Kafka of your own$"
    ):
        class_path(silent, [tmp_path / "cache"], lock)


def test_a_cache_that_cannot_be_written(tmp_path: Path, lock: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LocalError, match=r"^cannot store Kafka's jars in .*: set XDG_CACHE_HOME"):
        class_path(silent, [tmp_path / "file" / "cache"], lock)


def test_a_home_that_is_read_only_is_passed_over(tmp_path: Path, lock: Path, served: Any) -> None:
    (tmp_path / "file").write_text("")
    served(GOOD)
    caches = [tmp_path / "file" / "cache", tmp_path / "data" / "maven"]
    assert class_path(silent, caches, lock) == [tmp_path / "data" / "maven" / PATH]


def test_a_cache_that_has_all_need_not_be_writable(
    tmp_path: Path, lock: Path, served: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    served(GOOD)
    class_path(silent, [tmp_path / "cache"], lock)

    def read_only(*_: Any, **__: Any) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "mkdir", read_only)
    assert class_path(silent, [tmp_path / "cache", tmp_path / "other"], lock) == [tmp_path / "cache" / PATH]


def test_a_full_disk_is_not_taken_for_the_network(tmp_path: Path, lock: Path, served: Any) -> None:
    served(OSError(errno.ENOSPC, "No space left on device"))
    with pytest.raises(LocalError, match=r"^cannot store Kafka's jars in .* \(No space left on device\): set XDG"):
        class_path(silent, [tmp_path / "cache"], lock)


def test_a_user_without_a_home_has_them_with_the_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    assert cache_folders(tmp_path) == [tmp_path / "maven"]


def test_the_cache_is_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "voltbus" / "maven"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    assert cache_folder() == tmp_path / ".cache" / "voltbus" / "maven"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert cache_folder() == tmp_path / "Library" / "Caches" / "voltbus" / "maven"


def test_a_jar_matches_to_the_last_bit(tmp_path: Path) -> None:
    (tmp_path / "a.jar").write_bytes(GOOD)
    assert Jar("a.jar", hashlib.sha256(GOOD).hexdigest()).matches(tmp_path / "a.jar")
    assert not Jar("a.jar", hashlib.sha256(GOOD + b"x").hexdigest()).matches(tmp_path / "a.jar")
    assert not Jar("b.jar", "").matches(tmp_path / "b.jar")
