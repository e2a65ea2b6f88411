"""smartcharging: what stations report about limits, needs and schedules; charging profiles will be decided here."""
