"""The command line: parse, call, print. Whatever a command does, two lines of Python can do."""

from costcalc.cli.app import run

__all__ = ["run"]
