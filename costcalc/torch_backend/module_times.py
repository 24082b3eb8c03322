"""Times the modules of a reader's own network while all of it runs, each without those in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from statistics import median
from typing import Any

import torch
from torch import nn

from costcalc.analysis.traffic import elements_moved
from costcalc.analysis.walk import Row, walk
from costcalc.graph import Graph
from costcalc.torch_backend.layerwise import MIN_ROUNDS, LayerTime
from costcalc.torch_backend.module_spans import NETWORK, ModuleSpans, modules_of, nodes_before
from costcalc.torch_backend.runner import Runner
from costcalc.torch_backend.torch_step import autocast

Marks = list[tuple[str | None, Any]]  # the module that runs from a moment on


def module_times(runner: Runner, seconds: float) -> tuple[list[LayerTime], float]:
    """Times every module for at least ten rounds and about `seconds`.

    Also returns the median seconds of whole steps, which are timed between the rounds. Both are without the optimizer.
    """
    module: nn.Module = runner.module.module  # as the reader made it
    rows = rows_by_module(runner.graph)
    modules = modules_of(module)
    row_of = {path: _row_of(path, modules, rows) for path in modules}
    times: dict[str, list[list[float]]] = defaultdict(list)
    wholes: list[float] = []
    while len(wholes) < MIN_ROUNDS or sum(wholes) < seconds / 2:
        found: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
        for i, marks in enumerate(_one_step(runner, module)):
            spent = runner.clock.seconds([moment for _, moment in marks])
            for (path, _), part in zip(marks, spent):
                if path is not None:
                    found[row_of[path]][i] += part
        for path, both in found.items():
            times[path].append(both)
        wholes.append(sum(runner.run()[:2]))
    size = runner.settings.bytes_per_element
    layers = [_layer_time(path, modules[path], rounds, rows.get(path, []), size) for path, rounds in times.items()]
    return layers, median(wholes)


def rows_by_module(graph: Graph) -> dict[str, list[Row]]:
    """The layers that each module runs, by its path."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in walk(graph):
        if not row.op.is_input:
            found[graph.graph["origin"].modules[row.name]].append(row)
    return dict(found)


def _row_of(path: str, modules: Mapping[str, nn.Module], rows: Mapping[str, Any]) -> str:
    """The module under which the time of a module is shown: it runs layers, or has tensors and no modules. A module
    that does nothing has none."""
    one = modules[path]
    is_leaf = not any(True for _ in one.children()) and bool([*one.parameters(recurse=False)])
    if path in rows or is_leaf or not path:
        return path
    return _row_of(path.rpartition(".")[0], modules, rows)


def _one_step(runner: Runner, module: nn.Module) -> Iterator[Marks]:
    """Runs a step and yields when which module began: forward, and in training backward."""
    marks: Marks = []

    def note(path: str | None) -> None:
        marks.append((path, runner.clock.mark()))

    spans = ModuleSpans(module, note)
    if not runner.settings.train:
        with torch.inference_mode(), spans.followed():
            runner.module(*runner.inputs)
        yield marks
        return
    runner.free_gradients()
    with autocast(runner.settings):
        with spans.followed():
            out = runner.module(*runner.inputs)
        loss = runner.loss(out, runner.targets)
    yield marks
    marks.clear()
    for node in nodes_before([loss]):
        node.register_prehook(_noting(note, spans.owner_of(node._sequence_nr())))
    loss.backward()  # type: ignore[no-untyped-call]
    note(None)
    yield marks


def _noting(note: Callable[[str | None], None], path: str | None) -> Callable[[Any], None]:
    """A hook of a node that belongs to a module."""
    return lambda _: note(path)


def _layer_time(path: str, module: nn.Module, rounds: list[list[float]], rows: list[Row], size: int) -> LayerTime:
    """The medians of a module's times, and what its layers count."""
    forward, backward = map(median, zip(*rounds))
    moved, macs = size * sum(map(elements_moved, rows)), sum(row.macs for row in rows)
    return LayerTime(path or NETWORK, type(module).__name__, forward, backward, moved, macs)
