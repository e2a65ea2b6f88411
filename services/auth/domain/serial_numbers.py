"""A serial number is of one station: the certificate that names it proves which. What was there twice before stays."""

from services.auth.domain.stations import Station


def set_anew(current: Station | None, wanted: Station) -> str | None:
    """The serial number that a station gets and has not had; None: it gets none."""
    said = wanted.serial_number
    return said if said and said != (current and current.serial_number) else None


def is_of(station_id: str) -> str:
    """Why a station cannot have it."""
    return f"is that of {station_id}: a certificate proves that it is one station"


class SerialNumbersOfFile:
    """Those of the lines of a file, in the order of the lines."""

    def __init__(self) -> None:
        self._lines: dict[str, tuple[int, bool]] = {}

    def fault(self, line: int, current: Station | None, wanted: Station) -> str | None:
        """What is wrong with the one of a line; None: it is the first with it, or all have had it before."""
        if not (said := wanted.serial_number):
            return None
        anew = set_anew(current, wanted) is not None
        first, first_anew = self._lines.setdefault(said, (line, anew))
        return f"line {first} has the same" if first != line and (anew or first_anew) else None
