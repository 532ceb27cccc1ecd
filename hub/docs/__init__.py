"""What docs/ holds that is made from the code: `python -m hub.docs` writes it, `python -m hub.docs --check` says what is stale."""
