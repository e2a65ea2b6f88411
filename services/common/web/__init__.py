"""What every REST API is made of."""
