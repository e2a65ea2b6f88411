"""What makes a process: settings, logs, metrics, time, errors, and the loop that runs it."""
