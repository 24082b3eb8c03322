"""A reader's project: its pyproject.toml, the networks and budgets in it, and its history in git."""
