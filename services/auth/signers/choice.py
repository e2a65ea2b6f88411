"""Which signer there is, by setting."""

from datetime import timedelta

from pydantic import SecretStr

from services.auth.settings import Settings, SignerKind
from services.auth.signers.authority import OwnAuthority
from services.auth.signers.desk import Desk
from services.auth.signers.est import EstServer, est_server
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
    if settings.certificate_signer is SignerKind.EST:
        return _est(settings)
    key = _open(settings.certificate_ca_key)
    return OwnAuthority.load(settings.certificate_ca, key, timedelta(days=settings.certificate_days), clock)


def _est(settings: Settings) -> EstServer:
    password = _open(settings.certificate_est_password)
    login = (settings.certificate_est_username, password) if settings.certificate_est_username and password else None
    return est_server(
        settings.certificate_est_url,
        settings.certificate_est_ca,
        login,
        settings.certificate_est_certificate,
        _open(settings.certificate_est_key),
    )


def _open(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None
