"""Reports its process id to the reaper, drops root, and becomes another program (exec).

Run as a script with the bare interpreter: `launch.py FD SIGNAL USER REACH PROGRAM ARGUMENT...`. FD is the reaper's
pipe; the reaper waits while a launcher holds it, so no process escapes it. USER "-": no change of user; REACH "1"
lets USER pass through folders that only root may enter.
"""

import ctypes
import os
import sys

_CAP_DAC_OVERRIDE = 1
_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAPABILITY_VERSION_3 = 0x20080522


def _become(user: str, reach: bool) -> None:
    import pwd

    entry = pwd.getpwnam(user)
    libc = ctypes.CDLL(None, use_errno=True) if reach else None
    if libc:
        libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)
    if libc:
        _keep_reach(libc)


def _keep_reach(libc: ctypes.CDLL) -> None:
    mask = 1 << _CAP_DAC_OVERRIDE
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    sets = (ctypes.c_uint32 * 6)(mask, mask, mask, 0, 0, 0)
    libc.capset(header, sets)
    libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE, 0, 0)


def main() -> None:
    """Reports to the reaper, changes the user, becomes the program; exits 127 if it cannot."""
    pipe, number, user, reach, *argv = sys.argv[1:]
    try:
        os.write(int(pipe), f"+{os.getpid()} {number}\n".encode())
        os.close(int(pipe))
        if user != "-":
            _become(user, reach == "1")
        os.execv(argv[0], argv)
    except (OSError, KeyError) as error:
        print(f"cannot run {argv[0]}: {error}", file=sys.stderr)
        sys.exit(127)


if __name__ == "__main__":
    main()
