"""X, played by us: the parts of its API that the connector uses, after X's documentation."""
