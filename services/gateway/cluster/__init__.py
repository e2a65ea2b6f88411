"""What gateways share in Redis: slots, and which station is where."""
