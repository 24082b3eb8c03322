"""The networks whose closed forms are tested, and a runner of the Python code that is printed for them."""

import runpy
from functools import cache

import sympy

from costcalc import load
from costcalc.spec.library import entries

SPECS = [entry.name for entry in entries() if entry.kind == "spec"]


def has_floors(formula):
    """Does it round an expression in an integer knob?"""
    atoms = formula.expression.atoms(sympy.floor, sympy.ceiling)
    return any(symbol.is_integer for atom in atoms for symbol in atom.free_symbols)


@cache
def net_of(name):
    return load(name)


def run(code, function, folder):
    """A function of the code, which is written to a file and run."""
    path = folder / "formula.py"
    path.write_text(code, encoding="utf-8")
    return runpy.run_path(str(path))[function]
