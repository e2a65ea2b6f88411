"""From a TCP connection to whole messages."""
