"""What an operator runs in production."""
