"""OCPP over SOAP: envelopes and the messages of 1.5 and 1.6 as tables, to and from JSON of OCPP-J. No I/O."""
