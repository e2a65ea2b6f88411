"""Inputs that are worth trying again, by target: one a line, in hexadecimal."""

from pathlib import Path

FOLDER = Path(__file__).with_name("corpus")


def inputs(target: str) -> list[bytes]:
    return [bytes.fromhex(line) for line in (FOLDER / f"{target}.txt").read_text().split()]


def unpack(target: str, folder: Path) -> None:
    """As libFuzzer wants them: a file each."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(inputs(target)):
        (folder / f"kept-{number}").write_bytes(data)
