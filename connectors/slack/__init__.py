"""Slack: the Events API and Socket Mode in, the Web API out."""
