"""Drawings of networks: boxes, wires and frames with places, as data, and their plain formats."""
