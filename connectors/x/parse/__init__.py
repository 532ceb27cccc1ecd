"""What X gives to interactions, and how it counts. Pure."""
