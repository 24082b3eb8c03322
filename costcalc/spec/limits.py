"""The default limits of specs. It imports nothing, because help texts show these numbers."""

MAX_LAYERS = 100_000  # of a network, with repeats written out
MAX_BYTES = 1_000_000  # of a spec
