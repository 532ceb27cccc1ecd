"""The same topic and the same small work by other frameworks, as their tutorials show it. They run in an environment of their own.

Work: read a JSON document, keep it in MongoDB under its id, publish a word about it. Arguments: server, topic, out, store, group.
"""
