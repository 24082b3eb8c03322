"""The layers that are made of an ONNX file, and their names."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, NamedTuple

from costcalc.dims import Shape
from costcalc.importers.onnx_files.onnx_nodes import MAX_NAME
from costcalc.text import FreeNames


class Layer(NamedTuple):
    """A layer without its name: that follows from those of all."""

    op: Any
    inputs: tuple[int, ...]
    path: str | None  # of its module
    name: str  # of its node or tensor
    shape: Shape
    is_main: bool = True  # of the layers of a node
    shares: int | None = None  # the layer whose tensors it has
    at: tuple[int, ...] = ()  # the numbers of its nodes in the file


class Namer:
    """Names of layers: the path of a module that makes one layer; else the path, the op, and a number. A module with
    modules of its own never gives a layer its name: that is the block's. Without a path it is the node's name."""

    def __init__(self, layers: list[Layer]):
        self.alone = Counter(layer.path for layer in layers if layer.path and layer.is_main)
        self.blocks = {path[:at] for path in self.alone for at, sign in enumerate(path) if sign == "."}
        self.names = FreeNames()

    def name_of(self, layer: Layer) -> str:
        """A name that no layer has."""
        if layer.path is None:
            name = layer.name.replace("/", ".").strip(".")[:MAX_NAME] or layer.op.name
        elif self.alone[layer.path] == 1 and layer.path not in self.blocks:
            name = layer.path
        else:
            name = f"{layer.path}.{layer.op.name}" if layer.path else layer.op.name
        return self.names.take(name if layer.is_main or name.endswith(layer.op.name) else f"{name}_{layer.op.name}")


def is_anonymous(name: str) -> bool:
    """Did an exporter number a tensor or a node without a name in the module: onnx::Add_7651, val_12, node_Split_3?"""
    return re.fullmatch(r"((onnx::|node_)\w*|val|_val|const\w*|tensor|n)?_?\d+", name) is not None
