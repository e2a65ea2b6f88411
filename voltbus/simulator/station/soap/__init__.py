"""A station that speaks SOAP: its requests over HTTP, and where it listens for commands."""
