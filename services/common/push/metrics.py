"""Metrics of events that are pushed, each declared once."""

from prometheus_client import Counter, Gauge

CLIENTS = Gauge("voltbus_event_stream_clients", "clients that follow the events of this process")
STREAMED = Counter("voltbus_event_stream_events_total", "events sent to clients that follow")
STALLED = Counter("voltbus_event_stream_stalled_total", "clients that were cut off because they read nothing")
DELIVERIES = Counter("voltbus_webhook_deliveries_total", "tries to deliver an event", ["webhook", "outcome"])
WAITING = Gauge("voltbus_webhook_waiting", "deliveries that wait or are tried again", ["webhook"])
DEAD = Gauge("voltbus_webhook_dead", "deliveries that were given up", ["webhook"])
OLDEST = Gauge("voltbus_webhook_oldest_seconds", "age of the oldest delivery that waits", ["webhook"])
