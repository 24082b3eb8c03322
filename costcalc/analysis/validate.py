"""`costcalc validate`: everything wrong with a spec at once, and warnings about what is probably not meant."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from costcalc.analysis.file_report import FileReport
from costcalc.analysis.spec_checker import SpecChecker
from costcalc.analysis.suspects import suspects
from costcalc.analysis.validate_pipeline import validate_pipeline
from costcalc.analysis.walk import walk
from costcalc.errors import Place, Problem, Problems, SpecError, in_reading_order, why
from costcalc.graph import Graph, find_problems
from costcalc.models.model import Model
from costcalc.pipeline.pipeline_library import is_pipeline
from costcalc.result import Result
from costcalc.spec.library import library_path, spec_text
from costcalc.spec.limits import MAX_BYTES, MAX_LAYERS
from costcalc.spec.parse import parse_file, parse_text
from costcalc.spec.spec_tree import Spec
from costcalc.table import Column, Table
from costcalc.text import plural


@dataclass(frozen=True, eq=False, repr=False)
class Validation(Result):
    """The problems of one file or several, in reading order: `[*validate("my_net.yaml")]`."""

    files: tuple[FileReport, ...]

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All errors and warnings."""
        return tuple(problem for report in self.files for problem in report.problems)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """The problems that are probably not meant, but no errors."""
        return tuple(problem for problem in self.problems if problem.warning)

    @property
    def ok(self) -> bool:
        """Is there nothing worse than a warning?"""
        return all(report.ok for report in self.files)

    def __iter__(self) -> Iterator[Problem]:
        return iter(self.problems)

    def __len__(self) -> int:
        return len(self.problems)

    def table(self) -> Table:
        """A row for each problem."""
        kinds = {"file": "text", "line": "int", "column": "int", "level": "text", "message": "text", "hint": "text"}
        columns = [Column(name, name, kind) for name, kind in kinds.items()]
        rows = [_record(report, problem) for report in self.files for problem in report.problems]
        return Table("", columns, rows, notes=[report.line for report in self.files if report.line])

    def _fields(self) -> dict[str, Any]:
        files = [
            {
                "file": report.path, "ok": report.ok, "summary": report.line.removeprefix(f"{report.path}: "),
                "problems": [_record(report, problem) for problem in report.problems],
            }
            for report in self.files
        ]  # fmt: skip
        return {"ok": self.ok, "files": files}

    def _summary(self) -> str:
        paths, errors = ", ".join(report.path for report in self.files), len(self) - len(self.warnings)
        return f"{paths}: {plural(errors, 'error')}, {plural(len(self.warnings), 'warning')}"


def validate(target: Any, *, max_layers: int = MAX_LAYERS, max_bytes: int = MAX_BYTES) -> Validation:
    """All errors and warnings of a spec, each with its place; empty if there are none.

    A spec is a path, a name of the library, a text of several lines or a dict, also of a pipeline (`augment:alexnet`).
    For a model its spec is checked, for a layer graph every layer.
    """
    if is_pipeline(target, max_bytes=max_bytes):
        return Validation((validate_pipeline(target, max_bytes),))
    if isinstance(target, Model):
        target = getattr(target.architecture, "spec", None) or target.graph()
    if hasattr(target, "nodes"):
        report = _check_graph(target)
    elif isinstance(target, Spec):
        report = _check(lambda problems: target, target.file, max_layers)
    elif written := spec_text(target):
        text, file = written
        report = _check(
            lambda problems: parse_text(text, file, max_bytes=max_bytes, problems=problems), file, max_layers
        )
    else:
        report = validate_file(str(library_path(str(target)) or target), max_layers=max_layers, max_bytes=max_bytes)
    return Validation((report,))


def _check_graph(graph: Graph) -> FileReport:
    """The problems of a layer graph: of its structure, else of its layers, else warnings."""
    found = find_problems(graph)
    if not found:
        rows = [*walk(graph, found.append)]
        found += [] if found else suspects(rows)
    return FileReport(graph.graph.get("name") or "graph", tuple(found))


def validate_file(path: str, *, max_layers: int = MAX_LAYERS, max_bytes: int = MAX_BYTES) -> FileReport:
    """The problems of a file: it is parsed, built as it is and in every preset, and every layer is checked."""
    return _check(lambda problems: parse_file(path, max_bytes=max_bytes, problems=problems), path, max_layers)


def _check(read: Callable[[Problems], Spec], path: str, max_layers: int) -> FileReport:
    problems = Problems()
    try:
        spec = read(problems)
    except SpecError as error:
        return FileReport(path, tuple(error.problems))
    except (OSError, ValueError) as error:
        reason = "not a path" if isinstance(error, ValueError) else why(error)
        return FileReport(path, (Problem(Place(path, 1, 1), f"cannot be read: {reason}"),))
    checker = SpecChecker(spec, max_layers)
    checker.check(problems)
    line = f"{path}: ok ({checker.summary})" if checker.summary else ""
    return FileReport(path, tuple(in_reading_order(checker.found)), line)


def _record(report: FileReport, problem: Problem) -> dict[str, Any]:
    _, line, column = problem.place or (None, None, None)
    level = "warning" if problem.warning else "error"
    about = {"file": report.path, "line": line, "column": column, "level": level}
    return {**about, "message": problem.message, "hint": problem.hint}
