"""The console: what agents meet. Server-rendered pages that work without scripts; scripts make them live and quick."""
