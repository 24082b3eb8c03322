"""Times each layer of a network alone, in the order and with the tensors of the network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any

import torch
from torch import Tensor, fx

from costcalc.analysis.traffic import elements_moved
from costcalc.torch_backend.runner import Clock, Runner

MIN_ROUNDS = 10


@dataclass(frozen=True)
class LayerTime:
    """Median seconds of one layer, forward and in training backward; bytes read and written, and MACs, forward."""

    name: str
    op: str
    forward: float
    backward: float
    bytes: int
    macs: int


def layer_times(runner: Runner, seconds: float) -> tuple[list[LayerTime], float]:
    """Times every layer for at least ten rounds and about `seconds`; tensors are freed as in the network.

    Also returns the median seconds of whole steps, which are timed between the rounds. Both are without the optimizer.
    """
    times: dict[fx.Node, list[list[float]]] = {}
    wholes: list[float] = []
    while len(wholes) < MIN_ROUNDS or sum(wholes) < seconds / 2:
        for node, parts in _one_round(runner):
            times.setdefault(node, []).append(parts)
        wholes.append(sum(runner.run()[:2]))
    size = runner.settings.bytes_per_element
    layers = []
    for node, rounds in times.items():
        row, (forward, backward) = node.meta["row"], map(median, zip(*rounds))
        moved = size * elements_moved(row)
        layers.append(LayerTime(str(row.name), row.op.name, forward, backward, moved, row.macs))
    return layers, median(wholes)


def _one_round(runner: Runner) -> Iterator[tuple[fx.Node, list[float]]]:
    """Runs each layer once and yields its seconds, forward and backward."""
    values: dict[fx.Node, Any] = {}
    inputs = iter(runner.inputs)
    unread = {node: len(node.users) for node in runner.module.graph.nodes}
    for node in runner.module.graph.nodes:
        if node.op == "placeholder":
            values[node] = next(inputs)
        if node.op != "call_module":
            continue
        layer = runner.module.get_submodule(str(node.target))
        values[node], parts = _timed(
            layer, [values[source] for source in node.args], runner.clock, runner.settings.train
        )
        yield node, parts
        for source in node.all_input_nodes:
            unread[source] -= 1
            if not unread[source]:
                del values[source]


def _timed(layer: Any, ins: list[Tensor], clock: Clock, train: bool) -> tuple[Tensor, list[float]]:
    if not train:
        with torch.inference_mode():
            start = clock.mark()
            out = layer(*ins)
            return out, [*clock.seconds([start, clock.mark()]), 0.0]
    ins = [t.detach().requires_grad_(t.requires_grad) for t in ins]
    copies = [t.clone() for t in ins]  # the layer may write over them
    start = clock.mark()
    out = layer(*copies)
    forward = clock.seconds([start, clock.mark()])
    wanted = [t for t in (*ins, *layer.parameters()) if t.requires_grad]
    backward = [0.0]
    if wanted:
        gradient = torch.ones_like(out)
        start = clock.mark()
        torch.autograd.grad(out, wanted, gradient)
        backward = clock.seconds([start, clock.mark()])
    return out.detach().requires_grad_(out.requires_grad), [*forward, *backward]
