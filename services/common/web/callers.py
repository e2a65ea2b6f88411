"""Who calls: what the claims of a bearer token say, as Keycloak, Entra ID and others write them."""

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from services.common.process.settings import CommonSettings
from services.common.web.problems import Problem
from services.common.web.roles import ALLOWED, Right, Role

Claims = Mapping[str, Any]
EVERY_GROUP = "*"
# Where a client acts for itself and the token has no `sub`.
CLIENT = ("azp", "client_id", "appid")
# As OpenID Connect has it (Core 1.0, section 2).
LONGEST_NAME = 255
# Of Entra ID: claims that did not fit into the token, and that groups did not.
ELSEWHERE, HAS_GROUPS = "_claim_names", "hasgroups"


@dataclass(frozen=True, slots=True)
class Caller:
    """subject: who it is; None where the token does not say. groups: of stations; None: it is limited to none.

    expires_at: seconds since 1970.
    """

    subject: str | None
    scopes: frozenset[str]
    roles: frozenset[Role]
    groups: frozenset[str] | None
    expires_at: float

    def may(self, right: Right) -> bool:
        return right.scope in self.scopes or not self.roles.isdisjoint(ALLOWED[right.role])

    @property
    def author(self) -> str:
        """Who acts, for the record. Raises Problem where the token does not say."""
        if self.subject is None:
            raise Problem(403, "the bearer token has no `sub`: who does this is kept on record")
        return self.subject


@dataclass(frozen=True, slots=True)
class Reading:
    """How claims are read. roles: by the names that the issuer has for them. client: whose roles count in Keycloak.

    groups_claim: which names groups. groups_required: whether a token without it is let in nowhere.
    """

    roles: Mapping[str, Role]
    client: str | None
    groups_claim: str
    groups_required: bool

    @classmethod
    def of(cls, settings: CommonSettings) -> "Reading":
        named = {
            Role.READ_ONLY: settings.jwt_read_only_roles,
            Role.OPERATOR: settings.jwt_operator_roles,
            Role.ADMIN: settings.jwt_admin_roles,
        }
        return cls(
            roles={name: role for role, names in named.items() for name in names},
            client=settings.jwt_client or settings.jwt_audience,
            groups_claim=settings.jwt_groups_claim,
            groups_required=settings.jwt_groups_required,
        )

    def caller(self, claims: Claims) -> Caller:
        """Raises Problem where the token does not tell which groups it is limited to."""
        names = frozenset(self._names(claims))
        return Caller(
            subject=_subject(claims),
            scopes=names,
            roles=frozenset(self.roles[name] for name in names if name in self.roles),
            groups=self._groups(claims),
            expires_at=float(claims["exp"]),
        )

    def _names(self, claims: Claims) -> Iterator[str]:
        """Of scopes and of roles, wherever they stand. A scope that is a list is none of OAuth (RFC 8693, 4.2)."""
        scope, scp = claims.get("scope"), claims.get("scp")
        yield from scope.split() if isinstance(scope, str) else ()
        yield from scp.split() if isinstance(scp, str) else _texts(scp)
        yield from _texts(claims.get("roles"))
        yield from _texts(_inner(claims, "realm_access", "roles"))
        if self.client:
            yield from _texts(_inner(claims, "resource_access", self.client, "roles"))

    def _groups(self, claims: Claims) -> frozenset[str] | None:
        name = self.groups_claim
        if name in claims:
            said = claims[name]
            found = [said] if isinstance(said, str) else said
            if not isinstance(found, list) or not all(isinstance(one, str) and one for one in found):
                raise Problem(403, f"the claim `{name}` of the bearer token is no list of groups")
            return None if EVERY_GROUP in found else frozenset(found)
        # Of a user in many groups: where they stand we do not ask, and without them it would be limited to none.
        if name in _told_of(claims.get(ELSEWHERE)) or (name == "groups" and claims.get(HAS_GROUPS)):
            raise Problem(403, f"the bearer token does not hold the claim `{name}`, but says that it is elsewhere")
        if self.groups_required:
            raise Problem(403, f"the bearer token has no claim `{name}`, which says what it is limited to")
        return None


def _subject(claims: Claims) -> str | None:
    """Raises Problem where it is named as nobody can be: else what it does would stand as done by its client."""
    said = [claims[name] for name in ("sub", *CLIENT) if claims.get(name) is not None]
    if said and not (isinstance(said[0], str) and _is_name(said[0])):
        raise Problem(403, "the bearer token names nobody: `sub` is no text of 1 to 255 characters that can be read")
    return said[0] if said else None


def _is_name(said: str) -> bool:
    return bool(said.strip()) and said.isprintable() and len(said) <= LONGEST_NAME


def _inner(claims: Claims, *path: str) -> Any:
    found: Any = claims
    for name in path:
        found = _mapping(found).get(name)
    return found


def _mapping(said: Any) -> Mapping[str, Any]:
    return said if isinstance(said, Mapping) else {}


def _told_of(said: Any) -> Container[Any]:
    return said if isinstance(said, Mapping | list | str) else ()


def _texts(said: Any) -> Iterator[str]:
    return (one for one in said if isinstance(one, str)) if isinstance(said, list) else iter(())
