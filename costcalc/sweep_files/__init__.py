"""Sweeps in files: the request, the rows of each format, and the journal that `--resume` reads."""
