"""Of every call that changes something it is said where its author is kept, and there it is kept."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import pytest
from google.protobuf.message import Message

from services.common.kafka.published_events import published
from services.common.process.service import Service
from services.common.testing.memory import MemoryBus
from services.common.web.access import _caller
from tests.conftest import SECRETS
from tests.integration.rest.serving import BUILDS, built
from tests.unit.together.test_access import _shown, calls, routes
from voltbus.v1 import events_pb2 as pb


class Rest(NamedTuple):
    """A model of REST, by the field that names the author."""

    model: str
    field: str = "author"


class Told(NamedTuple):
    """An event, by the field that names the author."""

    event: type[Message]
    field: str = "author"


Places: TypeAlias = tuple[Rest | Told, ...]
COMMAND = (Rest("CommandStatus"), Told(pb.CommandChanged))
CANCELLED = (Rest("CommandStatus", "cancelled_by"), Told(pb.CommandChanged, "cancelled_by"))
BATCH = (Rest("BatchStatus"), Told(pb.CommandChanged))
WEBHOOK = (Rest("WebhookView"), Told(pb.WebhookChanged))
# Nothing is changed: it is in the log of the service.
LOGGED: Places = ()

BY_ALL: Mapping[str, Places] = {
    "PUT /v1/webhooks/{webhook_id}": WEBHOOK,
    "DELETE /v1/webhooks/{webhook_id}": (Told(pb.WebhookRemoved),),
    "POST /v1/webhooks/{webhook_id}/test": LOGGED,
    "POST /v1/webhooks/{webhook_id}/resend": LOGGED,
    "POST /v1/webhooks/{webhook_id}/deliveries/{event_id}/resend": LOGGED,
    "POST /v1/stations/{station_id}/commands/{action}": COMMAND,
    "POST /v1/commands/{action}": BATCH,
    "POST /v1/commands/{command_id}/cancel": CANCELLED,
    "POST /v1/batches/{batch_id}/cancel": CANCELLED,
}
KEPT: Mapping[str, Mapping[str, Places]] = {
    "auth": {
        "POST /v1/stations/import": (Rest("StationView"), Told(pb.StationRegistered), Told(pb.StationChanged)),
        "POST /v1/tokens/import": (Rest("TokenView"), Told(pb.TokenChanged)),
        "POST /v1/locations/import": (Rest("LocationView"), Told(pb.LocationChanged)),
        "PUT /v1/stations/{station_id}": (Rest("StationView"), Told(pb.StationRegistered), Told(pb.StationChanged)),
        "PATCH /v1/stations/{station_id}": (Rest("StationView"), Told(pb.StationChanged)),
        "DELETE /v1/stations/{station_id}": (Told(pb.StationRemoved),),
        "POST /v1/stations/refused/{station_id}/accept": (Rest("StationView"), Told(pb.StationRegistered)),
        "PATCH /v1/stations": (Rest("StationView"), Told(pb.StationChanged)),
        "POST /v1/stations/{station_id}/password": (Rest("StationView"), Told(pb.StationChanged)),
        "POST /v1/stations/{station_id}/password/change": COMMAND,
        "POST /v1/stations/{station_id}/security-profile": (Rest("StationView"), Told(pb.StationChanged)),
        "PUT /v1/password-rotations/{id}": (Rest("RotationView"),),
        "POST /v1/password-rotations/{id}/stop": (Rest("RotationView"),),
        "POST /v1/password-rotations/{id}/resume": (Rest("RotationView"),),
        "PUT /v1/security-profile-upgrades/{id}": (Rest("UpgradeView"),),
        "POST /v1/security-profile-upgrades/{id}/stop": (Rest("UpgradeView"),),
        "POST /v1/security-profile-upgrades/{id}/resume": (Rest("UpgradeView"),),
        "POST /v1/revoked-certificates": (Rest("RevocationView"), Told(pb.CertificateRevoked)),
        "DELETE /v1/revoked-certificates/{id}": (Told(pb.CertificateRevocationWithdrawn),),
        "POST /v1/certificates/authorities": (Rest("AuthorityView"), Told(pb.AuthorityAdded)),
        "DELETE /v1/certificates/authorities/{id}": (Told(pb.AuthorityRemoved),),
        "POST /v1/certificates/requests/{id}/chain": (Rest("SigningRequestView"), Told(pb.CertificateIssued)),
        "POST /v1/certificates/requests/{id}/refuse": (Rest("SigningRequestView"), Told(pb.CertificateRejected)),
        "POST /v1/tokens/unknown/{number}/accept": (Rest("TokenView"), Told(pb.TokenChanged)),
        "PUT /v1/tokens/{id_token}": (Rest("TokenView"), Told(pb.TokenChanged)),
        "PATCH /v1/tokens/{id_token}": (Rest("TokenView"), Told(pb.TokenChanged)),
        "DELETE /v1/tokens/{id_token}": (Told(pb.TokenRemoved),),
        "PUT /v1/locations/{location_id}": (Rest("LocationView"), Told(pb.LocationChanged)),
        "PATCH /v1/locations/{location_id}": (Rest("LocationView"), Told(pb.LocationChanged)),
        "DELETE /v1/locations/{location_id}": (Told(pb.LocationRemoved),),
        "PUT /v1/groups/{group}": (Rest("GroupView"), Told(pb.GroupChanged)),
        "PUT /v1/groups/{group}/local-list": (Rest("LocalListView"), Told(pb.GroupLocalListChanged)),
        "DELETE /v1/groups/{group}/local-list": (Told(pb.GroupLocalListRemoved),),
        "POST /v1/stations/{station_id}/clear-cache": COMMAND,
        "POST /v1/stations/{station_id}/install-root": COMMAND,
        "POST /v1/clear-cache": BATCH,
        "POST /v1/install-root": BATCH,
    },
    "transactions": {
        "POST /v1/transactions/{id}/close": (Rest("RevisionView"), Told(pb.TransactionEnded)),
        "POST /v1/transactions/{id}/review": (Rest("RevisionView"), Told(pb.TransactionRevised)),
        # Events have it in their transaction, as `limit.author`.
        "PUT /v1/transactions/{id}/limit": (Rest("LimitView"),),
        "POST /v1/stations/{station_id}/start": COMMAND,
        "POST /v1/stations/{station_id}/stop": COMMAND,
    },
    "smartcharging": {
        "PUT /v1/sites/{site_id}": (Rest("SiteView"), Told(pb.SiteChanged)),
        "DELETE /v1/sites/{site_id}": (Told(pb.SiteChanged),),
        "PUT /v1/sites/{site_id}/sessions/{session}": (
            Rest("SessionView", "preferences_author"),
            Told(pb.SessionPreferencesChanged),
        ),
        "POST /v1/stations/{station_id}/profiles": COMMAND,
        "DELETE /v1/stations/{station_id}/profiles": COMMAND,
        "POST /v1/stations/{station_id}/profiles/report": COMMAND,
        "PUT /v1/profiles/{name}": (Rest("StoredView"), Told(pb.StoredProfileChanged)),
        "DELETE /v1/profiles/{name}": (Told(pb.StoredProfileRemoved),),
    },
    "firmware": {
        "PUT /v1/stations/{station_id}/boot": (Rest("StationView", "boot_order_author"), Told(pb.BootOrderChanged)),
        "DELETE /v1/stations/{station_id}/boot": (Rest("StationView", "boot_order_author"), Told(pb.BootOrderChanged)),
        "DELETE /v1/stations/{station_id}/connectors/{evse_id}/{connector_id}": (Told(pb.ConnectorRemoved),),
        "POST /v1/stations/{station_id}/disconnect": (Rest("DisconnectionView"),),
        "PUT /v1/maintenance-windows/{window_id}": (Rest("WindowView"), Told(pb.MaintenanceWindowChanged)),
        "DELETE /v1/maintenance-windows/{window_id}": (Told(pb.MaintenanceWindowRemoved),),
        "PUT /v1/stations/{station_id}/configuration": COMMAND,
        "POST /v1/stations/{station_id}/configuration/refresh": COMMAND,
        "PUT /v1/groups/{group}/configuration": (Rest("GroupView"), Told(pb.GroupConfigurationChanged)),
        "DELETE /v1/groups/{group}/configuration": (Told(pb.GroupConfigurationRemoved),),
        "POST /v1/stations/{station_id}/reset": COMMAND,
        "POST /v1/reset": BATCH,
        "POST /v1/stations/{station_id}/unlock": COMMAND,
        "POST /v1/unlock": BATCH,
        "POST /v1/stations/{station_id}/availability": COMMAND,
        "POST /v1/availability": BATCH,
        "POST /v1/stations/{station_id}/trigger": COMMAND,
        "POST /v1/trigger": BATCH,
    },
}


@pytest.fixture(scope="module")
def services() -> Mapping[str, Service]:
    return {name: built(name, SECRETS, MemoryBus()) for name in BUILDS}


def writing(service: Service) -> Iterator[tuple[str, Any]]:
    for path, context in routes(service):
        for method in (context.methods or set()) - {"GET", "HEAD"}:
            yield f"{method} {_shown(path)}", getattr(context, "dependant", None)


@pytest.mark.parametrize("name", BUILDS)
def test_every_call_that_changes_something_is_listed(services: Mapping[str, Service], name: str) -> None:
    assert {call for call, _ in writing(services[name])} == {*BY_ALL, *KEPT[name]}


def test_nothing_is_changed_by_a_gateway() -> None:
    assert not [call for call, _ in writing(built("gateway", SECRETS, MemoryBus())) if " /v1" in call]


@pytest.mark.parametrize("name", BUILDS)
def test_each_asks_who_calls(services: Mapping[str, Service], name: str) -> None:
    """Whether it asks for the author, or for the caller, who has one."""
    for call, dependant in writing(services[name]):
        caller = calls(dependant, _caller) or _annotated(dependant)
        assert caller, call


@pytest.mark.parametrize("name", BUILDS)
def test_there_it_has_its_place(services: Mapping[str, Service], name: str) -> None:
    models = services[name].app.openapi()["components"]["schemas"]
    for call, places in {**BY_ALL, **KEPT[name]}.items():
        for place in places:
            if isinstance(place, Rest):
                assert place.field in models[place.model]["properties"], call
            else:
                assert place.event in published(name), call
                assert place.field in place.event.DESCRIPTOR.fields_by_name, call


def test_every_event_that_names_its_author_is_on_the_page() -> None:
    page = (Path(__file__).parents[3] / "docs/access.md").read_text()
    named = {event for service in BUILDS for event in published(service) if "author" in event.DESCRIPTOR.fields_by_name}
    assert {event.DESCRIPTOR.name for event in named if f"`{event.DESCRIPTOR.name}`" not in page} == set()
    listed = {one.event for name in BUILDS for places in {**BY_ALL, **KEPT[name]}.values() for one in _told(places)}
    assert listed == named, "each is told of some call"


def _told(places: Places) -> Iterator[Told]:
    return (one for one in places if isinstance(one, Told))


def _annotated(dependant: Any) -> bool:
    """Whether the route takes its requirement's caller itself, as what needs a name does."""
    return any(one.name == "caller" for one in dependant.dependencies)
