"""smartcharging: sites, whose stations share a limit; charging profiles; what stations report about both."""
