"""Writes networks as files: a spec that reads like one written by hand, or a drawing."""
