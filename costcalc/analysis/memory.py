"""How many elements a network holds at once: a liveness analysis of its tensors."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from costcalc.analysis.inplace import layers_inplace
from costcalc.analysis.walk import symbolic_sizes_error, walk
from costcalc.dims import Shape, Size, elements, is_rational
from costcalc.errors import UsageError
from costcalc.graph import Graph, unroll


class Block(NamedTuple):
    """A copy of a repeated body that stands for `copies` in a row; `fixed` are the layers that all of them read."""

    name: str
    copies: Size
    fixed: frozenset[Any] = frozenset()


class Layer(NamedTuple):
    """One copy of a layer, with the facts that memory depends on; `inputs` are names of earlier layers."""

    name: Any
    op: Any
    inputs: tuple[Any, ...]
    output_shape: Shape
    row: str = ""  # the name of its row in the walk, which has one row for all copies
    copies: Size = 1  # how many equal copies this one stands for
    blocks: tuple[Block, ...] = ()  # that it stands in, the outermost first
    frozen: Any = False  # are its tensors not trained: all, or those of these names
    shares: Any = None  # the layer whose tensors it uses
    is_output: bool = False  # does the network say that it returns it?
    element_bytes: int = 0  # of an element of its output, where that is no float
    parameter_order: Mapping[str, int] = {}  # positions of its tensors among the parameters of an imported module


class Peak(NamedTuple):
    """The most elements held at once during inference, inputs included, and the layer that is computed then."""

    elements: Size
    layer: Any


def peak_activations(graph: Graph) -> Peak:
    """Liveness on the order of the layers: a tensor is held from the layer that writes it to the last that reads it.

    Inputs belong to the caller and are held throughout, outputs to the end. A view keeps its input alive. An
    activation may write over its input (see analysis/inplace.py). Padded copies and workspaces are not counted. Raises
    UsageError for a graph of symbols or arrays.
    """
    rows = [*walk(unroll(graph))]
    if not all(is_rational(elements(row.output_shape)) for row in rows):
        raise symbolic_sizes_error("peak memory", rows)
    layers = [Layer(row.name, row.op, row.inputs, row.output_shape, row.name, is_output=row.is_output) for row in rows]
    peaks = zip(live_elements(layers), (layer.name for layer in layers))
    return Peak(*max(peaks, key=lambda peak: peak[0], default=(0, None)))


def live_elements(layers: Sequence[Layer]) -> Iterator[Size]:
    """The elements held while each layer is computed, in order; with arrays for sizes, at every point.

    Writing over an input is counted as a tensor of the layer's own that takes the input's place: the input has no other
    reader and the same size, so the two differ only in that they are never held together.
    """
    storage, overwriting = _storages(layers), layers_inplace(layers)
    last_read = {storage[source]: i for i, layer in enumerate(layers) for source in layer.inputs}
    kept = _kept_to_the_end(layers, storage)
    sizes: dict[Any, Size] = {}
    now: Size = 0
    for i, layer in enumerate(layers):
        if storage[layer.name] == layer.name:
            sizes[layer.name] = size = 0 if layer.op.lies_in_weights else elements(layer.output_shape)
            now = now + size
            yield now - size * overwriting[layer.name] if layer.name in overwriting else now
        else:
            yield now
        for name in {storage[source] for source in layer.inputs} - kept:
            if last_read[name] == i:
                now = now - sizes.pop(name)


def leaves(layer: Any, read: Container[Any]) -> bool:
    """Does the output of a layer, or of a row, leave the network? It says that it returns it, or nothing reads it and
    it is no tensor that the network has anyway."""
    return layer.is_output or (layer.name not in read and not layer.op.lies_in_weights)


def written_elements(layers: Sequence[Layer]) -> Iterator[Size]:
    """The elements that each layer writes to its own memory: 0 if it writes over an input or is a view.

    Raises UsageError where symbols leave open whether an input has the shape of what would be written over it.
    """
    overwriting = layers_inplace(layers)
    for layer in layers:
        size, over = elements(layer.output_shape), overwriting.get(layer.name, False)
        if over is None:
            raise UsageError(f"whether {layer.name} may write over its input depends on symbols: set them")
        yield 0 if layer.op.output.view or over is True else size if over is False else size - size * over


def _storages(layers: Sequence[Layer]) -> dict[Any, Any]:
    """The layer that owns the memory of each output: the layer itself, or for a view the owner of its input."""
    storage: dict[Any, Any] = {}
    for layer in layers:
        storage[layer.name] = storage[layer.inputs[0]] if layer.op.output.view and layer.inputs else layer.name
    return storage


def _kept_to_the_end(layers: Sequence[Layer], storage: dict[Any, Any]) -> set[Any]:
    """The owners of network inputs and outputs, which are alive to the end."""
    read = {source for layer in layers for source in layer.inputs}
    return {storage[one.name] for one in layers if one.op.is_input or one.is_output or one.name not in read}
