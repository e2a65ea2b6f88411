"""Reports its process id to the reaper, gives up root, and becomes another program (exec).

Run as a script with the bare interpreter: `launch.py FD ORPHAN_SIGNAL ACCOUNT FOLDER PROGRAM ARGUMENT...`. FD is the
reaper's pipe; the reaper waits while a launcher holds it, so no process escapes it. ACCOUNT is UID:GID, FOLDER what the
program finds at `HANDED`, by whatever folders it is closed in; "-" stands for none.
"""

import os
import sys

_DESCRIPTOR = 9
# A folder that was opened before root was given up can be entered through it, so that nothing above need be open.
HANDED = f"/proc/self/fd/{_DESCRIPTOR}"


def _hand(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    if descriptor != _DESCRIPTOR:
        os.dup2(descriptor, _DESCRIPTOR)
        os.close(descriptor)
    os.set_inheritable(_DESCRIPTOR, True)


def _become(uid: int, gid: int) -> None:
    os.chdir("/")
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def main() -> None:
    """Reports to the reaper, changes the user, becomes the program; exits 127 if it cannot."""
    pipe, number, account, folder, *argv = sys.argv[1:]
    try:
        os.write(int(pipe), f"+{os.getpid()} {number}\n".encode())
        os.close(int(pipe))
        if folder != "-":
            _hand(folder)
        if account != "-":
            uid, gid = account.split(":")
            _become(int(uid), int(gid))
        os.execv(argv[0], argv)
    except OSError as error:
        print(f"cannot run {argv[0]}: {error.strerror}", file=sys.stderr)
        sys.exit(127)


if __name__ == "__main__":
    main()
