"""Who may charge, and why: the one rule, and the record of what it decided, for auth and transactions."""
