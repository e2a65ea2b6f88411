"""Webhooks: events that are posted to addresses which operators have chosen."""
