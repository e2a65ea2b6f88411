"""HTTP to addresses that somebody else has chosen: which are allowed, and how long it may take."""
