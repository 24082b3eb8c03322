"""The networks whose closed forms are tried, and formulas run as the Python that is printed for them."""

import runpy
from functools import cache

import sympy

from costcalc import load
from costcalc.spec.library import entries

SPECS = [entry.name for entry in entries() if entry.kind == "spec"]


def has_floors(formula):
    """Is a whole knob still rounded?"""
    atoms = formula.expression.atoms(sympy.floor, sympy.ceiling)
    return any(letter.is_integer for atom in atoms for letter in atom.free_symbols)


@cache
def net_of(name):
    return load(name)


def run(code, function, folder):
    """The function of a module that is written out and run as it is."""
    path = folder / "formula.py"
    path.write_text(code, encoding="utf-8")
    return runpy.run_path(str(path))[function]
