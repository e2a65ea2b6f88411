"""Finds the server programs that came with a Python wheel, without importing the wheel."""

from importlib.util import find_spec
from pathlib import Path

from services.local.errors import LocalError


def program(package: str, path: str, *, server: str, variable: str) -> Path:
    """The file `path` inside the installed `package`.

    Raises LocalError, naming the `variable` that replaces the `server`, when this platform has none.
    """
    spec = find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        if (found := Path(folder) / path).exists():
            return found
    raise LocalError(f"no {server} for this platform in the package {package}: set {variable} to your own")
