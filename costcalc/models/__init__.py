"""What every analysis is about: architectures, their knobs, and models, which are architectures with knobs set.

A spec (spec_architecture.py) is one kind of architecture, a reader's own layer graph (graph_architecture.py) another.
"""
