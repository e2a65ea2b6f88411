"""The garbage collector of a process, which Python has look through everything while everything is imported."""

import gc


def collect_rarely() -> None:
    """From now on. Nearly everything is freed by reference counting; the collector's usual rate costs a quarter of the
    CPU under load, and an eighth of a start: a process calls this before its other imports.
    """
    gc.set_threshold(50_000, 50, 100)


def keep_what_there_is() -> None:
    """Looks through everything once more, and then never again through what is left."""
    gc.collect()
    gc.freeze()
