"""The gateway: WebSocket connections of stations on one side, records on Kafka on the other. Owns no state."""
