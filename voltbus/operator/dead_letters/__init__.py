"""`voltbus dead`: what the services have put aside, seen by an operator and sent back where it came from."""
