"""Every metric of the station log."""

from prometheus_client import Counter, Gauge

KEPT = Counter("voltbus_frame_log_entries_total", "frames, connects and disconnects that the station log has kept")
LEFT_OUT = Counter(
    "voltbus_frame_log_left_out_total", "frames that the log left out, because one station sent too many"
)
LAG = Gauge("voltbus_frame_log_lag_records", "records that the station log has not kept yet")
TAILS = Gauge("voltbus_frame_log_tails", "clients that follow the log of a station")
