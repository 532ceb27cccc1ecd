"""From the bytes of a post to an interaction. Pure: no clock, no chance, no input or output."""
