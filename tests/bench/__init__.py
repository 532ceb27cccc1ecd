"""Measurements: `python -m tests.bench` prints one JSON object. Each figure stands beside the limit of its parts, measured in the same run."""
