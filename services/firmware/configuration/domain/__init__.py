"""Settings, reports of them, and the steps of a change: pure."""
