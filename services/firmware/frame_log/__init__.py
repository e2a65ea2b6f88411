"""The station log: every frame of a station, both directions, as it was, without what is secret."""
