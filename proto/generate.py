"""Generates voltbus/v1 from proto/; with --check says whether what is committed is what comes out.

proto/public is the contract with consumers of events; proto/private is what Voltbus says to itself. Both are one
package, voltbus.v1.
"""

import filecmp
import shutil
import sys
import tempfile
from pathlib import Path

import grpc_tools
from grpc_tools import protoc

PROTO = Path(__file__).parent
ROOTS = (PROTO / "public", PROTO / "private")
PACKAGE = Path("voltbus/v1")
COMMITTED = PROTO.parent / PACKAGE


def generate(target: Path) -> list[str]:
    """Writes the modules below target; returns their names."""
    sources = sorted(str(path.relative_to(root)) for root in ROOTS for path in root.rglob("*.proto"))
    include = Path(grpc_tools.__file__).parent / "_proto"
    paths = [f"-I{path}" for path in (*ROOTS, include)]
    if protoc.main(["protoc", *paths, f"--python_out={target}", f"--pyi_out={target}", *sources]):
        sys.exit("protoc failed")
    return sorted(path.name for path in (target / PACKAGE).glob("*_pb2.py*"))


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        names, fresh = generate(Path(folder)), Path(folder) / PACKAGE
        committed = {path.name for path in COMMITTED.glob("*_pb2.py*")}
        if "--check" in sys.argv:
            same, changed, missing = filecmp.cmpfiles(fresh, COMMITTED, names, shallow=False)
            if stale := sorted({*changed, *missing, *(committed - set(same))}):
                sys.exit(f"{PACKAGE} is not what proto/ generates: {stale}; run: make proto")
            return
        for name in committed:
            (COMMITTED / name).unlink()
        for name in names:
            shutil.copy(fresh / name, COMMITTED / name)


if __name__ == "__main__":
    main()
