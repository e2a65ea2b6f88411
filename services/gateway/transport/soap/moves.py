"""Two devices with one id, over SOAP: they take no connection from each other, but the address for commands changes."""

# Returns to the address before, in a row, from which on there are two devices; and seconds within which each comes.
TURNS, WITHIN = 3, 600.0


class Address:
    """Where a station listens, by its last request. A network gives it another one, and hardly the one before again."""

    def __init__(self) -> None:
        self.now = ""
        self._before, self._moved_at, self._turns = "", 0.0, 0

    def said(self, address: str, at: float) -> int:
        """How often the station has come back to the address before, in a row; 0: this time it has not.

        Who says none, as some libraries do, has not moved, nor has who says what is none. at: by the monotonic clock.
        """
        if not address or address == self.now or (self.now and "://" not in address):
            return 0
        returned = address == self._before and at - self._moved_at < WITHIN
        self._before, self.now, self._moved_at = self.now, address, at
        self._turns = self._turns + 1 if returned else 0
        return self._turns

    @property
    def before(self) -> str:
        """The one that it had before."""
        return self._before
