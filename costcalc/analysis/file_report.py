"""The problems of one file."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from costcalc.errors import Place, Problem


@dataclass(frozen=True)
class FileReport:
    """The problems of one file, in reading order, and a line on the size of the network if there are no errors."""

    path: str
    problems: tuple[Problem, ...]
    line: str = ""

    @property
    def ok(self) -> bool:
        """Is there nothing worse than a warning?"""
        return all(problem.warning for problem in self.problems)

    def as_errors(self) -> FileReport:
        """The same with errors for warnings, and without the line if there are any."""
        problems = tuple(replace(problem, warning=False) for problem in self.problems)
        return FileReport(self.path, problems, "" if problems else self.line)


def name_unlike_file(what: str, name: str, file: str) -> Iterator[Problem]:
    """A problem if the name in a file is not the name of the file."""
    stem = unicodedata.normalize("NFC", Path(file).stem)
    if name not in ("", stem):
        yield Problem(Place(file, 1, 1), f"the {what} {name!r} stands in {Path(file).name}", f"name it {stem}")
