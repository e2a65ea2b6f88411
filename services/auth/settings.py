"""Settings of auth, read once from the environment; secrets also from files (VOLTBUS_…_FILE)."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, SecretStr

from services.common.process.settings import Names, PasswordKeys, address

EST_SERVER = address(("https",), "https://ca.example/.well-known/est")
POOL = address(("https", "http"), "https://pool.example")

AUTHORIZER_EXAMPLE = "https://roaming.example/authorize"
AUTHORIZER = address(("https", "http"), AUTHORIZER_EXAMPLE)


class SignerKind(StrEnum):
    """Who signs certificates of stations."""

    NONE = "none"
    CA = "ca"
    DESK = "desk"
    EST = "est"


class PoolKind(StrEnum):
    """Who has contract certificates of vehicles."""

    NONE = "none"
    OPCP = "opcp"


class Settings(PasswordKeys):
    """VOLTBUS_… of this service, beside those that all processes share."""

    decision_days: float = Field(
        30, ge=8, description="how long decisions about idTokens are kept; longer than Kafka keeps calls"
    )
    cpo_names: Names = Field(
        (), description="organization names, one of which the certificate of a station must have (A00.FR.404)"
    )
    authorizer_url: Annotated[str | None, AUTHORIZER] = Field(
        None, description="who is asked about idTokens that are not registered, by HTTP POST; such as of roaming"
    )
    authorizer_token: SecretStr | None = Field(None, description="bearer token by which it knows us")
    authorizer_timeout: float = Field(5, ge=0.5, le=15, description="seconds that it has for an answer")
    certificate_signer: SignerKind = Field(
        SignerKind.NONE,
        description="who signs certificates of stations: none, ca (certificate_ca), desk (operators, by REST), est",
    )
    certificate_ca: str | None = Field(
        None,
        description="PEM of the CA that signs certificates of stations, and of the chain above it but for the root",
    )
    certificate_ca_key: SecretStr | None = Field(None, description="PEM of its key, RSA or ECDSA, without a password")
    certificate_days: float = Field(
        365, ge=1, le=3650, description="for how long a certificate is valid that this CA signs"
    )
    certificate_renew_days: float = Field(
        30, ge=0, le=3650, description="how long before its end a station is asked to renew a certificate; 0: never"
    )
    certificate_renewals: int = Field(20, ge=1, description="stations that are asked so at a time")
    local_list_stations: int = Field(
        50, ge=0, description="stations that are asked about, or sent, local authorization lists at a time; 0: none is"
    )
    certificate_est_url: Annotated[str | None, EST_SERVER] = Field(
        None, description="EST server (RFC 7030) that signs certificates of stations, such as …/.well-known/est"
    )
    certificate_est_ca: str | None = Field(None, description="PEM of the CA of its certificate; those of the system")
    certificate_est_username: str | None = Field(None, description="user by whom it knows us; or a client certificate")
    certificate_est_password: SecretStr | None = Field(None, description="password of that user")
    certificate_est_certificate: str | None = Field(None, description="PEM of the client certificate and its chain")
    certificate_est_key: SecretStr | None = Field(None, description="PEM of its key, without a password")
    contract_pool: PoolKind = Field(
        PoolKind.NONE, description="who has contract certificates of vehicles: none, opcp (contract_pool_url)"
    )
    contract_pool_url: Annotated[str | None, POOL] = Field(
        None, description="pool of contract certificates, what stands before /v1/ccp/signedContractData"
    )
    contract_pool_token: SecretStr | None = Field(None, description="bearer token by which the pool knows us")
