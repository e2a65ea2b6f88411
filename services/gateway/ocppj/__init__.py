"""OCPP-J without I/O: frames in, actions out."""
