"""Variables of the environment that nobody reads: mistyped, of another release, or empty."""

import os
import pkgutil
from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from importlib import import_module
from importlib.util import find_spec

import structlog

import services
from services.common.process.settings import PREFIX, CommonSettings

# What the command `voltbus` reads, beside the settings of processes.
OF_THE_COMMAND = frozenset({"DATA", "GATEWAYS", "REPLICAS", "REST_PORT", "STATION_PASSWORD", "TOKEN"})
_FILE = "_FILE"

log = structlog.get_logger()


def variables() -> frozenset[str]:
    """All that any process reads, whose environments are often one: VOLTBUS_….

    A package of `services` that has settings is a process; they are found, for no process imports another.
    """
    names = set(OF_THE_COMMAND) | {name.upper() for name in CommonSettings.model_fields}
    for package in pkgutil.iter_modules(services.__path__, f"{services.__name__}."):
        if package.ispkg and find_spec(module := f"{package.name}.settings"):
            names |= {name.upper() for name in import_module(module).Settings.model_fields}
    return frozenset(PREFIX + name for name in names)


def unread(environ: Iterable[str], known: Collection[str]) -> dict[str, str | None]:
    """Those of VOLTBUS_… that are not known, each with the nearest that is; VOLTBUS_X_FILE is known where X is."""
    found: dict[str, str | None] = {}
    for name in sorted(name for name in environ if name.startswith(PREFIX)):
        variable, suffix = (name.removesuffix(_FILE), _FILE) if name.endswith(_FILE) else (name, "")
        if variable not in known:
            # By what tells them apart.
            short = [other.removeprefix(PREFIX) for other in known]
            near = get_close_matches(variable.removeprefix(PREFIX), short, n=1)
            found[name] = PREFIX + near[0] + suffix if near else None
    return found


def empty(environ: Mapping[str, str], known: Collection[str]) -> list[str]:
    """Those that are set to nothing, which counts as not set; but a prefix may be empty."""
    return sorted(name for name in known if environ.get(name) == "" and not name.endswith("_PREFIX"))


def warn_of_unread() -> None:
    """Once, when a process starts: a line for each."""
    for name in empty(os.environ, variables()):
        log.warning("this variable is empty: its default counts", variable=name)
    for name, nearest in unread(os.environ, variables()).items():
        log.warning("nobody reads this variable", variable=name, nearest=nearest)


def sentences() -> list[str]:
    """The same for people."""
    found, left = unread(os.environ, variables()), empty(os.environ, variables())
    said = [f"{name} is empty: its default counts" for name in left]
    return said + [f"nobody reads {name}" + (f": is it {near}?" if near else "") for name, near in found.items()]
