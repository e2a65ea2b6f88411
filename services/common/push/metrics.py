"""Metrics of events that are pushed, each declared once."""

from prometheus_client import Counter, Gauge

CLIENTS = Gauge("voltbus_event_stream_clients", "clients that follow the events of this process")
STREAMED = Counter("voltbus_event_stream_events_total", "events sent to clients that follow")
STALLED = Counter("voltbus_event_stream_stalled_total", "clients that were cut off because they read nothing")
