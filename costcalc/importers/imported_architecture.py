"""A network from elsewhere as an architecture: recorded anew at numbers; at symbols and arrays a pattern of its layers.

architecture.layers({"batch": 8, "r": 160})         runs the network at these sizes
architecture.layers({"batch": 8, "r": <symbol>})    finds the forms of its layers in several runs
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

from costcalc.dims import is_array, is_rational, is_symbolic, multiple_symbol, one_number, one_truth
from costcalc.errors import ImportRefused, PointsDiffer, ShapeError, UsageError
from costcalc.graph import Graph, digraph
from costcalc.importers.aten_ops.build_graph import GraphBuilder
from costcalc.importers.symbolic_sizes.free_knobs import FreeKnobs
from costcalc.importers.symbolic_sizes.input_sizes import BATCH, Inputs, InputSizes, Letters
from costcalc.importers.symbolic_sizes.layer_pattern import Sample, sizes_text
from costcalc.importers.symbolic_sizes.pattern_range import Pattern, said
from costcalc.importers.symbolic_sizes.pattern_search import PatternSearch
from costcalc.importers.symbolic_sizes.position_tensors import because_of
from costcalc.importers.torch_runs.run_record import Record
from costcalc.models.architecture import Architecture
from costcalc.models.content_hash import content_hash
from costcalc.models.gc_pause import gc_paused
from costcalc.models.graph_architecture import described

if TYPE_CHECKING:
    from costcalc.importers.module_sources.torch_module_source import ModuleSource

USUAL_RUNS = 12  # for a formula
LAST_SHARE = 0.95  # shown of those that take more
MAX_RECORDED_POINTS = 1024  # of a sweep at which no pattern holds
MIN_POINTS = 9  # of a sweep for which a pattern is sought: for fewer the runs are not more


class ImportedArchitecture(Architecture):
    """A network that runs. Its knobs are sizes of its inputs: `batch`, `r` where images are square, else `h` and `w`,
    and `tokens` of sequences of indices."""

    kind = "imported network"
    only_here = True

    def __init__(
        self, name: str, run: Callable[[Inputs], Record], inputs: Inputs, source: str = "",
        module_source: ModuleSource | None = None,
    ):  # fmt: skip
        self.name, self.run, self.source = name, run, source
        self.module_source = module_source  # of the module that runs, if there is one
        self.title = "imported"
        self.sizes = InputSizes(inputs)
        self.knobs = self.sizes.knobs
        self.progress: Callable[[float, str], None] | None = None
        self.runs = 0
        self.samples: dict[tuple[Any, ...], Sample] = {}
        self.patterns: dict[tuple[Any, ...], Pattern | ImportRefused] = {}

    @property
    def inputs(self) -> Inputs:
        """The inputs as given: shapes."""
        return self.sizes.inputs

    def layers(self, values: Mapping[str, Any]) -> Graph:
        """The recorded graph at these sizes; with symbols or arrays the layers that the network has at all of them.

        Raises ImportRefused if the network does not run at these sizes, UsageError if its sizes cannot be symbols,
        PointsDiffer if points of arrays have other layers.
        """
        known = {name: one_number(value) if is_array(value) else value for name, value in values.items()}
        moving = [name for name, value in known.items() if value is None or not is_rational(value)]
        if not moving:
            return digraph(self.recorded({name: int(value) for name, value in known.items()}).graph)
        return self.with_pattern({**known, **{name: values[name] for name in moving}}, moving)

    def recorded(self, values: Mapping[str, int]) -> Sample:
        """The graph of a run at these values of the knobs, made once."""
        letters = self.sizes.letters(values)
        return self.samples.setdefault(tuple(letters.items()), self.sample(letters))

    def sample(self, letters: Letters) -> Sample:
        """The graph of a run."""
        known = self.samples.get(tuple(letters.items()))
        if known is not None:
            return known
        if self.progress is not None:
            share = min(self.runs / USUAL_RUNS, LAST_SHARE)
            self.progress(share, f"run {self.runs + 1} of {self.name}, {sizes_text(letters)}")
        self.runs += 1
        with gc_paused():  # a search for cycles goes through all that torch has loaded
            builder = GraphBuilder(self.run(self.sizes.at(letters)), self.name)
            return Sample(dict(letters), builder.build(), builder.shapes)

    @contextmanager
    def watched(self, progress: Callable[[float, str], None]) -> Iterator[None]:
        """Within, each run is told before it starts."""
        self.progress, self.runs = progress, 0
        try:
            yield
        finally:
            self.progress = None

    # --- symbols and arrays ----------------------------------------------------------------------------------------

    def with_pattern(self, values: Mapping[str, Any], moving: list[str]) -> Graph:
        """The layers at values of which some, `moving`, are symbols or arrays."""
        symbolic = any(is_symbolic(values[name]) for name in moving)
        try:
            pattern = self.pattern(values, moving, new=symbolic or _points(values, moving) >= MIN_POINTS)
        except ImportRefused as error:
            if symbolic:
                raise UsageError(f"{self.name}: {', '.join(moving)} cannot be symbols here: {said(error)}") from None
            raise _one_by_one(self.name, values, moving, error) from None
        multiples = {name: multiple_symbol(values[name], one.step) for name, one in pattern.ranges.items()
                     if one.step > 1 and is_symbolic(values[name])}  # fmt: skip
        holds = pattern.holds(values)
        if is_array(holds) and one_truth(holds) is not True:
            _refuse_many(self.name, int((~holds).sum()), f"layers are known for {pattern.where}, and beyond")
            raise PointsDiffer(_apart(values, moving, holds), f"{self.name} has other layers at some sizes")
        try:
            layers = pattern.layers.layers(self.sizes.letters({**values, **multiples}))
        except PointsDiffer:
            raise
        except ShapeError as error:
            if symbolic:
                raise UsageError(f"{self.name}: {error}") from None
            raise _one_by_one(self.name, values, moving, ImportRefused(str(error))) from None
        layers.graph["limits"] = [need for need in pattern.needs(values) if need.truth is None]
        of_counts = pattern.needs(values, for_counts=True)
        layers.graph["limits_of_counts"] = [need for need in of_counts if need.truth is None]
        layers.graph["warnings"] = pattern.layers.samples[0].graph.graph.get("warnings", ())
        layers.graph["multiples"] = {one: values[name] for name, one in multiples.items()}
        beyond = [name for name, one in pattern.ranges.items() if not one.counts_at(self.knobs[name].default)]
        own = " ".join(f"--set {name}={self.knobs[name].default}" for name in beyond)
        layers.graph["found"] = pattern.found + (f"; at its default it has other layers: {own}" if own else "")
        return layers

    def pattern(self, values: Mapping[str, Any], moving: Iterable[str], *, new: bool = True) -> Pattern:
        """The pattern at these values: a known one in which all knobs are free, if it holds for the others, else one in
        which `moving` are. Raises ImportRefused if there is none, or without `new` none that was found before."""
        fixed = {name: int(value) for name, value in values.items() if name not in moving}
        every, these = ((*self.knobs,), ()), ((*moving,), tuple(fixed.items()))
        refused = ImportRefused("no pattern was sought for so few points")
        for key in dict.fromkeys((every, these)):
            if new and key == these and key not in self.patterns:
                self.patterns[key] = self.searched((*moving,), fixed)
            found = self.patterns.get(key, refused)
            if isinstance(found, Pattern):
                if all(one.holds(values[name]) is not False for name, one in found.ranges.items() if name in fixed):
                    return found
            else:
                refused = found
        raise refused

    def searched(self, free: tuple[str, ...], fixed: Mapping[str, int]) -> Pattern | ImportRefused:
        """The pattern in these knobs, or why there is none."""
        try:
            return PatternSearch(self.name, self.sizes, self.sample, free, fixed).pattern()
        except ImportRefused as error:
            return error

    def kept_numbers(self, values: Mapping[str, Any]) -> dict[str, str]:
        """The symbols among these values that it cannot have, each with the reason."""
        symbols = [name for name, value in values.items() if is_symbolic(value)]
        by_default = {name: knob.default for name, knob in self.knobs.items()}

        def refusal(free: tuple[str, ...]) -> ImportRefused | None:
            fixed = {name: by_default[name] for name in symbols if name not in free}
            try:
                self.pattern({**values, **fixed}, free)
            except ImportRefused as error:
                return error
            return None

        if not symbols:
            return {}
        free = FreeKnobs(symbols, refusal)
        return {name: self.reason(name, free.why[name]) for name in symbols if name not in free.found}

    def reason(self, name: str, why: ImportRefused) -> str:
        """Why a knob stays a number: in the words of the network, with what it adds at positions, and with the input
        that it takes if its sides may change apart."""
        if name == BATCH:
            return said(why)
        by_default = {name: knob.default for name, knob in self.knobs.items()}
        return f"{said(why).rstrip('.')}{because_of(self.recorded(by_default))}{self.other_sides(name)}"

    def other_sides(self, name: str) -> str:
        """`; it runs at 448×224: with such an input h and w are knobs of their own`. Empty unless it does."""
        sides = self.sizes.letters_of(name)
        for longer in sides if len(sides) == 2 else ():
            letters = self.sizes.default | {longer: 2 * self.knobs[name].default}
            with suppress(ImportRefused, ShapeError):
                self.sample(letters)
                size = "×".join(str(letters[side]) for side in sides)
                return f"; it runs at {size}: with such an input {' and '.join(sides)} are knobs of their own"
        return ""

    @property
    def image_knobs(self) -> dict[str, int]:
        """`r`, the side of square images."""
        return {name: 2 for name in self.knobs if len(self.sizes.letters_of(name)) == 2}

    def inputs_at(self, values: Mapping[str, Any]) -> Inputs:
        """The inputs of the module at some values of the knobs."""
        return self.sizes.at(self.sizes.letters(values))

    @cached_property
    def identity(self) -> str:
        """Equal for equal graphs at the default sizes."""
        return content_hash([*described(self.layers({name: knob.default for name, knob in self.knobs.items()}))])


def _points(values: Mapping[str, Any], moving: Iterable[str]) -> int:
    """How many points arrays have together."""
    import numpy

    shapes = [values[name].shape for name in moving if is_array(values[name])]
    return int(numpy.prod(numpy.broadcast_shapes(*shapes))) if shapes else 1


def _apart(values: Mapping[str, Any], moving: list[str], holds: Any = None) -> Any:
    """A key that differs between points of arrays that are counted apart: each but those that hold. Of a batch and
    lengths only the lengths tell points apart."""
    import numpy

    arrays = [name for name in moving if is_array(values[name])]
    lengths = [name for name in arrays if name != BATCH] or arrays
    shape = numpy.broadcast_shapes(*(values[name].shape for name in arrays))
    key = numpy.zeros(shape, dtype=numpy.int64)
    for name in lengths if holds is None else arrays:
        numbers, codes = numpy.unique(values[name].values(), return_inverse=True)
        key = key * len(numbers) + codes.reshape(values[name].shape)
    return key if holds is None else numpy.where(numpy.broadcast_to(holds, shape), -1, key)


def _refuse_many(name: str, points: int, why: str) -> None:
    """Raises UsageError for many points of which each is a run of the network."""
    if points > MAX_RECORDED_POINTS:
        raise UsageError(f"{name}: {why} each of {points:,} points is a run; take at most {MAX_RECORDED_POINTS:,}")


def _one_by_one(name: str, values: Mapping[str, Any], moving: list[str], error: ImportRefused) -> Exception:
    """What makes a sweep count each point on its own. A UsageError if there are too many."""
    _refuse_many(name, _points(values, moving), f"its layers change with the size ({said(error)}), so that")
    return PointsDiffer(_apart(values, moving), f"{name} has other layers at other sizes")
