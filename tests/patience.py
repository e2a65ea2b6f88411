"""How long tests wait."""

# Seconds after which a test gives up: far more than the slowest machine needs, whose speed is not what is shown.
GIVE_UP = 120.0
