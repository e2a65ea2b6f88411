"""The decisions of firmware: pure."""
