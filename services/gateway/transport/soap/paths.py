"""The addresses of stations that speak SOAP: slashes too many and capitals say nothing."""

from services.ocpp.soap.envelope import Fault, FaultCode, SubCode

NO_ADDRESS = Fault(
    FaultCode.SENDER,
    SubCode.PROTOCOL_ERROR,
    "there is nothing at this address: post to /soap/CentralSystem, and say in chargeBoxIdentity who you are",
)
NO_METHOD = Fault(FaultCode.SENDER, SubCode.PROTOCOL_ERROR, "a message of SOAP is posted")


def version_of_path(path: str) -> str | None:
    """The version that a path names; empty: none. None where there is nothing."""
    match [segment.lower() for segment in path.split("/") if segment]:
        case ["soap", "centralsystem"]:
            return ""
        case ["soap", version, "centralsystem"]:
            return version
    return None
