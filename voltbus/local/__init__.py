"""The real Postgres, Redis and Kafka from their wheels, and the supervisor that runs Voltbus on one machine."""
