"""Where results land: the engines, outbound (the sending state machine), webhooks to integrators."""
