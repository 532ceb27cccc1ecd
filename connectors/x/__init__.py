"""X: mentions, replies and direct messages in, posts and messages out."""
