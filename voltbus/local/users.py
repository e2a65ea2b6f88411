"""The user that Postgres runs as: it refuses root, so root runs it as nobody."""

import os
import pwd
import shutil
import stat
import sys
from collections.abc import Iterable
from pathlib import Path

from voltbus.errors import LocalError

_NOBODY = "nobody"


def unprivileged() -> str | None:
    """The user to run as; None if this process is not root. Raises LocalError."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(_NOBODY).pw_name
    except KeyError:
        raise LocalError(
            "Postgres refuses to run as root and there is no user nobody: run as another user, "
            "or set VOLTBUS_POSTGRES_DSN to your own"
        ) from None


def give_ownership(folder: Path, user: str | None) -> None:
    """Gives `folder` and its content to `user`, so that it can write there."""
    if user is not None and folder.owner() != user:
        for path in (folder, *folder.rglob("*")):
            shutil.chown(path, user)


def needs_traverse(paths: Iterable[Path], user: str | None) -> bool:
    """Whether `user` needs the right to traverse folders closed to others. Raises LocalError if it cannot have it."""
    if user is None or all(map(_open_to_all, paths)):
        return False
    if sys.platform != "linux":
        raise LocalError(
            "as root, Postgres runs as the user nobody, which cannot enter this folder: run as another user"
        )
    return True


def _open_to_all(path: Path) -> bool:
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in path.resolve().parents)
