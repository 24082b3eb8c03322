"""The registry of metrics: what each counts, its unit and what it is made of.

A new metric is one more entry of METRICS; docs/add_a_metric.md shows it.
"""

from __future__ import annotations

from costcalc.analysis import counted_elsewhere, paths, receptive_columns
from costcalc.analysis.memory import live_elements, written_elements
from costcalc.analysis.metric import LARGEST, LEAVING, Metric, Part, PathMetric
from costcalc.analysis.traffic import activations_moved, weights_moved
from costcalc.analysis.training import step_metrics
from costcalc.analysis.walk import Row
from costcalc.dims import Size, elements

_LEARNED = ("weight", "bias", "norm")


def _connections(row: Row) -> list[Size]:
    return [row.costs["macs"], *([row.costs["elementwise"]] if row.costs["bias"] else [])]


def _output(row: Row) -> list[Size]:
    return [elements(row.output_shape)]


METRICS: dict[str, Metric] = {
    "params": Metric(
        title="params", counts="learned scalars: weights, biases, normalisation; shared tensors once",
        unit="learned scalars", parts=(Part(_LEARNED),), usual=True,
    ),
    "weight": Metric(title="weights", counts="learned scalars of weights and kernels", parts=(Part(("weight",)),)),
    "bias": Metric(title="biases", counts="learned scalars of biases", parts=(Part(("bias",)),)),
    "norm": Metric(title="norm params", counts="learned scalars of normalisation layers", parts=(Part(("norm",)),)),
    "buffers": Metric(
        title="buffers", counts="scalars that are stored and not learned, as running statistics",
        parts=(Part(("buffers",)),),
    ),
    "macs": Metric(
        title="MACs", counts="multiply-accumulates", unit="multiplications", parts=(Part(("macs",)),), usual=True
    ),
    "flops": Metric(
        title="FLOPs", counts="2 × MACs: a multiplication and an addition for each", unit="operations",
        parts=(Part(("macs",), 2),),
    ),
    "macs_on_input": Metric(
        title="MACs on input", brief="those with zeros of the padding left out",
        unit="multiplications", parts=(Part(counted_elsewhere.macs_on_input),),
        no_formula="the edges of images make one too long to read; `costcalc sweep` has it at any number of points",
        counts="multiply-accumulates with an element of a layer's input: those with zeros of its padding left out",
    ),
    "elementwise": Metric(
        title="elementwise", brief="all other arithmetic",
        counts="all other arithmetic, one per element and elementary operation",
        unit="operations", parts=(Part(("elementwise",)),), usual=True,
    ),
    "bias_additions": Metric(
        title="bias additions", counts="one for each output of a convolution or linear layer that has a bias",
        unit="operations", parts=(Part(counted_elsewhere.bias_additions),),
    ),
    "bn_elements": Metric(
        title="batch-norm elements", counts="elements that batch norm writes", unit="elements",
        parts=(Part(counted_elsewhere.bn_elements),),
    ),
    "activations": Metric(
        title="activations", counts="elements written by layers, views none", brief="elements that layers write",
        unit="elements written", parts=(Part(("activations",)),), usual=True,
    ),
    "activations_in_place": Metric(
        title="activations in place", brief="those that torch's inplace=True writes over once",
        unit="elements written", layers=written_elements,
        counts="elements written by layers, each tensor that is written over once, as with torch's inplace=True",
    ),
    "input_elements": Metric(
        title="input elements", unit="elements", layers=counted_elsewhere.input_elements,
        counts="elements of the network's inputs, each at the first layer that reads it",
    ),
    "output": Metric(
        title="output", counts="elements that leave a layer, block or network", brief="elements that leave it",
        unit="elements",
        parts=(Part(_output),), together=LEAVING,
    ),
    "widest": Metric(
        title="widest", counts="elements of the largest output of a layer", brief="the largest output inside",
        unit="elements",
        parts=(Part(_output),), together=LARGEST,
    ),
    "connections": Metric(
        title="connections", counts="LeCun's: inputs wired to units, the bias input of each included",
        parts=(Part(_connections),),
    ),
    "weight_bytes": Metric(
        title="weight bytes", counts="params and buffers", unit="bytes",
        parts=(Part((*_LEARNED, "buffers"), "weights"),), usual=True,
    ),
    "peak_bytes": Metric(
        title="peak bytes", brief="the most activations at once at inference, inputs too",
        unit="bytes", layers=live_elements, scale="activations", together=LARGEST,
        counts="the most activations held at once at inference, inputs included, written over where torch's "
        "inplace=True may; weights, padded copies and workspaces apart",
    ),
    "memory_bytes": Metric(
        title="memory", unit="bytes", step=step_metrics.memory_bytes, together=LARGEST,
        counts="weights, buffers and peak bytes: what inference holds at once",
    ),
    "traffic_bytes": Metric(
        title="traffic bytes", unit="bytes", brief="what each layer reads and writes: inputs, weights, outputs",
        parts=(Part(weights_moved, "weights"), Part(activations_moved, "activations")),
        counts="inputs and weights that layers read and outputs they write, each layer on its own; views none, "
        "caches, workspaces and fused kernels not considered",
    ),
    "intensity": Metric(
        title="MACs/byte", counts="MACs over traffic bytes; FLOPs per byte are twice as many",
        of=("macs", "traffic_bytes"),
    ),
    "train_macs": Metric(
        title="train MACs", brief="multiplies of a training step: forward, again, and of all gradients",
        unit="multiplications", step=step_metrics.train_macs,
        counts="multiply-accumulates of a training step: forward, once more of checkpointed rows, and of all gradients",
    ),
    "recomputed_macs": Metric(
        title="recomputation", brief="multiplies of rows that are computed again for gradients",
        unit="multiplications", step=step_metrics.recomputed_macs,
        counts="multiply-accumulates of checkpointed rows that are computed again for their gradients",
    ),
    "input_gradient_macs": Metric(
        title="input gradients", brief="multiplies of gradients of layers' inputs",
        unit="multiplications", step=step_metrics.input_gradient_macs,
        counts="multiply-accumulates of the gradients of layers' inputs, where something below is trained",
    ),
    "weight_gradient_macs": Metric(
        title="weight gradients", brief="multiplies of gradients of what is trained",
        unit="multiplications", step=step_metrics.weight_gradient_macs,
        counts="multiply-accumulates of the gradients of tensors that are trained",
    ),
    "train_elementwise": Metric(
        title="train elementwise", brief="all other arithmetic of a training step",
        unit="operations", step=step_metrics.train_elementwise,
        counts="all other arithmetic of a training step: forward, gradients, cross-entropy, update",
    ),
    "update_operations": Metric(
        title="update", unit="operations", step=step_metrics.update_operations,
        counts="arithmetic of the optimizer, a part of train elementwise",
    ),
    "trainable_params": Metric(
        title="trainable params", unit="learned scalars", step=step_metrics.trainable_params,
        counts="params that are trained",
    ),
    "frozen_params": Metric(
        title="frozen params", unit="learned scalars", step=step_metrics.frozen_params,
        counts="params that keep their values",
    ),
    "saved_bytes": Metric(
        title="saved bytes", brief="what layers keep for the backward pass; weights apart",
        unit="bytes", step=step_metrics.saved_bytes,
        counts="what layers keep for the backward pass, each memory once: torch's autograd on a CPU; weights apart",
    ),
    "train_peak_bytes": Metric(
        title="train peak bytes", brief="the most held at once in a training step",
        unit="bytes", step=step_metrics.train_peak_bytes, together=LARGEST,
        counts="the most held at once in a training step: weights, gradients, what the optimizer keeps, activations; "
        "torch's kernels on a CPU, their workspaces apart",
    ),
    "receptive_field": Metric(
        title="receptive field", brief="elements of the input that one element of an output depends on",
        path=PathMetric(receptive_columns.receptive_fields, receptive_columns.largest, "shape"),
        counts="elements of the input, along each axis, that one element of a layer's output depends on",
    ),
    "stride": Metric(
        title="stride", counts="elements of its input from one window of a layer to the next; of a block the product",
        path=PathMetric(
            receptive_columns.strides, receptive_columns.largest, "shape", ("jump", receptive_columns.stride_between)
        ),
    ),
    "jump": Metric(
        title="jump", path=PathMetric(receptive_columns.jumps, receptive_columns.largest, "shape"),
        counts="elements of the network's input between neighbours: the product of all strides",
    ),
    "shortest_path": Metric(
        title="shortest path", path=PathMetric(paths.shortest_paths, paths.shortest),
        counts="the fewest convolutions, linear and recurrent layers on a path from the input",
    ),
    "paths": Metric(
        title="paths", path=PathMetric(paths.paths, sum), counts="paths from the input through the layer graph",
    ),
    "seconds": Metric(
        title="seconds", brief="median of the newest quiet run here: inference, eager, float32", measured=True,
        no_formula="it is measured: `costcalc time` takes it",
        counts="median of the newest run of this very network on this device that was not noisy: inference, eager, "
        "float32",
    ),
}  # fmt: skip
USUAL = tuple(name for name, metric in METRICS.items() if metric.usual)
COUNTED = tuple(name for name, metric in METRICS.items() if metric.is_counted)
IN_BYTES = frozenset(
    name for name, metric in METRICS.items() if "bytes" in (metric.unit, *(METRICS[of].unit for of in metric.of or ()))
)
