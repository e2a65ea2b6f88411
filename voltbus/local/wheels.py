"""Finds the server programs that came with a Python wheel, without importing the wheel."""

import shutil
from importlib.util import find_spec
from pathlib import Path

from voltbus.errors import LocalError


def program(package: str, path: str, *, server: str, variable: str, any_will_do: bool = False) -> Path:
    """The file `path` inside the installed `package`, or else the program of that name on the machine if `any_will_do`.

    Raises LocalError, naming the `variable` that replaces the `server`, when this platform has none.
    """
    spec = find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        if (found := Path(folder) / path).exists():
            return found
    if any_will_do and (installed := shutil.which(Path(path).name)):
        return Path(installed)
    raise LocalError(f"no {server} for this platform in the package {package}: set {variable} to your own")
