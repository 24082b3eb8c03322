"""Everything costcalc refuses, and how it says so: where, what, and what next."""

from __future__ import annotations

import errno
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn


class CostcalcError(Exception):
    """Any input costcalc cannot use. The command line prints the message and exits with `exit_code`."""

    exit_code = 2


class ShapeError(CostcalcError):
    """An op was given sizes it cannot work with."""


class GraphError(CostcalcError):
    """A layer graph is not one: a cycle, a missing input, a node without an op."""


class UnknownName(CostcalcError):
    """A spec, preset, knob, metric or op that does not exist."""


class UsageError(CostcalcError):
    """Known names put to a use they do not have: a value out of range, too few networks, a file that is none."""


class TooDeep(UsageError):
    """A network of too many layers for what was asked of it."""


class TooLarge(CostcalcError):
    """A network that the memory of a device cannot hold."""

    exit_code = 3


class MissingExtra(CostcalcError):
    """A package that costcalc itself does without, and the extra that brings it."""

    exit_code = 3

    def __init__(self, what: str, extra: str):
        super().__init__(f"{what}: pip install 'costcalc[{extra}]'")
        self.about = what, extra

    def __reduce__(self) -> Any:
        return MissingExtra, self.about  # so that it may come from another process


class WorkersLost(CostcalcError):
    """Processes or machines that should have worked out a part of something, and ended or do not answer."""

    exit_code = 3


class NoRoom(CostcalcError):
    """A disk that cannot hold what was asked for."""

    exit_code = 3


class StoreError(CostcalcError):
    """A store of measurements that cannot be read or written: damaged, newer, not one, no room, no right."""

    exit_code = 3


class UnlikeRuns(CostcalcError):
    """Measurements that cannot be compared: taken differently, or too noisy to be a baseline."""


class Place(NamedTuple):
    """Where in a file: lines and columns count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True)
class Problem:
    """One thing wrong at one place, with what to do about it. A `warning` is allowed, but probably not meant; `layer`
    is the layer of a network that it is about, if any."""

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
        return SpecError, (self.problems,)  # so that it may come from another process


class PointsDiffer(ShapeError, SpecError):
    """What a network has once differs between the points of a column. `key` is equal where points agree."""

    def __init__(self, key: Any, message: str, place: Place | None = None, hint: str = "count them apart"):
        SpecError.__init__(self, Problem(place, message, hint))
        self.key, self.message, self.hint = key, message, hint

    def at(self, place: Place | None) -> PointsDiffer:
        """The same with its place."""
        return PointsDiffer(self.key, self.message, place, self.hint)


NOWHERE = Place("", 0, 0)
MAX_PROBLEMS = 100
MAX_COMPARED = 1000  # names that one hint is chosen from
MAX_SLIPS = 3  # more than any name that is a slip away has


class Problems:
    """What is wrong so far, each once. The hundredth raises: nobody reads more, and a hostile file has millions."""

    def __init__(self) -> None:
        self.found: dict[Problem, None] = {}

    def __len__(self) -> int:
        return len(self.found)

    def add(self, place: Place | None, message: str, hint: str = "") -> None:
        """Notes a problem."""
        self.take(SpecError(Problem(place, message, hint)))

    def take(self, error: SpecError) -> None:
        """Notes the problems of an error."""
        self.found.update(dict.fromkeys(error.problems))
        if len(self.found) >= MAX_PROBLEMS:
            self.stop(None, f"here checking stopped, after {MAX_PROBLEMS} problems", "mend these first")

    def attempt(self, function: Callable[..., Any], *args: Any, place: Place | None = None) -> Any:
        """The function's value; None with its problems noted if it fails. Raises PointsDiffer."""
        try:
            return function(*args)
        except PointsDiffer:  # no fault: a sweep counts these points apart
            raise
        except SpecError as error:
            self.take(error)
        except CostcalcError as error:
            self.add(place, str(error))
        return None

    def stop(self, place: Place | None, message: str, hint: str = "") -> NoReturn:
        """Raises all there is and this one, after which nothing can be read."""
        raise SpecError([*self.found, Problem(place, message, hint)])

    def raise_any(self) -> None:
        """Raises SpecError if there is a problem."""
        if self.found:
            raise SpecError(self.found)


def shorten(text: str, limit: int = 60) -> str:
    """Text for a message, cut if long."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def did_you_mean(name: str, known: Collection[str]) -> str:
    """`did you mean 'conv'?`, or the whole list when nothing is near and the list is short."""
    near = nearest(name, known)
    if near:
        return f"did you mean {near!r}?"
    return f"known: {', '.join(sorted(known))}" if 0 < len(known) <= 60 else ""


def nearest(name: str, known: Collection[str]) -> str:
    """The known name that this one is a slip of the keyboard away from, or the beginning of; "" if there is none.

    A slip is one letter more, less, another or in its neighbour's place, and two of them in six letters or more. The
    first letter is right: `prelu` is no slip of `relu`. So are numbers, as far as they go: `resnet5` may be `resnet50`,
    and `resnet20` may not.
    """
    if len(name) > 64 or len(known) > MAX_COMPARED:  # comparing is slow, and a hostile file has thousands
        return ""
    word = name.casefold()
    found = []
    for other in sorted(known):
        there = other.casefold()
        if there == word:
            return other
        if (there[:1] == word[:1] or there[:2] == word[1::-1]) and _same_number(word, there):
            slips = slips_between(word, there, 1 if len(word) < 6 else 2)
            if slips is not None or (len(word) > 3 and there.startswith(f"{word}_")):
                rank = slips or MAX_SLIPS, not there.startswith(word)  # a letter less sooner than one more
                found.append((*rank, other))
    return min(found)[-1] if found else ""


def _same_number(a: str, b: str) -> bool:
    """Are the digits of one name the first of the other's?"""
    first, second = (re.sub(r"\D", "", name) for name in (a, b))
    return first.startswith(second) or second.startswith(first)


def slips_between(a: str, b: str, most: int) -> int | None:
    """How many letters are more, less, others or swapped with their neighbour; None for more than `most`.

    The optimal string alignment distance: the usual table, of which three lines are kept.
    """
    if abs(len(a) - len(b)) > most:
        return None
    before: list[int] = []
    last, line = before, [*range(len(b) + 1)]
    for i, sign in enumerate(a, 1):
        before, last, line = last, line, [i]
        for j, other in enumerate(b, 1):
            best = min(last[j] + 1, line[j - 1] + 1, last[j - 1] + (sign != other))
            if i > 1 and j > 1 and sign == b[j - 2] and a[i - 2] == other:
                best = min(best, before[j - 2] + 1)
            line.append(best)
        if min(line) > most:
            return None
    return line[-1] if line[-1] <= most else None


def unknown(kind: str, name: str, known: Collection[str]) -> str:
    """`unknown knob 'rr'; did you mean 'r'?`"""
    hint = did_you_mean(name, known)
    return f"unknown {kind} {shorten(name)!r}" + (f"; {hint}" if hint else "")


REFUSED = {  # by the system's name for it; each system and language has a sentence of its own
    "ENOENT": "there is no such file or folder",
    "EACCES": "permission denied",
    "EPERM": "permission denied",
    "ENOTDIR": "a file stands where the path has a folder",
    "EISDIR": "it is a folder",
    "ENAMETOOLONG": "the name is too long",
    "ELOOP": "its links lead in a circle",
    "EROFS": "the disk may only be read",
    "ENOSPC": "no room is left on the disk",
    "EDQUOT": "no room is left for this user",
    "EFBIG": "files may not become so large here",
    "EIO": "the disk cannot be read or written",
    "EMFILE": "too many files are open",
    "ENFILE": "too many files are open",
    "EAGAIN": "the system has no more to give",
    "ENOMEM": "out of memory",
}


def why(error: BaseException, doing: str = "") -> str:
    """Why something failed: in words of ours where the system refuses, else in the error's own.

    Of an error without words: what it is, and what was being done.
    """
    refused = REFUSED.get(errno.errorcode.get(error.errno or 0, "")) if isinstance(error, OSError) else None
    words = refused or getattr(error, "strerror", None) or str(error)
    if words.strip():
        return words
    kind = "out of memory" if isinstance(error, MemoryError) else type(error).__name__
    return f"{kind} while {doing}" if doing else kind
