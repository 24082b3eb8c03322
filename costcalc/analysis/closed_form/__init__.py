"""Closed forms: a cost as an expression in the knobs, collected, written out, bounded, divided by another."""
