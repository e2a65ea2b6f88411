"""The one list of stations: what other services say of them, kept beside the inventory, and how it is asked."""
