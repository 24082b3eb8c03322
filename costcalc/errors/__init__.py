"""The errors of costcalc. Each says where, what is wrong, and what to do next."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, NoReturn

from costcalc.errors.hints import did_you_mean, did_you_mean_any, in_one_line, nearest, shorten
from costcalc.errors.system import REFUSED, why

__all__ = [
    "MAX_PROBLEMS", "REFUSED", "REPORTED", "CostcalcError", "GraphError", "MissingExtra", "NoRoom", "NothingFits",
    "Place", "PointsDiffer", "Problem", "Problems", "Reported", "ShapeError", "SpecError", "StoreError", "TooDeep",
    "TooLarge", "UnknownName", "UnlikeRuns", "UsageError", "WorkersLost", "did_you_mean", "did_you_mean_any",
    "in_one_line", "in_reading_order", "nearest", "shorten", "unknown", "why",
]  # fmt: skip


class CostcalcError(Exception):
    """Any input costcalc cannot use: what is wrong, and what to do about it.

    The command line prints both and exits with `exit_code`.
    """

    exit_code = 2

    def __init__(self, message: str = "", hint: str = ""):
        super().__init__(f"{message}; {hint}" if hint else message)
        self.message, self.hint = message, hint

    @property
    def said(self) -> tuple[str, str]:
        """The message and the hint, as `Problems.add` takes them."""
        return self.message, self.hint


class ShapeError(CostcalcError):
    """An op was given sizes it cannot work with."""


class GraphError(CostcalcError):
    """A layer graph is not one: a cycle, a missing input, a node without an op."""


class ImportRefused(CostcalcError):
    """A network from elsewhere that cannot be counted: an op without a rule, a run that fails or asks for values."""


class UnknownName(CostcalcError):
    """A spec, preset, knob, metric or op that does not exist."""


class UsageError(CostcalcError):
    """A wrong use of known names: a value out of range, too few networks, or a file that does not exist."""


class TooDeep(UsageError):
    """A network of too many layers for an analysis."""


class NothingFits(CostcalcError):
    """No value of a knob keeps a budget."""

    exit_code = 1


class TooLarge(CostcalcError):
    """A network that the memory of a device cannot hold."""

    exit_code = 3


class MissingExtra(CostcalcError):
    """An optional package that is not installed, and the extra that installs it."""

    exit_code = 3

    def __init__(self, what: str, extra: str):
        super().__init__(f"{what}: pip install 'costcalc[{extra}]'")
        self.about = what, extra

    def __reduce__(self) -> Any:
        return MissingExtra, self.about  # to unpickle it from another process


class WorkersLost(CostcalcError):
    """Worker processes or machines that ended or do not answer."""

    exit_code = 3


class NoRoom(CostcalcError):
    """A disk without enough space."""

    exit_code = 3


class StoreError(CostcalcError):
    """A store of measurements that cannot be read or written: damaged, too new, another file, no space, no right."""

    exit_code = 3


class UnlikeRuns(CostcalcError):
    """Measurements that cannot be compared: taken differently, or too noisy to be a baseline."""


class Place(NamedTuple):
    """A place in a file: lines and columns count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True)
class Problem:
    """One problem at one place, and what to do about it. A `warning` is allowed, but probably not meant; `layer` is the
    name of its layer, if any."""

    place: Place | None
    message: str
    hint: str = ""
    warning: bool = False
    layer: str = ""

    def __str__(self) -> str:
        where = f"{self.place}: " if self.place else ""
        return f"{where}{'warning: ' * self.warning}{self.message}" + (f"; {self.hint}" if self.hint else "")


def in_reading_order(problems: Iterable[Problem]) -> list[Problem]:
    """Each problem once, by place; those without a place last."""
    return sorted(dict.fromkeys(problems), key=lambda problem: (problem.place is None, problem.place or NOWHERE))


class SpecError(CostcalcError):
    """One or more problems in one spec, each with its place."""

    def __init__(self, problems: Iterable[Problem] | Problem):
        self.problems = in_reading_order([problems] if isinstance(problems, Problem) else problems)
        super().__init__("\n".join(map(str, self.problems)))

    def __reduce__(self) -> Any:
        return SpecError, (self.problems,)  # to unpickle it from another process


class PointsDiffer(ShapeError, SpecError):
    """One network cannot represent all points of this array. Points with equal `key` can be computed together."""

    def __init__(self, key: Any, message: str, place: Place | None = None, hint: str = "count them apart"):
        SpecError.__init__(self, Problem(place, message, hint))
        self.key, self.message, self.hint = key, message, hint

    def at(self, place: Place | None) -> PointsDiffer:
        """The same with its place."""
        return PointsDiffer(self.key, self.message, place, self.hint)


@dataclass(frozen=True)
class Reported:
    """Replaces something invalid that was reported: a node of YAML, an expression, a value, a knob or a layer.

    It is false and has no value. Code that meets it reports nothing.
    """

    place: Place

    text: ClassVar[str] = ""
    tree: ClassVar[None] = None
    names: ClassVar[frozenset[str]] = frozenset()  # that it reads

    def __bool__(self) -> bool:
        return False

    def value(self, names: Any) -> NoReturn:
        """Raises SpecError without a problem."""
        raise SpecError([])

    truth = value


NOWHERE = Place("", 0, 0)
REPORTED = Reported(NOWHERE)
MAX_PROBLEMS = 100


class Problems:
    """The problems so far, each once. The hundredth raises SpecError, because a hostile file has millions."""

    def __init__(self) -> None:
        self.found: dict[Problem, None] = {}

    def __len__(self) -> int:
        return len(self.found)

    def add(self, place: Place | None, message: str, hint: str = "") -> None:
        """Adds a problem."""
        self.add_all(SpecError(Problem(place, message, hint)))

    def add_all(self, error: SpecError) -> None:
        """Adds the problems of an error."""
        self.found.update(dict.fromkeys(error.problems))
        if len(self.found) >= MAX_PROBLEMS:
            self.stop(None, f"here checking stopped, after {MAX_PROBLEMS} problems", "fix these first")

    def attempt(self, function: Callable[..., Any], *args: Any, place: Place | None = None) -> Any:
        """The function's value; None if it fails, with its problems added. Raises PointsDiffer."""
        try:
            return function(*args)
        except PointsDiffer:  # not a problem: a sweep counts these points apart
            raise
        except SpecError as error:
            self.add_all(error)
        except CostcalcError as error:
            self.add(place, *error.said)
        return None

    def stop(self, place: Place | None, message: str, hint: str = "") -> NoReturn:
        """Raises SpecError with all problems and this one, after which nothing can be read."""
        raise SpecError([*self.found, Problem(place, message, hint)])

    def raise_any(self) -> None:
        """Raises SpecError if there is a problem."""
        if self.found:
            raise SpecError(self.found)


def unknown(kind: str, name: str, known: Collection[str], *, of: str = "") -> UnknownName:
    """The error `resnet: unknown knob 'rr'; did you mean 'r'?`."""
    return UnknownName(f"{of and f'{of}: '}unknown {kind} {shorten(name)!r}", did_you_mean(name, known))
