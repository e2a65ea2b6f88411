"""Settings of auth, read once from the environment; secrets also from files (VOLTBUS_…_FILE)."""

from enum import StrEnum

from pydantic import Field, SecretStr

from services.common.process.settings import Names, PasswordKeys


class SignerKind(StrEnum):
    """Who signs certificates of stations."""

    NONE = "none"
    CA = "ca"
    DESK = "desk"


class Settings(PasswordKeys):
    """VOLTBUS_… of this service, beside those that all processes share."""

    decision_days: float = Field(
        30, ge=8, description="how long decisions about idTokens are kept; longer than Kafka keeps calls"
    )
    cpo_names: Names = Field(
        (), description="organization names, one of which the certificate of a station must have (A00.FR.404)"
    )
    certificate_signer: SignerKind = Field(
        SignerKind.NONE,
        description="who signs certificates of stations: none, ca (certificate_ca), desk (operators, by REST)",
    )
    certificate_ca: str | None = Field(
        None,
        description="PEM of the CA that signs certificates of stations, and of the chain above it but for the root",
    )
    certificate_ca_key: SecretStr | None = Field(None, description="PEM of its key, RSA or ECDSA, without a password")
    certificate_days: float = Field(
        365, ge=1, le=3650, description="for how long a certificate is valid that this CA signs"
    )
