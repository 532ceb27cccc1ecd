"""A foreign site, played by us."""
