"""Sweeps in files: what is asked for, the rows of each format, and the journal that `--resume` reads."""
