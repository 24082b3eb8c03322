"""The parts of a training step in torch, as `costcalc.TrainStep` counts them: loss, optimizer, precision, freezing."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn import functional

from costcalc.dims import Shape
from costcalc.dtype import MIXED
from costcalc.graph import Graph, unroll
from costcalc.torch_backend.settings import BadSetting, Settings
from costcalc.train_step import NOTHING_TO_TRAIN

LEARNING_RATE = 1e-3
MOMENTUM = 0.9


def weights_dtype(settings: Settings) -> torch.dtype:
    """The dtype of weights and inputs: float32 in mixed precision."""
    dtype: torch.dtype = torch.float32 if settings.dtype == MIXED else getattr(torch, settings.dtype)
    return dtype


def autocast(settings: Settings) -> Any:
    """The context of forward pass and loss: in mixed precision torch chooses bfloat16 or float32 for each op."""
    if settings.dtype != MIXED:
        return nullcontext()
    return torch.autocast(torch.device(settings.device).type, dtype=torch.bfloat16)


def trained_parameters(module: nn.Module) -> list[nn.Parameter]:
    """The parameters that learn. Raises BadSetting if there are none."""
    everything = [*module.parameters()]
    if not everything:
        raise BadSetting("it has no weights to train; leave out --train")
    trained = [parameter for parameter in everything if parameter.requires_grad]
    if not trained:
        raise BadSetting(NOTHING_TO_TRAIN)
    return trained


def make_optimizer(name: str, parameters: Sequence[nn.Parameter]) -> torch.optim.Optimizer:
    """The optimizer of a name of costcalc.train_step."""
    match name:
        case "momentum":
            return torch.optim.SGD(parameters, lr=LEARNING_RATE, momentum=MOMENTUM)
        case "adam":
            return torch.optim.Adam(parameters, lr=LEARNING_RATE)
        case "adamw":
            return torch.optim.AdamW(parameters, lr=LEARNING_RATE)
        case _:
            return torch.optim.SGD(parameters, lr=LEARNING_RATE)


def output_shapes(module: fx.GraphModule, batch: int) -> list[Shape]:
    """The shapes of the outputs of a built module."""
    (outputs,) = module.graph.output_node().args
    nodes = outputs if isinstance(outputs, (tuple, list)) else (outputs,)
    shapes = (node.meta["row"].output_shape for node in nodes)  # type: ignore[union-attr]
    return [(batch, *shape[1:]) for shape in shapes]


def make_targets(shapes: Sequence[Shape], device: str) -> tuple[Tensor, ...]:
    """Random classes for outputs of these shapes: int64, without the axis of classes, which is the second."""
    return tuple(
        torch.randint(shape[min(1, len(shape) - 1)], (*shape[:1], *shape[2:])[: max(1, len(shape) - 1)], device=device)
        for shape in shapes
    )


def cross_entropy(outputs: Any, targets: Sequence[Tensor]) -> Tensor:
    """The sum of the mean cross-entropies of all outputs."""
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    losses = [functional.cross_entropy(out, target) for out, target in zip(outputs, targets, strict=True)]
    return losses[0] if len(losses) == 1 else torch.stack(losses).sum()


def evaluate_frozen_statistics(module: fx.GraphModule, graph: Graph) -> None:
    """Lets layers with statistics that are wholly frozen run as at inference."""
    written_out = unroll(graph)
    for node in module.graph.find_nodes(op="call_module"):
        layer = module.get_submodule(str(node.target))
        frozen = written_out.nodes[node.meta["row"].name].get("frozen") is True
        if frozen and [*layer.buffers(recurse=False)]:
            layer.eval()
