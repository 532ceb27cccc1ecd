"""What is said: events, commands, documents, topics, errors, ids and ports. No input or output, nothing of ours imported."""
