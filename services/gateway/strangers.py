"""The log of what anybody can cause without a password; the metrics have all of it."""

from services.common.process.sparing import Sparing, SparingLogger

# Lines of one event at once, and seconds for one more.
AT_ONCE, EVERY = 50, 0.2

log = SparingLogger(Sparing(AT_ONCE, EVERY))
