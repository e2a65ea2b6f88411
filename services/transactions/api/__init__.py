"""REST of transactions."""
