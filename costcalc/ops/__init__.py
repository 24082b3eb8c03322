"""The ops: one class each, found by its name in specs through `OPS`; and what a class of a reader's own is made of."""

from costcalc.ops.base import ANSWERS, OPS, field_kinds, op
from costcalc.ops.check_needs import check
from costcalc.ops.combine import Add, Concat, MatMul, Mul
from costcalc.ops.conv import Conv, Conv1d, Conv2d, Conv3d, ConvTranspose, Depthwise, PartialConv
from costcalc.ops.linear import RBF, Linear
from costcalc.ops.movement import ChannelPad, Flatten, Input, Reshape, Transpose, Upsample
from costcalc.ops.needs import Need
from costcalc.ops.norm import BatchNorm, GroupNorm, LayerNorm, LocalResponseNorm
from costcalc.ops.output import VIEW, computed, copied
from costcalc.ops.pointwise import (
    GELU,
    Dropout,
    HardSigmoid,
    HardSwish,
    Identity,
    LeakyReLU,
    Pointwise,
    ReLU,
    ReLU6,
    Sigmoid,
    SiLU,
    Softmax,
    Tanh,
)
from costcalc.ops.pool import AdaptiveAveragePool, AveragePool, GlobalAveragePool, MaxPool, Subsample
from costcalc.ops.rules import Tensor, free, no_needs, no_weights, of_weight_and_input, per_element, same_shape_as_input
from costcalc.ops.sequence import GRU, LSTM, Embedding, ScaledDotProductAttention

__all__ = [
    "ANSWERS",
    "GELU",
    "GRU",
    "LSTM",
    "OPS",
    "RBF",
    "VIEW",
    "AdaptiveAveragePool",
    "Add",
    "AveragePool",
    "BatchNorm",
    "ChannelPad",
    "Concat",
    "Conv",
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvTranspose",
    "Depthwise",
    "Dropout",
    "Embedding",
    "Flatten",
    "GlobalAveragePool",
    "GroupNorm",
    "HardSigmoid",
    "HardSwish",
    "Identity",
    "Input",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LocalResponseNorm",
    "MatMul",
    "MaxPool",
    "Mul",
    "Need",
    "PartialConv",
    "Pointwise",
    "ReLU",
    "ReLU6",
    "Reshape",
    "ScaledDotProductAttention",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Subsample",
    "Tanh",
    "Tensor",
    "Transpose",
    "Upsample",
    "check",
    "computed",
    "copied",
    "field_kinds",
    "free",
    "no_needs",
    "no_weights",
    "of_weight_and_input",
    "op",
    "per_element",
    "same_shape_as_input",
]
