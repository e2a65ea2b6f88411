"""REST of auth: stations, idTokens, and the messages that were recorded."""

from collections.abc import Sequence

from fastapi import APIRouter

from services.auth.api import (
    authorities,
    certificates,
    files,
    groups,
    local_lists,
    locations,
    password_rotations,
    profile_upgrades,
    revocations,
    stations,
    tokens,
    unknown_tokens,
)
from services.auth.api import passwords as passwords_api
from services.auth.api.fields import READ
from services.auth.certificate_signing import CertificateSigning
from services.auth.group_settings import GroupSettings
from services.auth.local_list_desires import LocalListDesires
from services.auth.password_changing import PasswordChanging
from services.auth.passwords import Passwords
from services.auth.store import Store
from services.common.authorization import api as decisions
from services.common.calls import message_log_api
from services.common.calls.stations import Stations
from services.common.process.clock import Clock
from services.common.web.access import Access

TAGS = decisions.TAGS | {
    "stations": "Stations that may connect, and their passwords.",
    "tokens": "IdTokens: who may charge.",
    "certificates": "Certificates: what stations want signed, what was issued or revoked, and which CAs are trusted.",
    "locations": "Where stations are.",
    "local lists": "Local authorization lists: what stations decide by while nobody can be asked.",
    "groups": "What stations are chosen by, and what holds for all of one.",
}


def routers(
    store: Store,
    group_settings: GroupSettings,
    passwords: Passwords,
    changing: PasswordChanging,
    signing: CertificateSigning,
    desires: LocalListDesires,
    known: Stations,
    access: Access,
    clock: Clock,
) -> Sequence[APIRouter]:
    """All that auth serves under /v1."""
    return (
        files.router(store, passwords, access, clock),
        stations.router(store, passwords, changing, known, access, clock),
        passwords_api.router(changing, known, access),
        password_rotations.router(store, access, clock),
        profile_upgrades.router(store, access, clock),
        revocations.router(store, access, clock),
        authorities.router(store, access, clock),
        certificates.router(signing, access),
        unknown_tokens.router(store, access, clock),
        tokens.router(store, access, clock),
        decisions.router(store.database, access, "auth"),
        locations.router(store, access, clock),
        local_lists.router(desires, known, access),
        groups.router(store, group_settings, access),
        message_log_api.router(store.database, access, READ),
    )
