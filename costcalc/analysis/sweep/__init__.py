"""Sweeps: what a network costs at every point of a grid of its knobs, block by block."""
