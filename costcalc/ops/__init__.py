"""The ops: one class each, found by its name in specs through `OPS`; and what a class of a reader's own is made of."""

from costcalc.ops.attention import Embedding, ScaledDotProductAttention
from costcalc.ops.base import ANSWERS, OPS, field_kinds, op
from costcalc.ops.check_needs import check
from costcalc.ops.combine import Add, Concat, MatMul, Mul
from costcalc.ops.conv import Conv, Conv1d, Conv2d, Conv3d, ConvTranspose, Depthwise
from costcalc.ops.gradients import (
    Extra,
    Kept,
    Wanted,
    bias_sums,
    gradient_per_element,
    gradients_move,
    keeps_input,
    keeps_nothing,
    keeps_output,
)
from costcalc.ops.imported import Constant, Contraction, Elementwise, Move, Parameter, Reduction, View
from costcalc.ops.interpolation import GridSample, Upsample
from costcalc.ops.linear import RBF, Bilinear, Linear
from costcalc.ops.locally_connected import LocallyConnected
from costcalc.ops.movement import ChannelPad, Flatten, Input, Reshape, Transpose
from costcalc.ops.needs import Need
from costcalc.ops.norm import BatchNorm, GroupNorm, LayerNorm, LocalResponseNorm, RMSNorm
from costcalc.ops.output import VIEW, computed, copied
from costcalc.ops.partial_conv import PartialConv
from costcalc.ops.pointwise import (
    GELU,
    Dropout,
    HardSigmoid,
    HardSwish,
    Identity,
    LeakyReLU,
    Pointwise,
    PReLU,
    ReLU,
    ReLU6,
    Sigmoid,
    SiLU,
    Softmax,
    Tanh,
)
from costcalc.ops.pool import AdaptiveAveragePool, AveragePool, GlobalAveragePool, MaxPool, Subsample
from costcalc.ops.precision import in_half
from costcalc.ops.reads import Along, reads_features, reads_same_place, reads_sample, reads_window
from costcalc.ops.recurrent import GRU, LSTM
from costcalc.ops.reduce import Reduce
from costcalc.ops.rules import Tensor, free, no_needs, no_weights, of_weight_and_input, per_element, same_shape_as_input
from costcalc.ops.slicing import Pad, Roll, Slice

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
    "Along",
    "AveragePool",
    "BatchNorm",
    "Bilinear",
    "ChannelPad",
    "Concat",
    "Constant",
    "Contraction",
    "Conv",
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvTranspose",
    "Depthwise",
    "Dropout",
    "Elementwise",
    "Embedding",
    "Extra",
    "Flatten",
    "GlobalAveragePool",
    "GridSample",
    "GroupNorm",
    "HardSigmoid",
    "HardSwish",
    "Identity",
    "Input",
    "Kept",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LocalResponseNorm",
    "LocallyConnected",
    "MatMul",
    "MaxPool",
    "Move",
    "Mul",
    "Need",
    "PReLU",
    "Pad",
    "Parameter",
    "PartialConv",
    "Pointwise",
    "RMSNorm",
    "ReLU",
    "ReLU6",
    "Reduce",
    "Reduction",
    "Reshape",
    "Roll",
    "ScaledDotProductAttention",
    "SiLU",
    "Sigmoid",
    "Slice",
    "Softmax",
    "Subsample",
    "Tanh",
    "Tensor",
    "Transpose",
    "Upsample",
    "View",
    "Wanted",
    "bias_sums",
    "check",
    "computed",
    "copied",
    "field_kinds",
    "free",
    "gradient_per_element",
    "gradients_move",
    "in_half",
    "keeps_input",
    "keeps_nothing",
    "keeps_output",
    "no_needs",
    "no_weights",
    "of_weight_and_input",
    "op",
    "per_element",
    "reads_features",
    "reads_same_place",
    "reads_sample",
    "reads_window",
    "same_shape_as_input",
]
