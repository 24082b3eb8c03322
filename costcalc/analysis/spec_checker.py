"""Finds everything wrong with a parsed spec: it is built as it is and in every preset, and every layer is asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from costcalc.analysis.conventions import read_convention
from costcalc.analysis.file_report import name_unlike_file
from costcalc.analysis.fold import block_names
from costcalc.analysis.suspects import suspects
from costcalc.analysis.walk import Row, walk
from costcalc.errors import MAX_PROBLEMS, CostcalcError, Place, Problem, Problems, SpecError, did_you_mean
from costcalc.graph import Graph
from costcalc.models.knob import Published
from costcalc.spec.bind import bind_valid_parts, check_constants, resolve
from costcalc.spec.library import AS_JSON, TEXT
from costcalc.spec.spec_tree import Spec
from costcalc.spec.spec_warnings import spec_warnings
from costcalc.text import plural


class SpecChecker:
    """Collects the problems of a spec in `found`; `summary` is the size of its network if there are no errors."""

    def __init__(self, spec: Spec, max_layers: int):
        self.spec, self.max_layers = spec, max_layers
        self.found: list[Problem] = []
        self.summary = ""
        self.of_defaults: set[Place | None] = set()  # places of errors in the network of the defaults
        self.graph: Graph | None = None  # of the defaults
        self.suspected: dict[Place | None, Problem] = {}

    def check(self, problems: Problems) -> None:
        """Checks everything; `problems` are those that the parser noted."""
        if self.spec.file not in (TEXT, AS_JSON):
            self.found += name_unlike_file("spec", self.spec.name, self.spec.file)
        self.found += self.unknown_metrics()
        rows = self.build({}, "", problems)
        self.suspect(rows, "")
        for preset in self.spec.presets.values():
            if preset and len(self.found) < MAX_PROBLEMS:
                prefix = f"preset {preset.name}: "
                self.suspect(self.build(preset.settings, prefix), prefix)
        if rows is not None:
            self.found += self.unknown_blocks()
            self.summary = "" if self.found else _summary(rows)
        if not self.found and self.graph is not None:  # an error may be why a name is not read
            self.found += [*self.suspected.values(), *spec_warnings(self.spec, self.graph)]

    def build(self, settings: Mapping[str, Any], prefix: str, problems: Problems | None = None) -> list[Row] | None:
        """The rows of a network; None if it has errors, which are noted."""
        problems = Problems() if problems is None else problems
        try:
            if not prefix:
                check_constants(self.spec, problems)
            values = {**resolve(self.spec, {}), **settings}
            lenient = bool(self.found)
            graph = bind_valid_parts(self.spec, values, problems, max_layers=self.max_layers, lenient=lenient)
            self.graph = self.graph or graph
            rows = list(walk(graph, lambda problem: problems.add(problem.place, problem.message, problem.hint)))
            problems.raise_any()
        except SpecError as error:
            self.note(error.problems, prefix)
            return None
        return rows

    def suspect(self, rows: list[Row] | None, prefix: str) -> None:
        """Notes layers that are probably not meant, one for each line of the spec."""
        for problem in suspects(rows or ()):
            self.suspected.setdefault(problem.place, replace(problem, message=f"{prefix}{problem.message}"))

    def note(self, problems: list[Problem], prefix: str) -> None:
        """Notes errors; those of a preset only at places where the defaults have none."""
        known = self.of_defaults if prefix else set()
        for problem in problems:
            if problem.place not in known:
                place = problem.place or Place(self.spec.file, 1, 1)
                self.found.append(Problem(place, f"{prefix}{problem.message}", problem.hint))
        if not prefix:
            self.of_defaults = {problem.place for problem in problems}

    def unknown_blocks(self) -> Iterator[Problem]:
        """Published figures of blocks that their network does not have."""
        names: dict[str, set[str]] = {}
        for figure in self.spec.published:
            if not figure.block:
                continue
            network = f"{figure.preset}@{figure.at}"
            if network not in names:
                names[network] = self.block_names(figure)
            if names[network] and figure.block not in names[network]:
                hint = did_you_mean(figure.block, names[network])
                yield Problem(figure.place, f"there is no block {figure.block!r}", hint)

    def unknown_metrics(self) -> Iterator[Problem]:
        """Published figures of metrics that do not exist or are not whole numbers."""
        for figure in self.spec.published:
            if figure.is_quoted:
                continue
            try:
                read_convention(figure.metric)
            except CostcalcError as error:
                yield Problem(figure.metric_place, *error.said)

    def block_names(self, figure: Published) -> set[str]:
        """The layers and blocks of the network of a figure, by full name; none if it cannot be built."""
        if figure.preset and not self.spec.presets[figure.preset]:
            return set()
        preset = self.spec.presets[figure.preset].settings if figure.preset else {}
        return block_names(self.build({**preset, **figure.at}, "published: ") or [])


def _summary(rows: list[Row]) -> str:
    count = sum(row.times for row in rows if not row.op.is_input)
    params, macs = sum(row.params for row in rows), sum(row.macs for row in rows)
    return ", ".join((plural(count, "layer"), plural(params, "param"), plural(macs, "MAC")))
