"""OCPP over SOAP: stations ask by HTTP, and are called back at the address that they give."""
