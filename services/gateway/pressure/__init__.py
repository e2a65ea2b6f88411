"""Who may send how fast."""
