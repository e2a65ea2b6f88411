"""Events for systems without Kafka: server-sent events and webhooks, the same for every service."""
