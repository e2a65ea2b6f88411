"""Configuration: the picture of each station's settings, and what is desired of them."""
