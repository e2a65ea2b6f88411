"""Records: the bus that everybody speaks to, the broker behind it, consumers, tables, events."""
