"""Who signs certificates of stations: a CA of one's own, a desk, an EST server; behind one protocol."""
