"""`make chaos`: parts are killed, frozen and cut off under load, and afterwards nothing may be missing."""
