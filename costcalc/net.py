"""A model as the reader meets it: loaded from any target, with its cost and its formulas."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from typing import TYPE_CHECKING, Any, TypeAlias

from costcalc.analysis.cost import Cost, cost_of
from costcalc.analysis.warnings import warnings_of
from costcalc.dtype import Dtype
from costcalc.errors import Problem, UsageError, shorten
from costcalc.graph import digraph
from costcalc.importers.torch_runs.run_record import STRICT, Leniency, Named
from costcalc.models.knob_texts import split_target
from costcalc.models.model import Model
from costcalc.spec.limits import MAX_BYTES, MAX_LAYERS
from costcalc.text import split_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from costcalc.analysis.closed_form.formula import Formula
    from costcalc.analysis.picture.network_tree import NetworkTree
    from costcalc.analysis.picture.viewer_files import ViewerFile
    from costcalc.chart import Bars
    from costcalc.drawing import Drawing
    from costcalc.graph import Graph


class Net(Model):
    """A model, and what it costs: `load("mobilenet_v1@w=0.5")`."""

    def cost(self, *, unrolled: bool = False) -> Cost:
        """Params, MACs, elementwise work and activations, layer by layer."""
        return cost_of(self, unrolled=unrolled)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """Layers that are counted and probably not meant, each with its place and what to do about it."""
        return warnings_of(self)

    @property
    def macs(self) -> int:
        """Multiplies in convolutions, linear layers and matrix products. Raises UsageError for symbols as knobs."""
        return self._total("macs")

    @property
    def params(self) -> int:
        """Learned scalars; tensors that are shared once. Raises UsageError for symbols as knobs."""
        return self._total("params")

    def _total(self, metric: str) -> int:
        self.require_numeric(f"Net.{metric}")
        return int(self.cost().total(metric))

    def formula(self, metric: str = "macs", *, assume: Sequence[str] | str = ()) -> Formula:
        """`costcalc.formula` of this model: `net.formula()(r=256)`."""
        from costcalc.analysis.closed_form.assumptions import closed_form

        self.require_knobs("formula")
        return closed_form(self, metric, assume=assume)

    def drawing(
        self, *, depth: int | None = None, shade: str = "macs", style: str = "blocks", every_layer: bool = False,
        width: int | None = None, unrolled: bool = False, seconds: Mapping[str, float] | None = None,
    ) -> Drawing:  # fmt: skip
        """A drawing of the network: `net.drawing(depth=2).save("net.svg")`; a notebook shows it.

        Folded to blocks of a `depth`, by default the deepest that fits on a sheet. `shade` is the metric that boxes
        show; for "seconds" give the measured `seconds` of each layer by its name. `style` is "blocks" or "volumes",
        `width` the most that it may be wide, in px.

        Raises UnknownName, and UsageError for a metric that is no number of layers and for a network that has no
        drawing of this style.
        """
        from costcalc.analysis.picture.network_drawing import network_drawing

        cost = self.cost(unrolled=unrolled or seconds is not None)  # each copy of a layer is timed
        return network_drawing(
            cost,
            depth=depth,
            shade=shade,
            style=style,
            every_layer=every_layer,
            width=width,
            copies=unrolled,
            seconds=seconds,
        )

    def tree(
        self, *, depth: int | None = None, shade: str = "macs", every_layer: bool = False, unrolled: bool = False
    ) -> NetworkTree:  # fmt: skip
        """The network as a tree of text, as `costcalc show --tree` prints it: blocks, branches, a bar in each line.

        Folded as its drawing is. `shade` is the metric of the bars. Raises UnknownName, and UsageError for a metric
        that is no number of layers.
        """
        from costcalc.analysis.picture.network_tree import network_tree

        cost = self.cost(unrolled=unrolled)
        return network_tree(cost, depth=depth, shade=shade, every_layer=every_layer, copies=unrolled)

    def diagram(
        self, format: str = "mermaid", *, depth: int | None = None, shade: str = "macs", every_layer: bool = False,
        unrolled: bool = False,
    ) -> str:  # fmt: skip
        """The drawing as text that other programs lay out: `mermaid` or `dot`. Raises as `drawing` does."""
        from costcalc.analysis.picture.network_sketch import network_sketch
        from costcalc.drawing.diagram import diagram

        cost = self.cost(unrolled=unrolled)
        sketch = network_sketch(cost, depth=depth, shade=shade, every_layer=every_layer, copies=unrolled)
        return "".join(diagram(sketch, format))

    def overlay(self, *, shade: str = "macs", unrolled: bool = False) -> ViewerFile:
        """The costs for Netron and Model Explorer to lay over the network: `net.overlay().save("costs.overlay.json")`.

        Raises UnknownName, and UsageError for a metric that is no number of layers and for symbols.
        """
        from costcalc.analysis.picture.viewer_files import overlay

        return overlay(self.cost(unrolled=unrolled), shade)

    def explorer_graph(self, *, unrolled: bool = False) -> ViewerFile:
        """The layers as a graph that Model Explorer draws: `net.explorer_graph().save("net.graph.json")`."""
        from costcalc.analysis.picture.viewer_files import explorer_graph

        return explorer_graph(self.cost(unrolled=unrolled))

    def chart(self, metric: str = "macs") -> Bars:
        """A metric by the size of the maps that layers make, as bars. Raises UnknownName, UsageError for a metric that
        is no sum."""
        from costcalc.analysis.size_chart import bar_chart

        self.require_numeric("Net.chart")
        return bar_chart([self.cost()], metric)

    def plot(self, path: PathLike[str] | str, metric: str = "macs") -> None:
        """Writes that picture as .svg, .png or .pdf. Raises as `chart`; UsageError for another suffix, MissingExtra
        without matplotlib."""
        self.chart(metric).save(str(path))

    def __str__(self) -> str:
        """The cost by block, as `costcalc show --depth 1` prints it."""
        return str(self.cost().at_depth(1))

    def _repr_html_(self) -> str:
        """A notebook's view: the cost by block, and the drawing."""
        from costcalc.analysis.picture.network_drawing import pictures

        cost = self.cost()
        return cost.at_depth(1)._repr_html_() + pictures([cost])


Target: TypeAlias = Any  # str | PathLike | Mapping | Model | Graph: what `load` takes


def load(
    target: Target, *inputs: Any, dtype: Dtype | str | None = None, max_layers: int = MAX_LAYERS,
    max_bytes: int = MAX_BYTES, assume_free: Sequence[str] | str = (), until_values: bool = False, **knobs: Any,
) -> Net:  # fmt: skip
    """The model that a target means, with knobs behind an @ or as arguments. All functions read their targets so.

    `load("resnet50")`, `load("mobilenet_v1@w=0.5,r=160")`, `load("my_net.yaml@my_preset", w=0.5)`: a name, a preset or
    a path. Also the text of a spec (of more than one line), a spec as a dict, a model, or a layer graph. A torch module
    with its `inputs`, tensors or their shapes, by position or by name: `load(module, (1, 3, 224, 224), mask=(1, 77))`;
    `torchvision:NAME`, `timm:NAME`,
    `hf:config.json`, or `FILE.py:CALLABLE`, which runs that file; an ONNX file, `load("model.onnx@batch=8")`. Bytes are
    counted in `dtype`: float16, or weights=int8,activations=float16.

    An imported network may have an op without a rule: `assume_free=["aten::fft_rfft"]` counts it as 0. It may ask for
    the value of a tensor: `until_values=True` counts what runs before that. Both mark its totals with a warning.

    Raises UnknownName, UsageError, SpecError or ImportRefused, all CostcalcError, with what to do about it.
    """
    lenient = Leniency(tuple(filter(None, split_names(assume_free))), until_values)
    by_name = {name: knobs.pop(name) for name, value in [*knobs.items()] if is_input(value)}
    given = (*inputs, *(Named(name, value) for name, value in by_name.items()))
    net = _resolved(target, given, max_layers, max_bytes, lenient)
    if knobs:
        net.require_knobs("setting a knob")
        net = net.with_knobs(**knobs)
    return net if dtype is None else net.with_dtype(dtype)


def is_input(value: Any) -> bool:
    """Is this an input of a module and no value of a knob: a tensor, a shape, or a list or dict of those?"""
    return isinstance(value, (tuple, list, Mapping)) or hasattr(value, "new_empty")


def _resolved(
    target: Target, inputs: tuple[Any, ...], max_layers: int, max_bytes: int, lenient: Leniency
) -> Net:  # fmt: skip
    from costcalc.importers import targets

    if targets.is_module(target):
        return Net(targets.of_module(target, targets.split_inputs(inputs), lenient=lenient))
    if isinstance(target, str) and targets.is_import(target):
        name, _, settings = split_target(target)
        net = Net(targets.of_name(name, targets.split_inputs(inputs) if inputs else None, lenient))
        return net.with_texts(settings.split(",")) if settings else net
    if targets.is_onnx(target):
        from costcalc.importers.onnx_files.onnx_architecture import of_onnx

        path, _, settings = split_target(str(target))
        net = Net(of_onnx(path, targets.split_inputs(inputs), max_layers, lenient), label=path)
        return net.with_texts(settings.split(",")) if settings else net
    targets.check_complete(target)
    if targets.is_safetensors(target):
        hint = "`costcalc show` lists them, as does costcalc.tensors; count the network as ONNX or as a torch module"
        raise UsageError(f"{shorten(str(target))!r} has tensors and no layers", hint)
    if inputs:
        raise UsageError(
            "inputs are those of a torch module, of torchvision:NAME, timm:NAME, FILE.py:CALLABLE or FILE.onnx"
        )
    if lenient != STRICT:
        raise UsageError(
            "assume_free and until_values are about imported networks: torch modules, their names, ONNX files"
        )
    if isinstance(target, Net):
        return target
    if isinstance(target, Model):
        return Net(target.architecture, target.settings, target.label, target.dtype, target.step)
    if hasattr(target, "nodes"):
        from costcalc.models.graph_architecture import GraphArchitecture

        return Net(GraphArchitecture(target))
    if not isinstance(target, (str, PathLike, Mapping)):
        wanted = "give a name, a path, a spec as text or dict, a model or a layer graph"
        raise UsageError(f"a {type(target).__name__} is not a network; {wanted}")
    from costcalc.spec.library import find
    from costcalc.spec.spec_architecture import SpecArchitecture

    found = find(target, max_bytes=max_bytes)
    return Net(SpecArchitecture(found.spec, max_layers), found.settings, found.label)


def model(
    graph: Graph, knobs: Mapping[str, Any] | None = None, *, name: str = "", title: str = "", source: str = "",
    about: str = "",
) -> Net:  # fmt: skip
    """A model of a layer graph of your own, whose sizes hold symbols: `model(graph, knobs={"batch": 1, "r": 224})`.

    Every symbol is a knob, with its default: an int for a whole one, a float or Fraction for a real one, or a dict of
    default, low, high, about, letter and kind. The graph is copied. Raises UsageError for a symbol without a knob or a
    knob without a symbol, GraphError for something that is not a layer graph.
    """
    from costcalc.models.graph_architecture import GraphArchitecture, knobs_for

    known = knobs_for(graph, knobs or {})
    copy = digraph(graph).copy()
    return Net(GraphArchitecture(copy, known, name=name, title=title, source=source, about=about))


def load_with_knobs(target: Target, what: str) -> Net:
    """The model of a target, for `what` needs knobs. Raises UsageError if it has none."""
    net = load(target)
    net.require_knobs(what)
    return net


def apply_settings(nets: list[Net], texts: list[str]) -> list[Net]:
    """The nets with each `--set knob=value` applied where the net has the knob. Raises UnknownName if none has it."""
    names = [text.partition("=")[0].strip() for text in texts]
    for text, name in zip(texts, names):
        if names.count(name) > 1:
            raise UsageError(f"--set {shorten(name)} stands twice; set it once")
        having = [net for net in nets if name in net.settable] or nets
        nets = [net.with_texts([text]) if net in having else net for net in nets]
    return nets
