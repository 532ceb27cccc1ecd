"""`hubbub`, the command. `main` is the whole of it; each command is imported when it runs, so that the prompt is fast."""

from hub.cli.group import main

__all__ = ["main"]
