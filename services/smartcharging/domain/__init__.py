"""The decisions of smartcharging: pure."""
