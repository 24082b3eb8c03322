"""Writing files so that the old one is whole until the new one is."""

from costcalc.files import write

__all__ = ["write"]
