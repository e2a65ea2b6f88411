"""A Dockerfile, read: stages with their steps. What is not known here is refused, so that no step goes untested."""

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from string import Template


@dataclass(frozen=True)
class Run:
    """A command of the shell, with what it finds in its environment, and where it runs."""

    command: str
    environment: Mapping[str, str]
    folder: str


@dataclass(frozen=True)
class Copy:
    """sources: of the context, or of another stage. target: ends with / where it is a folder."""

    sources: Sequence[str]
    target: str
    stage: str | None


@dataclass
class Stage:
    """base, name: of FROM; the last one needs none. environment: of ENV, with its PATH before that of the base."""

    base: str
    name: str
    steps: list[Run | Copy] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    arguments: dict[str, str] = field(default_factory=dict)
    folder: str = "/"
    user: str = "0:0"
    entrypoint: Sequence[str] = ()
    command: Sequence[str] = ()


def read(path: Path, **arguments: str) -> list[Stage]:
    """Its stages, with build arguments."""
    stages: list[Stage] = []
    outside: dict[str, str] = {}
    for instruction, rest in _instructions(path.read_text()):
        if instruction == "ARG":
            name, _, default = rest.partition("=")
            (stages[-1].arguments if stages else outside)[name] = arguments.get(name, default)
        elif instruction == "FROM":
            words = Template(rest).substitute(outside).split()
            stages.append(Stage(words[0], words[2] if words[1:2] == ["AS"] else ""))
        else:
            _add(stages[-1], instruction, rest)
    return stages


def _add(stage: Stage, instruction: str, rest: str) -> None:
    known = stage.arguments | stage.environment
    match instruction:
        case "ENV":
            stage.environment |= dict(word.split("=", 1) for word in shlex.split(Template(rest).safe_substitute(known)))
        case "WORKDIR":
            stage.folder = rest
        case "USER":
            stage.user = rest
        case "ENTRYPOINT":
            stage.entrypoint = json.loads(rest)
        case "CMD":
            stage.command = json.loads(rest)
        case "RUN":
            stage.steps.append(Run(rest, dict(known), stage.folder))
        case "COPY":
            *words, target = Template(rest).substitute(known).split()
            stage_name = words.pop(0).removeprefix("--from=") if words[0].startswith("--from=") else None
            place = str(PurePosixPath(stage.folder) / target) + "/" * target.endswith(("/", "."))
            stage.steps.append(Copy(words, place, stage_name))
        case "LABEL" | "EXPOSE":
            pass
        case _:
            raise ValueError(f"no test carries out {instruction}")


def _instructions(text: str) -> Iterator[tuple[str, str]]:
    lines = "\n".join(line for line in text.splitlines() if line.strip() and not line.startswith("#"))
    for line in re.sub(r"\\\n\s*", "", lines).splitlines():
        instruction, _, rest = line.partition(" ")
        yield instruction, rest.strip()


@dataclass(frozen=True)
class Ignored:
    """A .dockerignore: the last pattern that fits decides, for a path and all below it."""

    patterns: Sequence[str]

    @classmethod
    def read(cls, path: Path) -> "Ignored":
        return cls([line for line in path.read_text().splitlines() if line and not line.startswith("#")])

    def __call__(self, path: PurePosixPath) -> bool:
        ignored = False
        for pattern in self.patterns:
            if any(_fits(one, pattern.removeprefix("!")) for one in (path, *path.parents)):
                ignored = not pattern.startswith("!")
        return ignored


def _fits(path: PurePosixPath, pattern: str) -> bool:
    if pattern.startswith("**/"):
        return path.name == pattern.removeprefix("**/")
    return len(path.parts) == len(PurePosixPath(pattern).parts) and fnmatch(str(path), pattern)
