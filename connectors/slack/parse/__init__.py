"""Slack's payloads to interactions. Pure: no clock, no network, no look-up."""
