"""`hubbub demo`: a small company with real mail and real forms, on this machine, in under a minute."""

from hub.demo.run import main

__all__ = ["main"]
