"""Who Postgres runs as: it refuses root, so root lends it an account without rights."""

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
    """The account to run as; None when this process is not root. Raises LocalError."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(_NOBODY).pw_name
    except KeyError:
        raise LocalError(
            "Postgres refuses to run as root and there is no user nobody: run as another user, "
            "or set VOLTBUS_POSTGRES_DSN to your own"
        ) from None


def give(folder: Path, user: str | None) -> None:
    """Makes `folder` belong to `user`, so that it can write there."""
    if user is not None and folder.owner() != user:
        for path in (folder, *folder.rglob("*")):
            shutil.chown(path, user)


def must_reach(paths: Iterable[Path], user: str | None) -> bool:
    """Whether `user` needs the right to pass through folders closed to others. Raises LocalError where it cannot."""
    if user is None or all(map(_open_to_all, paths)):
        return False
    if sys.platform != "linux":
        raise LocalError(
            "as root, Postgres runs as the user nobody, who may not enter this folder: run as another user"
        )
    return True


def _open_to_all(path: Path) -> bool:
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in path.resolve().parents)
