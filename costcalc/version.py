"""Which costcalc this is."""

__version__ = "0.1.0"  # as in pyproject.toml; asking the installed package takes longer than any count
