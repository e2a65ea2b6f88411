"""Voltbus: a gateway and four services that stand on Kafka, Postgres and Redis."""
