"""The account that Postgres runs as where root starts it, for it refuses root: a number that nobody else has."""

import grp
import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from voltbus.errors import LocalError

# Neither Debian nor systemd gives these to anybody (systemd: UIDS-GIDS), and most containers map them.
_UNUSED = range(60_706, 61_184)
INSTEAD = "run as another user, or set VOLTBUS_POSTGRES_DSN to a Postgres of your own"


@dataclass(frozen=True, slots=True)
class Account:
    """A user and a group by number; neither needs a name. No capability, no further group."""

    uid: int
    gid: int


def own_account(data: Path) -> Account | None:
    """Whom the server with this data runs as, the same each time; None if this process is not root. Raises LocalError.

    data: need not exist.
    """
    if os.geteuid() != 0:
        return None
    if not Path("/proc/self/fd").exists():
        raise LocalError(f"Postgres refuses root, and to run it as another user /proc is needed: mount it, {INSTEAD}")
    owner = [data.stat().st_uid] if data.exists() else []
    for number in (*owner, *_UNUSED):
        if number in _UNUSED and not _has_name(number):
            return Account(number, number)
    raise LocalError(f"Postgres refuses root, and no user id of its own is left for it: {INSTEAD}")


def with_a_name(account: Account) -> Account:
    """For initdb, which wants a user with a name: nobody, kept apart from others by its group. Raises LocalError."""
    try:
        return Account(pwd.getpwnam("nobody").pw_uid, account.gid)
    except KeyError:
        raise LocalError(f"Postgres refuses root, and there is no user nobody to create its data: {INSTEAD}") from None


def require_a_name() -> None:
    """Raises LocalError if this user has none: initdb wants one."""
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        raise LocalError(
            f"Postgres cannot create its data, because the user {os.geteuid()} has no name: "
            f"give it one in /etc/passwd, {INSTEAD}"
        ) from None


def hand_over(folder: Path, account: Account) -> None:
    """Gives `folder` and what is in it to `account`. Raises LocalError."""
    try:
        # The folder itself last: by its owner one sees whether all is done. A link is not followed: its target may be
        # anything, and whoever had the folder before may have made it.
        for _, folders, files, descriptor in os.fwalk(folder, topdown=False):
            for name in (*folders, *files):
                os.chown(name, account.uid, account.gid, dir_fd=descriptor, follow_symlinks=False)
        os.chown(folder, account.uid, account.gid, follow_symlinks=False)
    except OSError as error:
        raise LocalError(
            f"cannot give {folder} to the user that Postgres runs as ({error.strerror}): {INSTEAD}"
        ) from None


def _has_name(number: int) -> bool:
    for look_up in (pwd.getpwuid, grp.getgrgid):
        try:
            look_up(number)
        except KeyError:
            continue
        return True
    return False
