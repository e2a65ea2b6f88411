"""What makes a process: settings, logs, metrics, time, errors, and the loop that runs it."""

import sys

# redis-py loads the SDK of OpenTelemetry wherever it is installed: 3 MB, for metrics that nobody asks of it. otlp.py
# takes this away, where traces are on.
sys.modules.setdefault("opentelemetry.sdk", None)  # type: ignore[arg-type]
