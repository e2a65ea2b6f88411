"""Fuzzes one target, guided by what its code covers: python -m tests.fuzz.guided TARGET [options of libFuzzer]"""

import gc
import logging
import sys

import atheris
import structlog

with atheris.instrument_imports(include=["services.gateway", "services.ocpp", "websockets"]):
    from tests.fuzz.targets import TARGETS

# Between two counts of all objects; those that are there after the first ones are what may be kept.
COUNT_EVERY, KEPT = 10_000, 20_000


class Growing:
    """Runs a target, and raises when objects stay behind: a leak of one an input is seen soon."""

    def __init__(self, name: str) -> None:
        self._target = TARGETS[name]
        self._inputs = self._first = 0

    def __call__(self, data: bytes) -> None:
        self._target(data)
        self._inputs += 1
        if self._inputs % COUNT_EVERY == 0:
            gc.collect()
            count = len(gc.get_objects())
            self._first = self._first or count
            assert count < self._first + KEPT, f"{count - self._first} objects more after {self._inputs} inputs"


def main() -> None:
    logging.disable()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    name, *options = sys.argv[1:]
    atheris.Setup([sys.argv[0], *options], Growing(name))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
