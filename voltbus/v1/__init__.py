"""The messages on Kafka, generated from proto/: `from voltbus.v1 import events_pb2`."""
