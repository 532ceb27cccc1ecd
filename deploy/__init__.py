"""How Hubbub is put to work: servers for a developer's machine, and what operators start from."""
