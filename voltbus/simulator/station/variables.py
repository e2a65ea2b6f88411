"""What can be read and set in a station: the configuration keys of 1.6, the variables of 2.0.1 (B05, B06)."""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field

READ_ONLY, READ_WRITE, WRITE_ONLY = "ReadOnly", "ReadWrite", "WriteOnly"
INTEGER, BOOLEAN, STRING, OPTION, MEMBERS = "integer", "boolean", "string", "OptionList", "MemberList"


@dataclass(frozen=True, slots=True)
class Variable:
    """One of them. value: as text, or where it is read from. kind: a DataEnumType of 2.0.1.

    reboot: a new value is at work after the next start. options: what may be chosen, of which a MemberList takes some.
    """

    value: str | Callable[[], str]
    kind: str = STRING
    access: str = READ_WRITE
    unit: str | None = None
    reboot: bool = False
    least: int | None = None
    most: int | None = None
    options: tuple[str, ...] = ()

    def admits(self, text: str) -> bool:
        """Whether that may be its value."""
        match self.kind:
            case "integer":
                return text.removeprefix("-").isdecimal() and self._within(int(text))
            case "boolean":
                return text.lower() in ("true", "false")
            case "OptionList":
                return text in self.options
            case "MemberList":
                return not self.options or {part.strip() for part in text.split(",")} <= {"", *self.options}
        return self._within(len(text))

    def _within(self, number: int) -> bool:
        least, most = self.least, self.most
        return (least is None or number >= least) and (most is None or number <= most)


@dataclass(slots=True)
class Variables:
    """All of a station, by a key of the version's own making."""

    known: dict[Hashable, Variable] = field(default_factory=dict)
    _written: dict[Hashable, str] = field(default_factory=dict)
    _waiting: dict[Hashable, str] = field(default_factory=dict)

    def add(self, variables: Iterable[tuple[Hashable, Variable]]) -> None:
        """Makes them known."""
        self.known.update(variables)

    def get(self, key: Hashable) -> str:
        """The value at work. Raises KeyError."""
        value = self._written[key] if key in self._written else self.known[key].value
        return value if isinstance(value, str) else value()

    def number(self, key: Hashable) -> int:
        """The value of an integer."""
        return int(self.get(key))

    def set(self, key: Hashable, text: str) -> str:
        """Accepted, RebootRequired, or Rejected for what cannot be. Raises KeyError."""
        variable = self.known[key]
        if variable.access == READ_ONLY or not variable.admits(text):
            return "Rejected"
        if variable.reboot:
            self._waiting[key] = text
            return "RebootRequired"
        self._written[key] = text
        return "Accepted"

    def restarted(self) -> None:
        """What waited for it is at work now."""
        self._written |= self._waiting
        self._waiting.clear()
