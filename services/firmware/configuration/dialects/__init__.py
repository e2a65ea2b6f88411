"""How each version says settings."""
