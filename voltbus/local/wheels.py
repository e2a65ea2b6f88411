"""Finds the server programs in installed wheels, without importing them."""

import shutil
from importlib.util import find_spec
from pathlib import Path

from voltbus.errors import LocalError


def program(package: str, path: str, *, server: str, variable: str, or_on_path: bool = False) -> Path:
    """The file `path` in the installed `package`; or_on_path: otherwise the program of that name on PATH.

    Raises LocalError, naming the `variable` that replaces the `server`, if this platform has none.
    """
    spec = find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        if (found := Path(folder) / path).exists():
            return found
    if or_on_path and (installed := shutil.which(Path(path).name)):
        return Path(installed)
    raise LocalError(f"no {server} for this platform in the package {package}: set {variable} to your own")
