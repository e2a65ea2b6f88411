"""Connection ids, `<gateway>-<number>`: unique for all time, and they say which gateway process a connection is of."""


def connection_id(gateway: str, number: int) -> str:
    """gateway: the nonce of the process, by which it also owns its slot; there is no "-" in it."""
    return f"{gateway}-{number}"


def gateway_of(connection_id: str) -> str:
    """The nonce of the process that has or had the connection."""
    return connection_id.partition("-")[0]
