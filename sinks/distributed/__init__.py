"""The engine port on Kafka and MongoDB together."""
