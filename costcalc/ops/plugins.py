"""Ops from elsewhere: of installed packages, by their entry points, and of a file that the command line names.

A spec or a configuration never names code to run. A package that has ops says so in its own pyproject.toml:

    [project.entry-points."costcalc.ops"]
    my_ops = "my_package.ops"

It is imported when a spec names an op that costcalc has not.
"""

from __future__ import annotations

import sys
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from costcalc.errors import UsageError, why
from costcalc.ops.base import OPS

GROUP = "costcalc.ops"


@cache
def load_plugins() -> None:
    """Imports the ops of installed packages, once. Raises UsageError for one that cannot be imported."""
    from importlib.metadata import entry_points  # which takes longer than most specs

    for point in entry_points(group=GROUP):
        try:
            point.load()
        except Exception as error:
            package = point.dist.name if point.dist else point.value
            raise UsageError(
                f"the package {package} has ops that cannot be imported: {why(error)}; mend or remove it"
            ) from error


def is_op(name: str) -> bool:
    """Is this an op, of costcalc or of an installed package?"""
    if name not in OPS:
        load_plugins()
    return name in OPS


def check_file(path: Path) -> None:
    """Raises UsageError for a path that is not a Python file."""
    if path.suffix != ".py" or not path.is_file():
        raise UsageError(f"{str(path)!r} is no Python file; --ops takes one that defines ops")


def run_file(path: Path) -> list[str]:
    """Runs a Python file that defines ops, and returns their names. It is imported by its name, with its folder in
    `sys.path`, so that other processes find its classes. Raises UsageError."""
    check_file(path)
    before, folder = {*OPS}, str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        spec = spec_from_file_location(path.stem, path)
        assert spec is not None and spec.loader is not None
        made = sys.modules[path.stem] = module_from_spec(spec)
        spec.loader.exec_module(made)
    except SystemExit as error:
        raise UsageError(f"{path} ends Python while it is run; a file of ops only defines them") from error
    except Exception as error:
        raise UsageError(f"{path} raises {type(error).__name__}: {why(error)}; --debug shows where") from error
    return sorted({*OPS} - before)
