"""The embedded engine: log, states, timelines, search and blobs in one SQLite file. `engine.open_engine` is the way in."""
