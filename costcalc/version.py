"""The version of costcalc."""

__version__ = "0.1.0"  # as in pyproject.toml; reading it from the installed package takes longer than a count
