"""Generates services/common/wire from proto/; with --check says whether what is committed is what comes out."""

import filecmp
import shutil
import sys
import tempfile
from pathlib import Path

import grpc_tools
from grpc_tools import protoc

PROTO = Path(__file__).parent
WIRE = PROTO.parent / "services/common/wire"


def generate(target: Path) -> list[str]:
    """Writes the modules below target; returns their paths relative to it."""
    sources = sorted(str(path.relative_to(PROTO)) for path in PROTO.rglob("*.proto"))
    include = Path(grpc_tools.__file__).parent / "_proto"
    options = [f"-I{PROTO}", f"-I{include}", f"--python_out={target}", f"--pyi_out={target}"]
    if protoc.main(["protoc", *options, *sources]):
        sys.exit("protoc failed")
    return sorted(str(path.relative_to(target)) for path in target.rglob("*_pb2.py*"))


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder)
        names = generate(fresh)
        committed = sorted(str(path.relative_to(WIRE)) for path in WIRE.rglob("*_pb2.py*"))
        if "--check" in sys.argv:
            changed = [name for name in names if not (WIRE / name).is_file()]
            changed += [name for name in set(names) - set(changed) if not filecmp.cmp(fresh / name, WIRE / name, False)]
            changed += sorted(set(committed) - set(names))
            if changed:
                sys.exit(f"services/common/wire is not what proto/ generates: {changed}; run: make proto")
            return
        shutil.rmtree(WIRE / "voltbus", ignore_errors=True)
        shutil.copytree(fresh, WIRE, dirs_exist_ok=True)


if __name__ == "__main__":
    main()
