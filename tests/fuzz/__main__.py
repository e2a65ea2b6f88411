"""python -m tests.fuzz [--runs N] [TARGET ...]: a million inputs over all targets, one after the other."""

import argparse
import subprocess
import sys
from pathlib import Path

from tests.fuzz import corpus

NAMES = ("session", "wire", "deflate", "handshake", "soap")
FOUND = Path("build/fuzz")
OPTIONS = ("-max_len=1024", "-rss_limit_mb=1024", "-timeout=20", "-print_final_stats=1")


def main() -> int:
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--runs", type=int, default=1_000_000, help="inputs, over all targets")
    parser.add_argument("targets", nargs="*", help=f"of {', '.join(NAMES)}; default: all")
    chosen = parser.parse_args()
    targets = chosen.targets or NAMES
    failed = [name for name in targets if not fuzz(name, chosen.runs // len(targets))]
    print(f"failed: {', '.join(failed)}; inputs in {FOUND}" if failed else "no faults")
    return bool(failed)


def fuzz(target: str, runs: int) -> bool:
    """What it finds, and what it covers more than the corpus, is left in build/fuzz."""
    folder = FOUND / target
    corpus.unpack(target, folder)
    own = (f"-runs={runs}", f"-artifact_prefix={FOUND}/{target}-")
    command = [sys.executable, "-m", "tests.fuzz.guided", target, *OPTIONS, *own, str(folder)]
    print(f"{target}: {runs:,} inputs", flush=True)
    return subprocess.run(command, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
