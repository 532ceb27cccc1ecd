"""Real servers on a developer's machine, without containers: downloaded once, started by one command each."""
