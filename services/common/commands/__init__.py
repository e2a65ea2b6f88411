"""Commands to stations: accepted, sent, answered; one catalogue, one life."""
