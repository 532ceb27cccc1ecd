"""A system that sends webhooks and takes answers, played by us."""
