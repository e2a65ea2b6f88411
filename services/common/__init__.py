"""What everyone needs to run: Kafka, Postgres, HTTP, metrics, logs, settings. No word of OCPP."""
