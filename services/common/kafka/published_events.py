"""Which service publishes which events, and what their key is: a row is needed to publish one. See docs/topics.md."""

from collections.abc import Mapping

from google.protobuf.message import Message

from voltbus.v1 import events_pb2 as pb

STATION = "station_id"
TOKEN = "id_token in lower case"
LOCATION = "location_id"
SITE = "site_id"
GROUP = "group"
REVOCATION = "revocation_id"
AUTHORITY = "authority_id"
WINDOW = "window_id"
PROFILE = "name"
WEBHOOK = "webhook_id"

BY_ALL: Mapping[type[Message], str] = {
    pb.MessageRecorded: STATION,
    pb.CommandChanged: STATION,
    pb.WebhookChanged: WEBHOOK,
    pb.WebhookRemoved: WEBHOOK,
}
PUBLISHED: Mapping[str, Mapping[type[Message], str]] = {
    "auth": {
        pb.StationRegistered: STATION,
        pb.StationChanged: STATION,
        pb.StationRemoved: STATION,
        pb.TokenChanged: TOKEN,
        pb.TokenRemoved: TOKEN,
        pb.LocationChanged: LOCATION,
        pb.LocationRemoved: LOCATION,
        pb.GroupChanged: GROUP,
        pb.GroupLocalListChanged: GROUP,
        pb.GroupLocalListRemoved: GROUP,
        pb.CertificateRevoked: REVOCATION,
        pb.CertificateRevocationWithdrawn: REVOCATION,
        pb.ContractCertificateAsked: STATION,
        pb.AuthorityAdded: AUTHORITY,
        pb.AuthorityRemoved: AUTHORITY,
        pb.CertificateIssued: STATION,
        pb.CertificateInstalled: STATION,
        pb.CertificateRejected: STATION,
        pb.AuthorizationDecided: STATION,
        **BY_ALL,
    },
    "transactions": {
        pb.TransactionStarted: STATION,
        pb.TransactionUpdated: STATION,
        pb.TransactionEnded: STATION,
        pb.TransactionRevised: STATION,
        pb.OrphanStopRecorded: STATION,
        pb.MeterValuesRecorded: STATION,
        **BY_ALL,
    },
    "smartcharging": {
        pb.SiteChanged: SITE,
        pb.ShareChanged: STATION,
        pb.SessionPreferencesChanged: STATION,
        pb.SiteOverCommitted: SITE,
        pb.StoredProfileChanged: PROFILE,
        pb.StoredProfileRemoved: PROFILE,
        **BY_ALL,
    },
    "firmware": {
        pb.StationBooted: STATION,
        pb.BootOrderChanged: STATION,
        pb.StationConnected: STATION,
        pb.StationDisconnected: STATION,
        pb.StationDeviates: STATION,
        pb.ConnectorStatusChanged: STATION,
        pb.ConnectorRemoved: STATION,
        pb.MaintenanceWindowChanged: WINDOW,
        pb.MaintenanceWindowRemoved: WINDOW,
        pb.SecurityEventReported: STATION,
        pb.CertificateRefused: STATION,
        pb.ConfigurationChanged: STATION,
        pb.ConfigurationReported: STATION,
        pb.GroupConfigurationChanged: GROUP,
        pb.GroupConfigurationRemoved: GROUP,
        **BY_ALL,
    },
}


# They say what a registration is, or was, which others know later.
OF_REGISTRATIONS = frozenset({pb.StationRegistered, pb.StationChanged, pb.StationRemoved})


def says_assignment(event: type[Message]) -> bool:
    """Whether an event has groups and location of its station, as it is registered when the event is made."""
    return "groups" in event.DESCRIPTOR.fields_by_name and event not in OF_REGISTRATIONS


def published(service: str) -> Mapping[type[Message], str]:
    """The events of a service and their keys: a service without a row publishes what all do."""
    return PUBLISHED.get(service, BY_ALL)
