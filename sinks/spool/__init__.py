"""Where intake keeps items while the log or the store does not take them, until it can."""
