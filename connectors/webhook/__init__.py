"""Any webhook: what it means is said in the settings."""
