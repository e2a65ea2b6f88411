"""What measures and breaks us."""
