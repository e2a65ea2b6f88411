"""`make chaos`: processes are killed, frozen and cut off under load; nothing acknowledged may be lost."""
