"""Slack, played by us: the parts of its Web API, Events API and Socket Mode that the connector uses, after Slack's documentation."""
