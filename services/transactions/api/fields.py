"""Scopes and problems of transactions' REST API."""

READ, WRITE = "transactions:read", "transactions:write"
MISSING = "there is no such transaction"
