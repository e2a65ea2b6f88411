"""A plain root directory as an image: this machine's system below, read-only, and in it what a Dockerfile makes.

Needs root, and a kernel that lets it have a mount namespace. The base of the image is this machine's Python instead of
the one that FROM names.
"""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from tests.integration.deploy.dockerfile import Copy, Ignored, Run, Stage

SYSTEM = ("usr", "etc", "bin", "sbin", "lib", "lib32", "lib64", "libx32")
PATH = f"{sys.base_prefix}/bin:/usr/local/bin:/usr/bin:/bin"
# How packages are reached here.
OURS = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "REQUESTS_"))}
# A user that nobody has, without a capability or a way to get one.
UNPRIVILEGED = "setpriv --reuid={} --regid={} --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all"


class Root:
    """The file system of one stage below `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("tmp", "proc", "dev", sys.base_prefix.lstrip("/")):
            (folder / name).mkdir(parents=True, exist_ok=True)
        for name in SYSTEM:
            here, place = Path("/", name), folder / name
            if here.is_symlink() and not place.is_symlink():
                place.symlink_to(here.readlink())
            elif here.is_dir() and not here.is_symlink():
                place.mkdir(exist_ok=True)

    def carry_out(self, stage: Stage, context: Path, ignored: Ignored, others: Mapping[str, "Root"]) -> None:
        """The steps of a stage."""
        for step in stage.steps:
            if isinstance(step, Copy):
                self._copy(step, others[step.stage].folder if step.stage else context, ignored)
            else:
                self._run(step)

    def _run(self, step: Run) -> None:
        (self.folder / step.folder.lstrip("/")).mkdir(parents=True, exist_ok=True)
        command = self.command(["sh", "-ec", step.command], {**OURS, **step.environment}, folder=step.folder)
        done = subprocess.run(command, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, f"{step.command}\n{done.stdout}{done.stderr}"

    def _copy(self, step: Copy, source: Path, ignored: Ignored) -> None:
        target = self.folder / step.target.strip("/")
        for name in step.sources:
            one = source / name.lstrip("/")
            if step.stage is None:
                assert not ignored(PurePosixPath(name)), f"COPY {name}: .dockerignore leaves it out"
            if one.is_dir():
                leave_out = _leave_out(source, ignored) if step.stage is None else None
                shutil.copytree(one, target, symlinks=True, ignore=leave_out, dirs_exist_ok=True)
            else:
                place = target / one.name if step.target.endswith("/") else target
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(one, place)

    def command(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        folder: str = "/",
        user: str | None = None,
    ) -> list[str]:
        """What runs a command in it. With a user: as that one, and on a root that can only be read, but for /tmp."""
        known = {"PATH": PATH} | dict(environment)
        assigned = [f"{name}={value.replace('$PATH', PATH)}" for name, value in known.items()]
        inner = ["env", "-i", *assigned, "sh", "-c", f"cd {folder} && exec {shlex.join(command)}"]
        if user:
            inner = [*UNPRIVILEGED.format(*user.split(":")).split(), *inner]
        script = "\n".join(
            [*self._mounts(read_only=user is not None), f"exec chroot {self.folder} {shlex.join(inner)}"]
        )
        return ["unshare", "--mount", "--propagation", "private", "sh", "-ec", script]

    def _mounts(self, *, read_only: bool) -> list[str]:
        root = shlex.quote(str(self.folder))
        below = [f"/{name}" for name in SYSTEM if Path("/", name).is_dir() and not Path("/", name).is_symlink()]
        lines = [f"mount --bind {root} {root}"]
        for place in (*below, sys.base_prefix):
            lines += [f"mount --bind {place} {root}{place}", f"mount -o remount,bind,ro {root}{place}"]
        lines += [f"mount --rbind /dev {root}/dev", f"mount -t proc proc {root}/proc"]
        if read_only:
            lines += [f"mount -t tmpfs -o size=64m,mode=1777 tmp {root}/tmp", f"mount -o remount,bind,ro {root}"]
        return lines


def _leave_out(context: Path, ignored: Ignored) -> Callable[[str, list[str]], list[str]]:
    def leave_out(folder: str, names: list[str]) -> list[str]:
        here = PurePosixPath(Path(folder).relative_to(context))
        return [name for name in names if ignored(here / name)]

    return leave_out
