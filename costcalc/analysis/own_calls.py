"""The blocks of an imported network on one screen: calls of a module itself that follow each other are one row.

A module may compute between its children, or all on its own: each such call has a name of its own, `view_2` or `add_3`.
Where a table by block would be longer than a screen, those that follow each other become `view_2 … add_3`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby, pairwise
from typing import TypeAlias

from costcalc.analysis.fold import LayerBlock, folded
from costcalc.analysis.walk import Row
from costcalc.importers.torch_runs.run_record import APART

MAX_BLOCKS = 40  # rows of a table by block that fit a screen
Run: TypeAlias = "list[LayerBlock]"  # of calls that follow each other
Starts: TypeAlias = "Callable[[LayerBlock, LayerBlock | None], bool]"  # does a part begin with this block, after that?


def at_products(block: LayerBlock, before: LayerBlock | None) -> bool:
    """Each part begins with a product."""
    return _multiplies(block)


def at_new_sizes(block: LayerBlock, before: LayerBlock | None) -> bool:
    """Each part begins with a product that makes another shape than the product before."""
    return _multiplies(block) and before is not None and before.output_shape != block.output_shape


def on_a_screen(rows: Sequence[Row], depth: int, modules: Mapping[str, str]) -> list[LayerBlock]:
    """The blocks of this depth. If they are more than fit, calls of a module itself that follow each other are one:
    each product with what follows it, or as many as make one size, or all. `modules` is the path of the module that
    runs each layer, by its name."""
    blocks = folded(rows, depth)
    if not modules or len(blocks) <= MAX_BLOCKS:
        return blocks
    runs = runs_of(blocks, depth, modules)
    choices = [[part for run in runs for part in _parts(run, starts)] for starts in (at_products, at_new_sizes)]
    fewer = len(blocks) - sum(map(len, runs))
    parts = next((parts for parts in choices if fewer + len(parts) <= MAX_BLOCKS), runs)
    joined = {block.name: f"{part[0].name} … {part[-1].name}" for part in parts if len(part) > 1 for block in part}
    return folded(rows, depth, joined)


def runs_of(blocks: Sequence[LayerBlock], depth: int, modules: Mapping[str, str]) -> list[Run]:
    """The blocks that are calls of a module itself, those that follow each other in one list."""

    def caller(block: LayerBlock) -> str | None:
        if block.name.split(".")[0] in APART or any(
            _is_of(block, modules.get(row.name, ""), depth) for row in block.layers
        ):
            return None
        return block.name.rpartition(".")[0]

    return [[*run] for path, run in groupby(blocks, key=caller) if path is not None]


def _is_of(block: LayerBlock, path: str, depth: int) -> bool:
    """Is a block a module at this depth, or a further call of it: `relu`, `relu_2`? `path` is that of what runs it."""
    module = ".".join(path.split(".")[:depth])
    return bool(module) and (block.name == module or _again(block.name) == module)


def _again(name: str) -> str:
    """`relu` of `relu_2`."""
    before, _, number = name.rpartition("_")
    return before if number.isdigit() else name


def _parts(run: Run, starts: Starts) -> list[Run]:
    """A run, cut where parts begin."""
    before, cuts = None, [0]
    for at, block in enumerate(run):
        if at and starts(block, before):
            cuts.append(at)
        before = block if _multiplies(block) else before
    return [run[start:end] for start, end in pairwise([*cuts, len(run)])]


def _multiplies(block: LayerBlock) -> bool:
    return any(row.macs != 0 for row in block.layers)
