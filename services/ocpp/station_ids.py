"""Ids of stations: which of them are one."""

import string

_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def station_key(station_id: str) -> str:
    """What all spellings of an id have in common: an identifierString has no case (2.0.1 part 4 §3.1.1).

    It has letters of ASCII alone; others, which stations of 1.6 may have, are compared as they are.
    """
    return station_id.translate(_LOWER)
