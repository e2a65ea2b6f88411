"""Why stations are not let in: a closed list."""

from enum import StrEnum


class RefusalReason(StrEnum):
    """Why a station is not let in; QUARANTINED: it is, only to be seen. TOO_MANY_WRONG_PASSWORDS: and told to wait.

    UNUSABLE_ID: what it says can be no id. TOO_OFTEN: it connects in a loop. ID_IN_USE: several devices have the id,
    and one of them is connected and answers.
    """

    UNKNOWN_STATION = "unknown_station"
    NO_PASSWORD = "no_password"
    WRONG_PASSWORD = "wrong_password"
    TOO_MANY_WRONG_PASSWORDS = "too_many_wrong_passwords"
    AMBIGUOUS_ID = "ambiguous_id"
    UNUSABLE_ID = "unusable_id"
    LOW_PROFILE = "low_security_profile"
    NO_CERTIFICATE = "no_certificate"
    FOREIGN_CERTIFICATE = "foreign_certificate"
    CERTIFICATE_OF_ANOTHER = "certificate_of_another"
    EXPIRED_CERTIFICATE = "expired_certificate"
    REVOKED_CERTIFICATE = "revoked_certificate"
    UNTRUSTED_CERTIFICATE = "untrusted_certificate"
    OTHER_SERIAL_NUMBER = "other_serial_number"
    TOO_OFTEN = "too_often"
    ID_IN_USE = "id_in_use"
    NO_SUBPROTOCOL = "no_subprotocol"
    QUARANTINED = "quarantined"


# Of ids that nobody has registered, so that anybody can make them up.
STRANGERS = (
    RefusalReason.UNKNOWN_STATION,
    RefusalReason.AMBIGUOUS_ID,
    RefusalReason.UNUSABLE_ID,
    RefusalReason.QUARANTINED,
)
