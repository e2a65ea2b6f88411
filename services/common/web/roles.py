"""What a bearer token may do: a role of all services, or a scope of one."""

from enum import StrEnum
from typing import NamedTuple


class Role(StrEnum):
    """read-only: reads. operator: also acts on stations, sessions, idTokens and limits. admin: whatever there is."""

    READ_ONLY = "read-only"
    OPERATOR = "operator"
    ADMIN = "admin"


# The roles that may do what a role may, that one among them.
ALLOWED = {
    Role.READ_ONLY: frozenset(Role),
    Role.OPERATOR: frozenset({Role.OPERATOR, Role.ADMIN}),
    Role.ADMIN: frozenset({Role.ADMIN}),
}


class Right(NamedTuple):
    """What a route needs: the role, or else the scope."""

    role: Role
    scope: str

    def __str__(self) -> str:
        return f"the role {self.role} (or the scope {self.scope})"


class Rights(NamedTuple):
    """Those of a service: to read, to act, and to decide who may act and by what."""

    read: Right
    operate: Right
    administer: Right


def rights(service: str) -> Rights:
    """The scope to write is for whatever is not reading."""
    read, write = f"{service}:read", f"{service}:write"
    return Rights(Right(Role.READ_ONLY, read), Right(Role.OPERATOR, write), Right(Role.ADMIN, write))
