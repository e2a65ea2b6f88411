"""Ends the supervisor's processes after the supervisor has died, however it died: its standard input ends then.

Run as a script with the bare interpreter. Input lines: `+PID SIGNAL` (started; how to end it), `-PID` (ended).
"""

import os
import signal
import sys
import time

_GRACE = 10.0


def _send(pid: int, number: int) -> bool:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stat:
            # Where no init collects orphans, a dead process stays a zombie.
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return _send(pid, 0)


def _end(started: dict[int, int]) -> None:
    left = [pid for pid, number in started.items() if _send(pid, number)]
    deadline = time.monotonic() + _GRACE
    while left and time.monotonic() < deadline:
        time.sleep(0.05)
        left = [pid for pid in left if _alive(pid)]
    for pid in left:
        _send(pid, signal.SIGKILL)


def main() -> None:
    """Reads standard input to its end, then ends what is left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    started: dict[int, int] = {}
    for line in sys.stdin:
        pid, *number_words = line[1:].split()
        if line[0] == "+":
            started[int(pid)] = int(number_words[0])
        else:
            started.pop(int(pid), None)
    _end(started)


if __name__ == "__main__":
    main()
