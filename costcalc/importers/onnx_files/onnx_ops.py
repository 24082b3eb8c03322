"""Every op of ONNX that has a rule, and the words about those that have none."""

from __future__ import annotations

from functools import reduce
from typing import Any

from costcalc import ops
from costcalc.errors import ImportRefused, shorten
from costcalc.importers.aten_ops.call_kinds import POINTWISE, Work
from costcalc.importers.onnx_files import onnx_moves as moves
from costcalc.importers.onnx_files import onnx_norms as norms
from costcalc.importers.onnx_files import onnx_products as products
from costcalc.importers.onnx_files import onnx_reductions as reductions
from costcalc.importers.onnx_files import onnx_reshapes as reshapes
from costcalc.importers.onnx_files import onnx_windows as windows
from costcalc.importers.onnx_files.onnx_nodes import OnnxNode
from costcalc.importers.onnx_files.onnx_own_ops import OWN_OPS
from costcalc.importers.onnx_files.onnx_record import OnnxRecord
from costcalc.importers.onnx_files.onnx_values import Asked, Made, Translation, Value, one
from costcalc.importers.torch_runs.run_record import Leniency
from costcalc.ops.broadcast import broadcast
from costcalc.ops.imported import Elementwise


def function(op: Any) -> Translation:
    """A function of one tensor, without fields."""
    return lambda asked: one(op(), asked.x)


def pointwise(work: Work) -> Translation:
    """A function of elements. Numbers among its inputs belong to it: x·3 reads one tensor."""

    def translated(asked: Asked) -> Made:
        read = operands(asked)
        kept = () if len(read) < 2 and work.kept == (0, 1) else tuple(i for i in work.kept if i < len(read))
        return one(Elementwise(work.operations, work.gradient_operations, kept, work.keeps_output), *read)

    return translated


def operands(asked: Asked) -> list[Value]:
    """The inputs of a function of elements, without numbers that do not change its shape."""
    given = [x for x in asked.inputs if x is not None]
    out = reduce(broadcast, (x.shape for x in given), ())
    read = [x for x in given if not (x.is_known and x.is_one and len(x.shape) < max(len(out), 1))]
    read = [x for x in read if not (x.is_known and x.is_one)] or read or given
    return read if len(reduce(broadcast, (x.shape for x in read), ())) == len(out) else given


def join(op: Any, work: Work) -> Translation:
    """A sum or product of tensors; with a number it is a function of one."""

    def translated(asked: Asked) -> Made | Value:
        read = operands(asked)
        if len(asked.inputs) == 1:
            return asked.x
        return one(op(), *read) if len(read) > 1 and all(x.shape for x in read) else pointwise(work)(asked)

    return translated


def variadic(asked: Asked) -> Made | Value:
    """The mean, the largest or the smallest of several tensors."""
    count = len(asked.inputs)
    return pointwise(Work(count if asked.node.op == "Mean" else count - 1, 1, ()))(asked) if count > 1 else asked.x


def clip(asked: Asked) -> Made:
    """Between a low and a high number: between 0 and 6 it is ReLU6."""
    ends = [asked.node.attributes.get(name, asked.given(i + 1)) for i, name in enumerate(("min", "max"))]
    numbers = [end.entries if isinstance(end, Value) else (end,) for end in ends if end is not None]
    if numbers == [(0,), (6,)]:
        return one(ops.ReLU6(), asked.x)
    return one(Elementwise(len(numbers), 1, (0,)), asked.x)


def softmax(asked: Asked) -> Made:
    """Along one axis; before version 13 along all from one."""
    axis = asked.axis(-1 if asked.opset >= 13 else 1)
    return one(ops.Softmax(-1 if axis == asked.rank - 1 else axis), asked.x)


def leaky_relu(asked: Asked) -> Made:
    """max(x, slope·x)."""
    return one(ops.LeakyReLU(float(asked.attribute("alpha", 0.01))), asked.x)


def response_norm(asked: Asked) -> Made:
    """Normalisation over neighbouring channels."""
    return one(ops.LocalResponseNorm(asked.attribute("size", 1)), asked.x)


W = POINTWISE
POINTWISE_OPS = {
    "Sub": W["sub"], "Div": W["div"], "Pow": W["pow"], "Exp": W["exp"], "Log": W["log"], "Sqrt": W["sqrt"],
    "Reciprocal": W["reciprocal"], "Neg": W["neg"], "Abs": W["abs"], "Sin": W["sin"], "Cos": W["cos"],
    "Erf": W["erf"], "Softplus": W["softplus"], "Elu": W["elu"], "Celu": W["celu"], "Selu": W["selu"],
    "Mish": W["mish"], "LogSoftmax": W["log_softmax"], "Where": W["where"], "Softsign": Work(3, 4, (0,)),
    "ThresholdedRelu": Work(1, 1, (0,)), "Shrink": Work(3, 1, (0,)), "MeanVarianceNormalization": Work(5, 9, (0,)),
    "LpNormalization": Work(3, 5, (0,)), "Hardmax": Work(2, 0),
    **dict.fromkeys(("Tan", "Sinh", "Cosh", "Asin", "Acos", "Atan", "Asinh", "Acosh", "Atanh"), Work(1, 3, (0,))),
    **dict.fromkeys(("Floor", "Ceil", "Round", "Sign", "Not", "IsNaN", "IsInf", "BitwiseNot"), Work(1, 0)),
    **dict.fromkeys(("Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "And", "Or", "Xor", "BitShift",
                     "BitwiseAnd", "BitwiseOr", "BitwiseXor"), Work(1, 0)), "Mod": Work(1, 0),
}  # fmt: skip
ONNX_OPS: dict[str, Translation] = {
    **OWN_OPS,
    **{op: pointwise(work) for op, work in POINTWISE_OPS.items()},
    **dict.fromkeys((*reductions.OPERATIONS, *reductions.OTHER_REDUCTIONS), reductions.reduction),
    **dict.fromkeys(("Mean", "Max", "Min"), variadic),
    **dict.fromkeys(("ScatterND", "ScatterElements", "Scatter"), moves.scatter),
    **dict.fromkeys(("Cast", "CastLike", "BitCast", "Trilu", "ReverseSequence"), moves.copied),
    **dict.fromkeys(("ArgMax", "ArgMin"), reductions.arg),
    **dict.fromkeys(("RMSNormalization", "SimplifiedLayerNormalization", "com.microsoft::SimplifiedLayerNormalization"),
                    norms.rms_norm),
    **dict.fromkeys(("Gelu", "com.microsoft::Gelu", "com.microsoft::FastGelu"), function(ops.GELU)),
    "Conv": windows.conv, "ConvTranspose": windows.conv_transpose, "MaxPool": windows.pool(ops.MaxPool),
    "AveragePool": windows.pool(ops.AveragePool, "count_include_pad"), "Gemm": products.gemm,
    "MatMul": products.mat_mul, "Einsum": products.einsum, "LSTM": products.recurrent(ops.LSTM, 4),
    "GRU": products.recurrent(ops.GRU, 3), "RNN": products.plain_recurrence, "Attention": products.attention,
    "BatchNormalization": norms.batch_norm, "InstanceNormalization": norms.instance_norm,
    "GroupNormalization": norms.group_norm, "LayerNormalization": norms.layer_norm, "PRelu": norms.prelu,
    "LRN": response_norm, "Add": join(ops.Add, W["add"]), "Sum": join(ops.Add, W["add"]),
    "Mul": join(ops.Mul, W["mul"]), "Clip": clip, "Softmax": softmax, "LeakyRelu": leaky_relu,
    "Relu": function(ops.ReLU), "Sigmoid": function(ops.Sigmoid), "Tanh": function(ops.Tanh),
    "HardSigmoid": function(ops.HardSigmoid), "HardSwish": function(ops.HardSwish), "Swish": function(ops.SiLU),
    "GlobalAveragePool": reductions.global_reduction("mean"), "GlobalMaxPool": reductions.global_reduction("max"),
    "GlobalLpPool": reductions.global_reduction("norm"), "Identity": moves.same, "Dropout": moves.dropout,
    "Reshape": moves.view(reshapes.reshaped), "Flatten": moves.view(reshapes.flattened),
    "Squeeze": moves.view(reshapes.squeezed), "Unsqueeze": moves.view(reshapes.unsqueezed),
    "Transpose": moves.transpose, "Expand": moves.expand, "Concat": moves.concat, "Split": moves.split,
    "Slice": moves.take, "Gather": moves.gather,
    "GatherElements": moves.gather_elements, "GatherND": moves.gather_nd, "Pad": moves.pad, "Tile": moves.tile,
    "DepthToSpace": moves.blocks(True), "SpaceToDepth": moves.blocks(False), "Resize": moves.resize,
    "Upsample": moves.resize, "TopK": reductions.top_k, "OneHot": moves.one_hot, "CumSum": reductions.cumulative,
    "GridSample": moves.sampled,
}  # fmt: skip
ONLY_OF_SIZES = {  # they have no layer (onnx_shapes.py)
    "Shape", "Size", "Constant", "ConstantOfShape", "Range", "EyeLike", "RandomNormalLike", "RandomUniformLike",
    "RandomNormal", "RandomUniform",
}  # fmt: skip
CONTROL_FLOW = {"If", "Loop", "Scan", "SequenceMap"}
OF_VALUES = {"NonZero", "Unique", "Compress", "NonMaxSuppression"}
QUANTISED = {"DequantizeLinear", "QuantizeLinear", "DynamicQuantizeLinear", "MatMulInteger", "ConvInteger"}


def why_without_rule(op: str) -> str:
    """What an op without a rule is, in brackets; nothing if that cannot be said."""
    name = op.rpartition("::")[2]
    if name in CONTROL_FLOW:
        return " (control flow)"
    if name in OF_VALUES:
        return " (its size depends on data)"
    if name in QUANTISED or name.startswith(("QLinear", "QAttention", "QGemm", "MatMulNBits", "DynamicQuantize")):
        return " (quantised)"
    return ""


def has_rule(op: str) -> bool:
    """Has an op a rule here?"""
    return op in ONNX_OPS or op in ONLY_OF_SIZES


def refuse_without_rule(record: OnnxRecord, lenient: Leniency) -> dict[str, list[OnnxNode]]:
    """The nodes without a rule that are taken as free, by their op. Raises ImportRefused with every other op that has
    none, how often it stands, and where first."""
    without: dict[str, list[OnnxNode]] = {}
    for node in record.nodes:
        if not has_rule(node.op):
            without.setdefault(node.op, []).append(node)
    free = {op: without.pop(op) for op in [*without] if lenient.accepts(op)}
    if without:
        parts = (
            f"{shorten(op)}{why_without_rule(op)} ×{len(nodes)}, first {nodes[0].label!r}"
            for op, nodes in without.items()
        )
        hint = f"--assume-free {shorten(next(iter(without)))} counts it as 0"
        raise ImportRefused(f"{record.name}: no rule for {'; '.join(parts)}", hint)
    return free
