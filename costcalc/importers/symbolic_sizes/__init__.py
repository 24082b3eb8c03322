"""Symbols for an imported network: the forms of its layers' sizes, found in several runs and checked in others."""
