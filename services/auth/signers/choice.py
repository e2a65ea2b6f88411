"""Which signer there is, by setting."""

from datetime import timedelta

from services.auth.settings import Settings, SignerKind
from services.auth.signers.authority import OwnAuthority
from services.auth.signers.desk import Desk
from services.auth.signers.signer import Signer
from services.common.process.clock import Clock
from services.common.process.errors import Misconfigured


def signer_of(settings: Settings, clock: Clock) -> Signer | None:
    """None: nothing is signed. Raises Misconfigured."""
    if settings.certificate_signer is SignerKind.NONE:
        return None
    if not settings.cpo_names:
        raise Misconfigured("VOLTBUS_CPO_NAMES: set the organizations that certificates of stations have")
    if settings.certificate_signer is SignerKind.DESK:
        return Desk()
    key = settings.certificate_ca_key.get_secret_value() if settings.certificate_ca_key else None
    return OwnAuthority.load(settings.certificate_ca, key, timedelta(days=settings.certificate_days), clock)
