"""What everyone knows about OCPP: versions, actions, schemas, error codes, id tokens. No I/O but reading schemas."""
