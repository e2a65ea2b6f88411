"""Services that break a promise on purpose, so that it can be shown that the checker of `make chaos` sees it."""
