"""What `costcalc validate` finds: everything wrong with a spec at once, and what is probably not meant."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from costcalc.analysis.fold import block_names
from costcalc.analysis.metrics import metric_of, why_not_whole
from costcalc.analysis.suspects import suspects
from costcalc.analysis.walk import Row, walk
from costcalc.errors import MAX_PROBLEMS, CostcalcError, Place, Problem, Problems, SpecError, did_you_mean, why
from costcalc.errors import in_reading_order as in_order
from costcalc.graph import Graph
from costcalc.graph import find_problems as problems_of_graph
from costcalc.models.knob import Published
from costcalc.models.model import Model
from costcalc.result import Result
from costcalc.spec.bind import bind_what_can_be, check_constants, resolve
from costcalc.spec.library import AS_JSON, TEXT, entries, find, folder, library_path, spec_text
from costcalc.spec.limits import MAX_BYTES, MAX_LAYERS
from costcalc.spec.parse import parse_file, parse_text
from costcalc.spec.spec_tree import Item, Spec, all_items
from costcalc.table import Column, Table
from costcalc.text import plural


@dataclass(frozen=True)
class FileReport:
    """The outcome for one file: `problems` in reading order, and one line that says what the network is."""

    path: str
    problems: tuple[Problem, ...]
    line: str = ""

    @property
    def ok(self) -> bool:
        """Is there nothing worse than a warning?"""
        return all(problem.warning for problem in self.problems)

    def as_errors(self) -> FileReport:
        """The same with errors for warnings."""
        if not self.problems:
            return self
        return FileReport(self.path, tuple([replace(problem, warning=False) for problem in self.problems]))


@dataclass(frozen=True, eq=False, repr=False)
class Validation(Result):
    """The problems of one file or several, in reading order: `[*validate("my_net.yaml")]`."""

    files: tuple[FileReport, ...]

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All errors and warnings."""
        return tuple(problem for checked in self.files for problem in checked.problems)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """The problems that are allowed, but probably not meant."""
        return tuple(problem for problem in self.problems if problem.warning)

    @property
    def ok(self) -> bool:
        """Is there nothing worse than a warning?"""
        return all(checked.ok for checked in self.files)

    def __iter__(self) -> Iterator[Problem]:
        return iter(self.problems)

    def __len__(self) -> int:
        return len(self.problems)

    def table(self) -> Table:
        """A row for each problem."""
        numbers, texts = ("line", "column"), ("level", "message", "hint")
        columns = (
            Column("file", "file", "text"), *(Column(name, name) for name in numbers),
            *(Column(name, name, "text") for name in texts),
        )  # fmt: skip
        rows = [_record(checked, problem) for checked in self.files for problem in checked.problems]
        return Table("", columns, rows, notes=[checked.line for checked in self.files if checked.line])

    def _fields(self) -> dict[str, Any]:
        files = [
            {
                "file": checked.path, "ok": checked.ok, "summary": checked.line.removeprefix(f"{checked.path}: "),
                "problems": [_record(checked, problem) for problem in checked.problems],
            }
            for checked in self.files
        ]  # fmt: skip
        return {"ok": self.ok, "files": files}

    def _summary(self) -> str:
        paths, errors = ", ".join(checked.path for checked in self.files), len(self) - len(self.warnings)
        return f"{paths}: {plural(errors, 'error')}, {plural(len(self.warnings), 'warning')}"


def validate(target: Any, *, max_layers: int = MAX_LAYERS, max_bytes: int = MAX_BYTES) -> Validation:
    """Everything wrong with a spec, each with its place; warnings among it. Empty if all is well.

    A spec is a path, a name of the library, a text of several lines or a dict. Of a model its spec is checked, and of a
    layer graph every layer.
    """
    if isinstance(target, Model):
        target = getattr(target.architecture, "spec", None) or target.graph()
    if hasattr(target, "nodes"):
        return _wrong_with(target)
    written = spec_text(target)
    if isinstance(target, Spec):
        checked = _checked(lambda _: target, target.file, max_layers)
    elif written:
        text, file = written
        read = partial(parse_text, text, file, max_bytes=max_bytes)
        checked = _checked(lambda noted: read(problems=noted), file, max_layers)
    else:
        checked = validate_file(str(library_path(str(target)) or target), max_layers=max_layers, max_bytes=max_bytes)
    return Validation((checked,))


def _wrong_with(graph: Graph) -> Validation:
    """What makes a graph no layer graph, else every layer that cannot be, else those that are probably not meant."""
    found = problems_of_graph(graph)
    if not found:
        rows = [*walk(graph, found.append)]
        found += [] if found else suspects(rows)
    return Validation((FileReport(graph.graph.get("name") or "graph", tuple(found)),))


def validate_file(path: str, *, max_layers: int = MAX_LAYERS, max_bytes: int = MAX_BYTES) -> FileReport:
    """Parses a spec, builds it as it is and in every preset, and looks at every layer."""
    return _checked(lambda noted: parse_file(path, max_bytes=max_bytes, problems=noted), path, max_layers)


def _checked(read: Callable[[Problems], Spec], path: str, max_layers: int) -> FileReport:
    problems = Problems()
    try:
        spec = read(problems)
    except SpecError as error:
        return FileReport(path, tuple(error.problems))
    except (OSError, ValueError) as error:
        reason = "not a path" if isinstance(error, ValueError) else why(error)
        return FileReport(path, (Problem(Place(path, 1, 1), f"cannot be read: {reason}", _path_hint(path)),))
    checker = _Checker(spec, max_layers)
    checker.check(problems)
    found = tuple(in_order(checker.found))
    return FileReport(path, found, f"{path}: ok ({checker.summary})" if checker.summary else "")


def _path_hint(path: str) -> str:
    """What to do about a path that does not exist."""
    with suppress(CostcalcError):
        name = find(path).label
        return f"the library has it: `costcalc show {name}`; validate takes the files of specs" if name == path else ""
    return ""


def _record(checked: FileReport, problem: Problem) -> dict[str, Any]:
    _, line, column = problem.place or (None, None, None)
    level = "warning" if problem.warning else "error"
    return {
        "file": checked.path,
        "line": line,
        "column": column,
        "level": level,
        "message": problem.message,
        "hint": problem.hint,
    }


class _Checker:
    def __init__(self, spec: Spec, max_layers: int):
        self.spec, self.max_layers = spec, max_layers
        self.found: list[Problem] = []
        self.start = Place(spec.file, 1, 1)
        self.summary = ""
        self.of_defaults: set[Place | None] = set()
        self.graph: Graph | None = None  # of the defaults
        self.suspected: dict[Place | None, Problem] = {}  # by the line that is probably not meant

    def wrong(self, place: Place | None, message: str, hint: str = "", *, warning: bool = False) -> None:
        self.found.append(Problem(place or self.start, message, hint, warning))

    def check(self, problems: Problems) -> None:
        """Looks at everything, whatever problems the parser noted."""
        self.check_name()
        self.found += self.metrics_that_do_not_exist()
        rows = self.build({}, "", problems)
        self.suspect(rows, "")
        for preset in self.spec.presets.values():
            if preset and len(self.found) < MAX_PROBLEMS:
                prefix = f"preset {preset.name}: "
                self.suspect(self.build(preset.settings, prefix), prefix)
        if rows is not None:
            self.found += self.blocks_that_do_not_exist()
            self.summary = _summary(rows) if not self.found else ""
        if not self.found:  # what is wrong may be why something is not read
            self.found += self.suspected.values()
            self.found += unused_names(self.spec)
            self.found += shadowed_names(self.spec)
            self.found += unread_layers(self.graph) if self.graph else ()

    def check_name(self) -> None:
        stem = unicodedata.normalize("NFC", Path(self.spec.file).stem)
        if self.spec.file not in (TEXT, AS_JSON) and self.spec.name not in ("", stem):
            self.wrong(None, f"the spec {self.spec.name!r} stands in {Path(self.spec.file).name}", f"name it {stem}")

    def build(self, settings: Mapping[str, Any], prefix: str, problems: Problems | None = None) -> list[Row] | None:
        """The rows of a network; None with its problems noted if there are any."""
        problems = Problems() if problems is None else problems
        rows: list[Row] = []
        try:
            if not prefix:
                check_constants(self.spec, problems)
            values = {**resolve(self.spec, {}), **settings}
            noted = bool(self.found)
            graph = bind_what_can_be(self.spec, values, problems, max_layers=self.max_layers, noted=noted)
            self.graph = self.graph or graph
            rows = list(walk(graph, lambda problem: problems.add(problem.place, problem.message, problem.hint)))
            problems.raise_any()
        except SpecError as error:
            self.note(error.problems, prefix)
            return None
        return rows

    def suspect(self, rows: list[Row] | None, prefix: str) -> None:
        """Notes layers that are probably not meant, those of a preset only where none was in the networks before."""
        for problem in suspects(rows or ()):
            self.suspected.setdefault(problem.place, replace(problem, message=f"{prefix}{problem.message}"))

    def note(self, problems: list[Problem], prefix: str) -> None:
        """Notes problems, those of a preset only where the defaults have none: it would be the same."""
        known = self.of_defaults if prefix else set()
        for problem in problems:
            if problem.place not in known:
                self.wrong(problem.place, f"{prefix}{problem.message}", problem.hint)
        if not prefix:
            self.of_defaults = {problem.place for problem in problems}

    def blocks_that_do_not_exist(self) -> Iterator[Problem]:
        """Published figures for blocks that their network does not have."""
        names: dict[str, set[str]] = {}
        for figure in self.spec.published:
            if not figure.block:
                continue
            network = f"{figure.preset}@{figure.at}"
            if network not in names:
                names[network] = self.names_in(figure)
            if names[network] and figure.block not in names[network]:
                hint = did_you_mean(figure.block, names[network])
                yield Problem(figure.place, f"there is no block {figure.block!r}", hint)

    def metrics_that_do_not_exist(self) -> Iterator[Problem]:
        """Published figures of metrics that the library does not have."""
        for figure in self.spec.published:
            try:
                metric_of(figure.metric, unless=why_not_whole)
            except CostcalcError as error:
                yield Problem(figure.metric_place, *error.said)

    def names_in(self, figure: Published) -> set[str]:
        """Every layer and block of the network that a figure is for, by full name."""
        if figure.preset and not self.spec.presets[figure.preset]:
            return set()
        preset = self.spec.presets[figure.preset].settings if figure.preset else {}
        return block_names(self.build({**preset, **figure.at}, "published: ") or [])


def _summary(rows: list[Row]) -> str:
    layers = [row for row in rows if not row.op.is_input]
    count = sum(row.times for row in layers)
    params, macs = (sum(getattr(row, metric) for row in layers) for metric in ("params", "macs"))
    return ", ".join((plural(count, "layer"), plural(params, "param"), plural(macs, "MAC")))


def unused_names(spec: Spec) -> Iterator[Problem]:
    """Warnings: knobs, sizes, blocks, parameters and inputs that nothing reads."""
    kinds, names, sources = _mentioned(spec)
    for size in spec.sizes.values():
        names |= size.names
    names.update(name for axes in spec.inputs.values() for axis in axes for name in axis.names)
    for knob in spec.knobs.values():
        if knob.name not in names and knob.name != "batch":
            yield Problem(knob.place, f"knob {knob.name!r} changes nothing", "no expression reads it", True)
    for name, size in spec.sizes.items():
        if name not in names:
            yield Problem(size.place, f"size {name!r} is never read", "", True)
    for block in spec.blocks.values():
        if block.name not in kinds:
            yield Problem(block.place, f"block {block.name!r} is never used", "", True)
        inside: set[str] = set().union(*(_names_in(item) for item in all_items(block.items)))
        for name in [name for name in block.parameters if name not in inside]:
            yield Problem(block.place, f"block {block.name!r} never reads its parameter {name!r}", "", True)
    if len(spec.inputs) > 1:
        for name in [name for name in spec.inputs if name not in sources]:
            yield Problem(spec.items[0].place, f"input {name!r} is never read", f"from: {name} reads it", True)


def unread_layers(graph: Graph) -> Iterator[Problem]:
    """Warnings: layers whose output is not read, and which do not end the network."""
    read = {source for _, data in graph.nodes(data=True) for source in data["inputs"]}
    for name, data in graph.nodes(data=True):
        if name not in read and name not in graph.graph["outputs"] and data["inputs"]:
            hint = "it is counted; what a network puts out besides stands in a `side`"
            yield Problem(data.get("place"), f"no layer reads the layer {data.get('label', name)!r}", hint, True)


def _mentioned(spec: Spec) -> tuple[set[str], set[str], set[str]]:
    """Kinds of items, names in their expressions, and layers they read, in the layers and in all blocks."""
    kinds: set[str] = set()
    names: set[str] = set()
    sources: set[str] = set()
    for items in (spec.items, *(block.items for block in spec.blocks.values())):
        for item in all_items(items):
            kinds.add(item.kind)
            names |= _names_in(item)
            sources.update(filter(None, item.sources or ()))
    for block in spec.blocks.values():
        names.update(name for default in block.parameters.values() if default for name in default.names)
    return kinds, names, sources


def _names_in(item: Item) -> set[str]:
    return {*item.reads, *(item.when.names if item.when else ())}


def shadowed_names(spec: Spec) -> Iterator[Problem]:
    """Warnings: names that the library has too, and presets that set nothing."""
    inside = Path(spec.file).resolve().parent == folder()
    try:
        theirs = {entry.name for entry in entries() if not (inside and entry.spec == spec.name)}
    except CostcalcError:  # a broken spec in the library is its own problem
        theirs = set()
    hint = "`costcalc show NAME` means that one; give yours another name, or use its path"
    if spec.name in theirs:
        yield Problem(Place(spec.file, 1, 1), f"the library has a {spec.name!r} too", hint, True)
    for preset in spec.presets.values():
        if preset.name in theirs:
            yield Problem(preset.place, f"the library has a {preset.name!r} too", hint, True)
        if not preset.settings:
            yield Problem(preset.place, f"preset {preset.name!r} sets nothing", "", True)
