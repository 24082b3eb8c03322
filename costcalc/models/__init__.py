"""Architectures, their knobs, and models: architectures with knobs set. Every analysis takes a model.

A spec (spec_architecture.py) is one kind of architecture, a reader's own layer graph (graph_architecture.py) another.
"""
