"""What gateways share in Redis: slots, and routes to stations."""
