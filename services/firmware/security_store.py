"""SQL of how stations were let in: of each, the connection that was opened last."""

from collections.abc import Iterable
from typing import Any

from services.common.postgres.database import Connection
from services.firmware.domain.messages import ConnectionOpened, Envelope
from services.firmware.domain.security import Certificate, ConnectionSecurity

COLUMNS = (
    *("profile", "tls_version", "tls_cipher"),
    *("certificate_subject", "certificate_issuer", "certificate_serial_number", "certificate_not_after"),
)
# What is read late or again takes no newer one's place.
SAVE = f"""
insert into connection_security as c (station_id, connection_id, opened_at, {", ".join(COLUMNS)})
select station_id, connection_id, opened_at, {", ".join(COLUMNS)}
from unnest($1::text[], $2::text[], $3::timestamptz[], $4::int[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::text[], $10::timestamptz[])
    as u (station_id, connection_id, opened_at, {", ".join(COLUMNS)})
order by station_id
on conflict (station_id) do update set
    connection_id = excluded.connection_id, opened_at = excluded.opened_at,
    {", ".join(f"{name} = excluded.{name}" for name in COLUMNS)}
where c.opened_at < excluded.opened_at"""


async def save(db: Connection, opened: Iterable[tuple[Envelope, ConnectionOpened]]) -> None:
    """Of each station, the newest."""
    newest: dict[str, tuple[object, ...]] = {}
    for envelope, update in sorted(opened, key=lambda one: one[0].at):
        if update.security is not None:
            newest[envelope.station_id] = (
                *(envelope.station_id, envelope.connection_id, envelope.at),
                *_values(update.security),
            )
    if newest:
        await db.execute(SAVE, *(list(column) for column in zip(*newest.values(), strict=True)))


def security(values: Iterable[Any]) -> ConnectionSecurity | None:
    """From COLUMNS; None where nothing is known of the station."""
    profile, version, cipher, *certificate = values
    if profile is None:
        return None
    shown = None if certificate[-1] is None else Certificate(*certificate)
    return ConnectionSecurity(profile, version, cipher, shown)


def _values(said: ConnectionSecurity) -> tuple[object, ...]:
    shown = said.certificate
    certificate = (shown.subject, shown.issuer, shown.serial_number, shown.not_after) if shown else (None,) * 4
    return (said.profile, said.tls_version, said.tls_cipher, *certificate)
