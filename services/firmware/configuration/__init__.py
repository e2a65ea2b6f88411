"""Configuration: the settings of each station, and what is desired of them."""
