"""Many chargers to watch: `voltbus fleet` lets them live through days of drivers, faults and lost connections."""
