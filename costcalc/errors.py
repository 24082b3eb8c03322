"""Everything costcalc refuses, and how it says so: where, what, and what next."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches


class CostcalcError(Exception):
    """Any input costcalc cannot use. The command line prints the message and exits with `exit_code`."""

    exit_code = 2


class ShapeError(CostcalcError):
    """An op was given sizes it cannot work with."""


class GraphError(CostcalcError):
    """A layer graph is not one: a cycle, a missing input, a node without an op."""


class UnknownName(CostcalcError):
    """A spec, preset, knob, metric or op that does not exist."""


class EnvironmentError_(CostcalcError):
    """Something outside the input is missing: a package, a writable file."""

    exit_code = 3


@dataclass(frozen=True, order=True)
class Place:
    """Where in a file: lines and columns count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True)
class Problem:
    """One thing wrong at one place, with what to do about it."""

    place: Place | None
    message: str
    hint: str = ""

    def __str__(self) -> str:
        where = f"{self.place}: " if self.place else ""
        return f"{where}{self.message}" + (f"; {self.hint}" if self.hint else "")


class SpecError(CostcalcError):
    """One or more problems in one spec, each with its place."""

    def __init__(self, problems: Iterable[Problem] | Problem):
        listed = [problems] if isinstance(problems, Problem) else list(problems)
        self.problems = sorted(set(listed), key=lambda problem: (str(problem.place is None), problem.place or NOWHERE))
        super().__init__("\n".join(map(str, self.problems)))


NOWHERE = Place("", 0, 0)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`did you mean 'conv'?`, or the whole list when nothing is near and the list is short."""
    names = sorted(known)
    near = get_close_matches(name, names, n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"known: {', '.join(names)}" if 0 < len(names) <= 60 else ""


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """`unknown knob 'rr'; did you mean 'r'?`"""
    hint = did_you_mean(name, known)
    return f"unknown {kind} {name!r}" + (f"; {hint}" if hint else "")
