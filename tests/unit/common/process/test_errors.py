"""The error tree as it is written down is the one that there is."""

import importlib
import pkgutil

import services
from services.common.process import errors
from services.common.process.errors import VoltbusError


def test_the_tree_shows_every_error() -> None:
    for module in pkgutil.walk_packages(services.__path__, "services."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    tree = (errors.__doc__ or "").partition("\n\nBeside")[0]
    shown = {line.split()[1] for line in tree.splitlines() if line.startswith(("├", "└"))}
    found = {one.__name__ for one in VoltbusError.__subclasses__() if one.__module__.startswith("services.")}
    assert shown == found
