"""REST of what stations of every version can be asked: the bodies."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from services.auth.domain.roots import RootType, UnfitRoot, root
from services.auth.remote import INSTALL_ROOT
from services.common.commands.api.verbs import Nothing, Verb, example
from services.common.process.clock import Clock

EXAMPLE = "-----BEGIN CERTIFICATE-----\nMIIB…\n-----END CERTIFICATE-----\n"
CLEAR_CACHE = Verb(
    "clear-cache", "ClearCache", Nothing, "Clears what the station remembers of idTokens, so that it asks again."
)


def verbs(clock: Clock) -> tuple[Verb, ...]:
    """What has expired is refused, by this clock."""

    def fit(pem: str) -> str:
        try:
            return root(pem, clock())
        except UnfitRoot as error:
            raise ValueError(str(error)) from None

    class InstallRootBody(BaseModel):
        """A root certificate, and what the station checks by it."""

        model_config = example(type="csms", certificate=EXAMPLE)

        type: RootType = Field(
            description="csms: that of gateways; manufacturer: firmware; v2g, mobility_operator (not in OCPP 1.6), "
            "oem (of OCPP 2.1): what vehicles show"
        )
        certificate: Annotated[str, StringConstraints(min_length=1, max_length=20_000), AfterValidator(fit)] = Field(
            description="of the CA, in PEM: one"
        )

    meaning = "Installs a root certificate that the station trusts from then on, beside those that it has."
    return CLEAR_CACHE, Verb("install-root", INSTALL_ROOT, InstallRootBody, meaning)
