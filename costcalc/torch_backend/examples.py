"""The examples that a network runs on: one batch again and again, or a small data set of several."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, fx

from costcalc.torch_backend.graph_module import example_inputs
from costcalc.torch_backend.kept_features import read_features
from costcalc.torch_backend.settings import Settings
from costcalc.torch_backend.torch_step import make_targets, output_shapes, weights_dtype

Batch = tuple[tuple[Tensor, ...], tuple[Tensor, ...]]  # inputs and targets


@dataclass(frozen=True)
class Examples:
    """Batches whose inputs are random numbers of a seed, or features that the files `features` hold: a file for each
    input, batch after batch."""

    batches: int = 1
    seed: int = 0
    features: tuple[Path, ...] = ()

    def make(self, module: fx.GraphModule, settings: Settings, train: bool) -> list[Batch]:
        """The batches on the settings' device, for a built module; targets are for training."""
        torch.manual_seed(self.seed)
        return [
            (
                self._inputs(module, settings, i),
                make_targets(output_shapes(module, settings.batch), settings.device) if train else (),
            )
            for i in range(self.batches)
        ]

    def _inputs(self, module: fx.GraphModule, settings: Settings, i: int) -> tuple[Tensor, ...]:
        dtype, device = weights_dtype(settings), settings.device
        if not self.features:
            return example_inputs(module, batch=settings.batch, device=device, dtype=dtype)
        shapes = [node.meta["row"].output_shape for node in module.graph.find_nodes(op="placeholder")]
        return tuple(
            read_features(path, (settings.batch, *shape[1:]), dtype, i).to(device)
            for path, shape in zip(self.features, shapes, strict=True)
        )
