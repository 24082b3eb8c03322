"""Modules and programs that a test needs. If one is missing the test is skipped, and says how to install it."""

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
