"""Local lists that operators want of groups, and what they come to for stations."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from services.auth import local_lists_store as lists_store
from services.auth.dialects.local_lists import BY_VERSION
from services.auth.domain.local_lists import Entries, Limits, ListRule, is_bound, listed
from services.common.authorization.judge import Place
from services.common.calls.stations import Stations
from services.common.desired.difference import resolve
from services.common.desired.group_store import GroupDocument
from services.common.postgres.database import Connection
from services.common.process.clock import Clock
from services.common.splitting import MessageLimit
from services.ocpp.id_tokens import CENTRAL, Token

# The version that has room for most.
RICHEST = "2.1"
# Of what is desired of a station there is one list.
LIST = "list"


@dataclass(frozen=True, slots=True)
class Assignment:
    """What is to be on a station. conflicts: later groups of it that have a list, too. left_out: see listed."""

    group: str
    conflicts: Sequence[str]
    entries: Entries = field(repr=False)
    withdrawn: Collection[str] = field(default=(), repr=False)
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Shared:
    """A list, in the words of a version: of all stations, and the idTokens that may charge at some of them alone."""

    rule: ListRule
    entries: Entries
    left_out: int
    bound: Mapping[str, Token]


@dataclass(slots=True)
class Desired:
    """What stations are to have. A list is read once, for all stations that are asked for."""

    db: Connection
    clock: Clock
    _read: dict[tuple[str, str], Shared] = field(default_factory=dict, init=False)

    async def of(self, versions: Mapping[str, str]) -> dict[str, Assignment]:
        """By station; without those of whose groups none has a list. versions: of OCPP, by station."""
        groups = await lists_store.groups_of(self.db, versions)
        documents = await lists_store.LISTS.load(self.db, {name for names in groups.values() for name in names})
        withdrawn = await lists_store.withdrawn(self.db, versions)
        found = {}
        for station_id, names in groups.items():
            counted = resolve((name, {LIST: documents[name]}) for name in names if name in documents).get(LIST)
            if counted is None:
                continue
            shared = await self._shared(counted.value, versions[station_id])
            entries, left_out = self._at(shared, versions[station_id], Place(station_id, names))
            gone = withdrawn.get(station_id, set())
            entries = {key: entry for key, entry in entries.items() if key not in gone} if gone else entries
            found[station_id] = Assignment(counted.group, list(counted.conflicts), entries, gone, left_out)
        return found

    async def count(self, rule: ListRule) -> int:
        """IdTokens that a rule comes to at the most."""
        tokens = await lists_store.tokens(self.db, rule)
        return len(listed(rule, tokens, BY_VERSION[RICHEST], self.clock())[0])

    async def _shared(self, document: GroupDocument, version: str) -> Shared:
        key = document.group, version
        if key not in self._read:
            rule = lists_store.rule_of(document)
            tokens = await lists_store.tokens(self.db, rule)
            bound = {name: one for name, one in tokens.items() if is_bound(one)}
            # Those that groups are called by are needed to judge members, and are on no list.
            central = {name: one for name, one in tokens.items() if one.type == CENTRAL}
            free = {name: one for name, one in tokens.items() if name not in bound} | central
            entries, left_out = listed(rule, free, BY_VERSION[version], self.clock())
            self._read[key] = Shared(rule, entries, left_out, bound | central if bound else {})
        return self._read[key]

    def _at(self, shared: Shared, version: str, place: Place) -> tuple[Entries, int]:
        if not shared.bound:
            return shared.entries, shared.left_out
        entries, left_out = listed(shared.rule, shared.bound, BY_VERSION[version], self.clock(), place)
        return {**shared.entries, **entries}, shared.left_out + left_out


def limits_of(stations: Stations, station_id: str) -> Limits:
    """As far as the station has said them."""
    said = stations.capabilities(station_id)
    return Limits(
        said.local_list_entries, MessageLimit(said.local_list_items_per_message, said.local_list_bytes_per_message)
    )
