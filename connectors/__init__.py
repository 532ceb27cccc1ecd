"""The outside world, in and out. `kit` is what channels share; one folder a channel."""
