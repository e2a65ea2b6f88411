"""REST of firmware."""
