"""The archive of Kafka's classes is of one Java and of the jars as they are."""

import os
from pathlib import Path

import pytest

from voltbus.local.class_archive import archive_file, archive_options


@pytest.fixture
def java(tmp_path: Path) -> Path:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "modules").touch()
    return tmp_path / "bin" / "java"


@pytest.fixture
def jar(tmp_path: Path) -> Path:
    file = tmp_path / "kafka.jar"
    file.write_text("content")
    return file


def test_there_is_one_for_each_java_and_each_jar(java: Path, jar: Path, tmp_path: Path) -> None:
    files = [archive_file(java, [jar]), archive_file(java, [jar])]
    assert len({*files}) == 1
    os.utime(jar, (1, 1))
    files.append(archive_file(java, [jar]))
    jar.write_text("other content")
    os.utime(jar, (1, 1))
    files.append(archive_file(java, [jar]))
    files.append(archive_file(java, [jar.rename(tmp_path / "other.jar")]))
    os.utime(java.parent.parent / "lib" / "modules", (1, 1))
    files.append(archive_file(java, [tmp_path / "other.jar"]))
    assert len({*files}) == 5


def test_java_is_told_of_one_that_is_there(tmp_path: Path) -> None:
    assert archive_options(tmp_path / "missing.aot") == []
    (file := tmp_path / "kept.aot").touch()
    assert f"-XX:AOTCache={file}" in archive_options(file)
