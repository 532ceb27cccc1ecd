"""What is decided: deciders, policies, projections. Pure: no async, no clock, no random, no client, no framework."""
