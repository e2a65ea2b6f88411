"""What people type and import: the command, the laptop stack, simulated stations, the lab, the messages on Kafka."""
