"""The wiring of auth, for production and tests alike."""

from collections.abc import Sequence
from datetime import timedelta

from redis.asyncio import Redis

from services.auth import certificate_signing, local_list_returns, local_list_sending, password_changing, rollouts_store
from services.auth.api import TAGS, routers
from services.auth.api.verbs import verbs
from services.auth.certificate_renewal import CertificateRenewal, ending
from services.auth.certificate_signing import OLDEST_WAITING, CertificateSigning
from services.auth.contracts import Contracts
from services.auth.dialects import DIALECTS
from services.auth.downgrading import Downgrading
from services.auth.group_settings import GroupSettings
from services.auth.handlers import Handler
from services.auth.kept import TABLES
from services.auth.local_list_desires import LocalListDesires
from services.auth.local_list_returns import LocalListReturns
from services.auth.local_list_sending import LocalListSending
from services.auth.ocsp_client import OcspClient
from services.auth.outside_authorizer import authorizer_of
from services.auth.outside_verdicts import OutsideVerdicts
from services.auth.password_changing import PasswordChanging
from services.auth.password_rotation import PasswordRotation
from services.auth.passwords import Passwords
from services.auth.pools.choice import pool_of
from services.auth.profile_upgrade import ProfileUpgrade
from services.auth.publication import Publication
from services.auth.remote import RENDERERS
from services.auth.republication import Republication
from services.auth.securing import Securing
from services.auth.settings import Settings
from services.auth.signers.choice import signer_of
from services.auth.signers.desk import Desk
from services.auth.signing_requests_intake import SigningIntake
from services.auth.slow_requests import SlowRequests
from services.auth.store import Store
from services.common.calls.slow_answers import SlowAnswers
from services.common.commands.command import Command
from services.common.kafka.bus import Bus
from services.common.postgres.database import Connection, Database
from services.common.process.clock import Clock
from services.common.process.service import Service
from services.common.process.wakeup import Wakeup
from services.common.web.outbound.client import Outbound
from services.common.wiring import wire
from services.ocpp.sealing import Sealing

NAME = "auth"
# Seconds that one responder has.
OCSP_TIMEOUT = 6.0
# Seconds that a pool of contract certificates has.
POOL_TIMEOUT = 18.0


async def on_ended(db: Connection, commands: Sequence[Command]) -> None:
    """What became of commands, for those who have asked for them."""
    await password_changing.on_ended(db, commands)
    await certificate_signing.on_ended(db, commands)
    await local_list_sending.on_ended(db, commands)


def build(settings: Settings, bus: Bus, database: Database, redis: Redis, clock: Clock) -> Service:
    """The process, not yet started."""
    wiring = wire(NAME, settings, bus, database, redis, clock, renders=RENDERERS, on_ended=on_ended)
    store = Store(database, Publication(settings, wiring.events), wiring.relay.wake)
    signer, wake_signing, wake_lists = signer_of(settings, clock), Wakeup(), Wakeup()
    intake = SigningIntake(settings.cpo_names, open=signer is not None)
    outbound = Outbound(settings.outbound_allow, OCSP_TIMEOUT, plain=True)
    contracts = Contracts(database, OcspClient(outbound, settings.outbound_allow, clock), clock)
    shell, authorizer = wiring.batches(DIALECTS), authorizer_of(settings)
    verdicts = OutsideVerdicts(store, wiring.stations, authorizer, clock)
    pool = pool_of(settings, Outbound(settings.outbound_allow, POOL_TIMEOUT))
    slow = SlowRequests(store, contracts, verdicts, pool, wiring.stations, clock)
    answers = SlowAnswers(database, shell, slow.asks, slow.give_up, clock, wiring.relay.wake)
    handler = Handler(
        store,
        wiring.stations,
        shell,
        intake,
        wake_signing,
        answers.wake,
        wake_lists,
        has_authorizer=authorizer is not None,
    )
    consumer, group_settings = wiring.consumer(handler.handle), GroupSettings(store, wiring.announcer, clock)
    republication = Republication(store)
    passwords, sealing = Passwords(*settings.password_keys), Sealing(*settings.password_keys)
    signing = CertificateSigning(store, wiring.command_service, signer or Desk(), clock, wake_signing)
    before = timedelta(days=settings.certificate_renew_days)
    renewal = CertificateRenewal(
        store, wiring.command_service, wiring.routes, clock, before, settings.certificate_renewals
    )
    lists = LocalListSending(
        store=store,
        command_service=wiring.command_service,
        routes=wiring.routes,
        clock=clock,
        most=settings.local_list_stations,
        wake=wake_lists,
    )
    desires = LocalListDesires(
        store=store, stations=wiring.stations, announcer=wiring.announcer, clock=clock, wake=wake_lists
    )
    returns = LocalListReturns(store, wiring.topics.dead, clock)
    changing = PasswordChanging(store, wiring.command_service, passwords, sealing, clock)

    return wiring.service(
        consumer,
        routers(store, group_settings, passwords, changing, signing, desires, wiring.stations, wiring.access, clock),
        description="Who may connect and who may charge: stations with their passwords, and idTokens.",
        tables=TABLES,
        tags=TAGS,
        verbs=verbs(clock),
        tasks={
            "groups": group_settings.run,
            "passwords": changing.run,
            "rotations": PasswordRotation(store, changing, wiring.routes, clock).run,
            "upgrades": ProfileUpgrade(store, wiring.command_service, wiring.routes, clock).run,
            "profiles": Securing(store, clock).run,
            "downgrades": Downgrading(store, wiring.stations, clock).run,
            "certificates": signing.run,
            "answers": answers.run,
            "verdicts": verdicts.run,
            "local lists": lists.run,
            **({"renewal": renewal.run} if before and signer else {}),
        },
        measures=(ending(before), OLDEST_WAITING, rollouts_store.MEASURE),
        checks={"publication": republication.ready},
        opens=(republication.open,),
        readers={
            "returns": wiring.reader(
                "lists", [wiring.topics.connections], returns.handle, linger=local_list_returns.LINGER
            )
        },
    )
