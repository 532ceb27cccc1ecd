"""Measurements of the engine on Kafka and a server of MongoDB's protocol. Every figure names its database server."""
