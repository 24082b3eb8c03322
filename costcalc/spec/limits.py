"""How much is read and built unless someone says otherwise. Imports nothing: help texts show these numbers."""

MAX_LAYERS = 100_000  # of a network, repeats written out
MAX_BYTES = 1_000_000  # of a spec
