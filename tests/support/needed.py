"""What a test needs beside costcalc itself: it is there, or the test is skipped with the way to get it."""

import shutil

import pytest


def module(name, extra):
    """A module that an extra of costcalc brings."""
    return pytest.importorskip(name, reason=f"{name} is not installed; pip install 'costcalc[{extra}]'")


def program(name, package):
    """The path of a program that a package of Debian and Ubuntu brings."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed; apt install {package}")
    return found
