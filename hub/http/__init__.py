"""The HTTP API, its event streams, health and metrics."""
