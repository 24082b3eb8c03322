"""ATen's ops as costcalc's, by the names of torch's schemas: one function for each, from a call to what a node says.

A function returns None where its op cannot say what the call does, such as a convolution whose weight is computed; then
the call is taken as one of its kind (call_kinds.py). It returns NoRule where that would be wrong too.
"""

from __future__ import annotations

from costcalc import ops
from costcalc.importers.aten_ops.aten_moves import concat, flatten, grid_sample, reshape, roll, transpose, upsample
from costcalc.importers.aten_ops.aten_norms import batch_norm, embedding, group_norm, layer_norm, rms_norm
from costcalc.importers.aten_ops.aten_pointwise import (
    dropout,
    hard_tanh,
    join,
    leaky_relu,
    pointwise,
    prelu,
    softmax,
)
from costcalc.importers.aten_ops.aten_pools import adaptive_average_pool, mean, pool, reduction, vector_norm
from costcalc.importers.aten_ops.aten_products import (
    add_mm,
    attention,
    bilinear,
    conv,
    conv_transpose,
    linear,
    mat_mul,
    recurrent,
)
from costcalc.importers.aten_ops.translation import Translation

MAX_POOLS = ("max_pool1d", "max_pool2d", "max_pool3d")
ATEN_OPS: dict[str, Translation] = {
    **dict.fromkeys(("conv1d", "conv2d", "conv3d"), conv),
    **dict.fromkeys(("conv_transpose1d", "conv_transpose2d", "conv_transpose3d"), conv_transpose),
    "linear": linear, "addmm": add_mm, "bilinear": bilinear,
    "batch_norm": batch_norm, "layer_norm": layer_norm, "group_norm": group_norm,
    "embedding": embedding, "hardtanh": hard_tanh, "leaky_relu": leaky_relu, "softmax": softmax,
    **dict.fromkeys((*MAX_POOLS, *(f"{name}_with_indices" for name in MAX_POOLS)), pool(ops.MaxPool, "dilation")),
    **dict.fromkeys(("avg_pool1d", "avg_pool2d", "avg_pool3d"), pool(ops.AveragePool, "count_include_pad")),
    **dict.fromkeys(("adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d"), adaptive_average_pool),
    "flatten": flatten, "view": reshape, "reshape": reshape, "_unsafe_view": reshape, "permute": transpose,
    "transpose": transpose, "t": transpose, "rms_norm": rms_norm, "prelu": prelu, "dropout": dropout,
    "lstm": recurrent(ops.LSTM), "gru": recurrent(ops.GRU),
    "mean": mean, "sum": reduction("sum"), "amax": reduction("max"), "amin": reduction("min"), "var": reduction("var"),
    "max": reduction("max"), "min": reduction("min"), "linalg_vector_norm": vector_norm, "roll": roll,
    **dict.fromkeys(
        (f"{kind}{axes}d" for kind in ("upsample_nearest", "_upsample_nearest_exact") for axes in (1, 2, 3)),
        upsample("nearest"),
    ),
    **dict.fromkeys(("upsample_linear1d", "upsample_bilinear2d", "upsample_trilinear3d"), upsample("linear")),
    "upsample_bicubic2d": upsample("cubic"),
    **dict.fromkeys(("grid_sampler", "grid_sampler_2d", "grid_sampler_3d"), grid_sample),
    "add": join(ops.Add), "mul": join(ops.Mul), "cat": concat, "matmul": mat_mul, "bmm": mat_mul,
    "scaled_dot_product_attention": attention, "relu": pointwise(ops.ReLU), "silu": pointwise(ops.SiLU),
    "gelu": pointwise(ops.GELU), "sigmoid": pointwise(ops.Sigmoid), "tanh": pointwise(ops.Tanh),
    "hardswish": pointwise(ops.HardSwish), "hardsigmoid": pointwise(ops.HardSigmoid),
}  # fmt: skip
