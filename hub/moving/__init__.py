"""Carries a company from one engine to the other."""
