"""`make bench`: what a message costs, in time and CPU, with the domain and without it."""
