"""An op in the words of a drawing: `3×3 conv /2`, `BN`, `max pool 2×2 /2`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from costcalc.dims import Shape

SHORT = {
    "batch_norm": "BN", "layer_norm": "LN", "group_norm": "GN", "instance_norm": "IN", "rms_norm": "RMSNorm",
    "local_response_norm": "LRN", "relu": "ReLU", "relu6": "ReLU6", "silu": "SiLU", "gelu": "GELU",
    "sigmoid": "sigmoid", "hard_swish": "hard-swish", "hard_sigmoid": "hard-sigmoid", "leaky_relu": "LeakyReLU",
    "global_average_pool": "global avg pool", "average_pool": "avg pool", "adaptive_average_pool": "adaptive avg pool",
    "conv_transpose": "transposed conv", "multi_head_attention": "attention", "linear": "linear", "lstm": "LSTM",
    "gru": "GRU", "rnn": "RNN", "mul": "multiply",
}  # fmt: skip
PLAIN_WORDS = {"conv1d": "conv", "conv2d": "conv", "conv3d": "conv"}
SHORTER = tuple(
    (re.compile(words), shorter)
    for words, shorter in (
        (r", (\d+) groups", r" g\1"), ("depthwise", "dw"), ("transposed conv", "convT"),
        ("(adaptive|global) avg", r"\1"), (r"\b(max|avg) pool", r"\1pool"),
        ("scaled dot product ", ""), (r" /(?=\d)", "/"), (r" \+ ", "+"),
    )
)  # fmt: skip


def op_words(op: Any, outputs: Shape) -> str:
    """The op with its kernel, stride and groups, as papers write them."""
    name = PLAIN_WORDS.get(op.name, op.name)
    word: str = SHORT.get(name, name.replace("_", " "))
    kernel = getattr(op, "kernel", None)
    if kernel is None:
        return word
    size = _sides(kernel, len(outputs) - 2)
    groups = getattr(op, "groups", 1)
    if groups != 1 and word == "conv":
        word = "depthwise" if groups == outputs[1] else f"conv, {groups} groups"
    stride = getattr(op, "stride", 1)
    step = "" if _is_one(stride) else f" /{stride if not isinstance(stride, Sequence) else _sides(stride, 0)}"
    return f"{word} {size}{step}" if "pool" in word else f"{size} {word}{step}"


def arrow_words(op: Any, outputs: Shape) -> str:
    """The op in as few signs as stand above an arrow: `5×5 /2`, `pool /2`."""
    words = op_words(op, outputs)
    if "pool" in words:
        head, slash, step = words.partition(" /")
        return "global pool" if head.startswith("global") else f"pool{slash}{step}"
    return words.replace(" conv", "")


def shorter_words(words: str, size: int) -> str:
    """The words of a line of a tree in at most so many signs, if they can be: `7×7 conv/2+BN+ReLU` for
    `7×7 conv /2 + BN + ReLU`, and where that is too long `7×7 conv/2…`, without what stands behind the first op."""
    ops, arrow, reading = words.partition(" ←")
    for pattern, shorter in SHORTER:
        ops = pattern.sub(shorter, ops)
    if len(ops) + len(arrow) + len(reading) <= size or arrow:
        return f"{ops}{arrow}{reading}"
    parts = ops.split("+")
    fewer = ["+".join(parts[:count]) + "…" for count in range(len(parts) - 1, 0, -1)]
    return next((form for form in fewer if len(form) <= size), parts[0])


def _sides(kernel: Any, axes: int) -> str:
    sides = [*kernel] if isinstance(kernel, Sequence) else [kernel] * max(axes, 1)
    return "×".join(map(str, sides))


def _is_one(stride: Any) -> bool:
    return all(each == 1 for each in (stride if isinstance(stride, Sequence) else [stride]))
