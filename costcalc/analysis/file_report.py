"""What is wrong with one file."""

from __future__ import annotations

from dataclasses import dataclass, replace

from costcalc.errors import Problem


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
