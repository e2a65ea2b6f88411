"""CALLs of stations: read, answered, logged; and what is known of stations."""
