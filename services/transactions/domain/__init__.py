"""What a transaction is, and what becomes of it with everything a station reports. Pure: no I/O, no clock."""
