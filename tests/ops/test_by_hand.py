"""Counts worked out with pencil and paper, for every op at least one; and counts made by running plain loops."""

from itertools import product

import pytest
from support.cases import LENET_C3, label

from costcalc.dims import prod
from costcalc.ops import (
    GELU,
    GRU,
    LSTM,
    OPS,
    RBF,
    AdaptiveAveragePool,
    Add,
    AveragePool,
    BatchNorm,
    Bilinear,
    ChannelPad,
    Concat,
    Constant,
    Contraction,
    Conv,
    Conv1d,
    Conv2d,
    Conv3d,
    ConvTranspose,
    Depthwise,
    Dropout,
    Elementwise,
    Embedding,
    Flatten,
    GlobalAveragePool,
    GridSample,
    GroupNorm,
    HardSigmoid,
    HardSwish,
    Identity,
    Input,
    LayerNorm,
    LeakyReLU,
    Linear,
    LocallyConnected,
    LocalResponseNorm,
    MatMul,
    MaxPool,
    Move,
    Mul,
    Pad,
    Parameter,
    PartialConv,
    PReLU,
    Reduce,
    Reduction,
    ReLU,
    ReLU6,
    Reshape,
    RMSNorm,
    Roll,
    ScaledDotProductAttention,
    Sigmoid,
    SiLU,
    Slice,
    Softmax,
    Subsample,
    Tanh,
    Transpose,
    Upsample,
    View,
)

# An op, its inputs, then by hand: output shape, tensors as (scalars, role), multiplies, elementwise operations.
BY_HAND = [
    ((Input([3, 224, 224]),), (3, 224, 224), [], 0, 0),
    # AlexNet, Krizhevsky et al. 2012, conv1: (227 − 11)/4 + 1 = 55; 11·11·3·96 = 34,848; 55·55·96 = 290,400;
    # 290,400 · 363 = 105,415,200; a bias for each of 290,400 outputs
    ((Conv(96, 11, 4), (1, 3, 227, 227)), (1, 96, 55, 55), [(34_848, "weight"), (96, "bias")], 105_415_200, 290_400),
    # AlexNet's conv2, split over two machines: 5·5·(96/2)·256 = 307,200; 27·27·256 = 186,624; · 1,200 = 223,948,800
    ((Conv(256, 5, 1, 2, groups=2), (1, 96, 27, 27)), (1, 256, 27, 27), [(307_200, "weight"), (256, "bias")],
     223_948_800, 186_624),
    # l = (10 − 3)/2 + 1 = 4 (rounded down); 3·2·5 = 30 weights; 4 positions · 30 = 120; 4·5 biases added
    ((Conv1d(5, 3, 2), (1, 2, 10)), (1, 5, 4), [(30, "weight"), (5, "bias")], 120, 20),
    # LeNet-5's C1, LeCun et al. 1998: 6·(5·5 + 1) = 156 parameters; 28·28·6·25 = 117,600, with the 4,704 biases
    # the 122,304 connections of section II.B
    ((Conv2d(6, 5), (1, 1, 32, 32)), (1, 6, 28, 28), [(150, "weight"), (6, "bias")], 117_600, 4_704),
    # 2·3³ = 54 weights per map, 4 maps: 216; 2·2·3 = 12 positions (4 − 3 + 1 twice, 5 − 3 + 1); 12·216 = 2,592
    ((Conv3d(4, 3, bias=False), (1, 2, 4, 4, 5)), (1, 4, 2, 2, 3), [(216, "weight")], 2_592, 0),
    # MobileNet's second depthwise layer: ⌈112/2⌉ = 56; 9·64 = 576; 56·56·576 = 1,806,336
    ((Depthwise(3, 2, "same", bias=False), (1, 64, 112, 112)), (1, 64, 56, 56), [(576, "weight")], 1_806_336, 0),
    # LeNet-5's C3: 60 pairs of maps (6·3 + 9·4 + 1·6), 60·25 + 16 = 1,516 parameters; 10·10·1,500 = 150,000, with
    # 1,600 biases the 151,600 connections of the paper
    ((PartialConv(LENET_C3, 5), (1, 6, 14, 14)), (1, 16, 10, 10), [(1_500, "weight"), (16, "bias")], 150_000, 1_600),
    # AlexNet's conv1 without sharing, CS231n: 55·55·96 = 290,400 neurons, each with 11·11·3 = 363 weights and a bias,
    # 364 together: 105,415,200 + 290,400 = 105,705,600
    ((LocallyConnected(96, 11, 4), (1, 3, 227, 227)), (1, 96, 55, 55), [(105_415_200, "weight"), (290_400, "bias")],
     105_415_200, 290_400),
    # 3 inputs 1 apart, stride 2: taps at 0…4 of width 2: length (3 − 1)·2 + 2 = 6; each of 3·4 input elements
    # multiplies 2·5 weights: 120; 5·6 biases
    ((ConvTranspose(5, 2, 2), (1, 4, 3)), (1, 5, 6), [(40, "weight"), (5, "bias")], 120, 30),
    # LeNet-5's S2: 6·2 = 12 parameters; 14·14·6 = 1,176 outputs, each 3 additions, 1 product, 1 bias = 5
    ((Subsample(), (1, 6, 28, 28)), (1, 6, 14, 14), [(6, "weight"), (6, "bias")], 0, 5_880),
    # LeNet-5's F6: 84·(120 + 1) = 10,164 parameters
    ((Linear(84), (1, 120)), (1, 84), [(10_080, "weight"), (84, "bias")], 10_080, 84),
    # LeNet-5's output: 84 differences and 84 squares for each of 10 units; the centres are set by hand
    ((RBF(10), (1, 84)), (1, 10), [(840, "buffer")], 840, 840),
    # AlexNet's pool1: (55 − 3)/2 + 1 = 27; 8 comparisons for each of 27·27·96 = 69,984 windows
    ((MaxPool(3, 2), (1, 96, 55, 55)), (1, 96, 27, 27), [], 0, 559_872),
    # 2·2 windows of 3·3: 9 operations (8 additions, 1 division) each, for 5 channels
    ((AveragePool(3, 3), (1, 5, 6, 6)), (1, 5, 2, 2), [], 0, 180),
    # 10 into 4: [0,3) [2,5) [5,8) [7,10) = 12 read on each axis, 12·12 for each of 2 channels
    ((AdaptiveAveragePool(4), (1, 2, 10, 10)), (1, 2, 4, 4), [], 0, 288),
    # 7·7·1,024: 48 additions and a division per channel
    ((GlobalAveragePool(), (1, 1024, 7, 7)), (1, 1024), [], 0, 50_176),
    # a scale and a shift for each of 64·9 elements; γ, β, mean, variance of 64 channels
    ((BatchNorm(), (1, 64, 3, 3)), (1, 64, 3, 3), [(64, "norm"), (64, "norm"), (64, "buffer"), (64, "buffer")],
     0, 1_152),
    # 10·512 elements, 5 operations for x̂ and 2 for γ, β
    ((LayerNorm(), (1, 10, 512)), (1, 10, 512), [(512, "norm"), (512, "norm")], 0, 35_840),
    # 10·512 elements, 3 operations for x̂ and 1 for γ
    ((RMSNorm(), (1, 10, 512)), (1, 10, 512), [(512, "norm")], 0, 20_480),
    # 32·4·4 = 512 elements, 7 each
    ((GroupNorm(8), (1, 32, 4, 4)), (1, 32, 4, 4), [(32, "norm"), (32, "norm")], 0, 3_584),
    # per element: 1 square, 4 additions, α·, k+, power, division = 9; 96·9 elements
    ((LocalResponseNorm(5), (1, 96, 3, 3)), (1, 96, 3, 3), [], 0, 7_776),
    ((ReLU(), (1, 10)), (1, 10), [], 0, 10),  # a comparison each
    ((ReLU6(), (1, 10)), (1, 10), [], 0, 20),  # two comparisons
    ((LeakyReLU(), (1, 10)), (1, 10), [], 0, 20),  # a product and a comparison
    ((PReLU(True), (1, 5, 2)), (1, 5, 2), [(5, "weight")], 0, 20),  # a product and a comparison
    ((Sigmoid(), (1, 10)), (1, 10), [], 0, 40),  # −x, exp, 1 +, 1 /
    ((Tanh(), (1, 10)), (1, 10), [], 0, 10),  # tanh
    ((SiLU(), (1, 10)), (1, 10), [], 0, 40),  # −x, exp, 1 +, x /
    ((HardSigmoid(), (1, 10)), (1, 10), [], 0, 40),  # + 3, max, min, / 6
    ((HardSwish(), (1, 10)), (1, 10), [], 0, 50),  # + 3, max, min, / 6, x ·
    ((GELU(), (1, 10)), (1, 10), [], 0, 50),  # / √2, erf, 1 +, x ·, / 2
    ((Softmax(), (2, 10)), (2, 10), [], 0, 100),  # compare, −, exp, +, / for each of 20
    ((Dropout(), (1, 10)), (1, 10), [], 0, 0),
    ((Identity(), (1, 10)), (1, 10), [], 0, 0),
    ((Add(), (1, 4, 5), (1, 4, 5), (1, 4, 5)), (1, 4, 5), [], 0, 40),  # two additions for each of 20
    ((Mul(), (1, 4, 5, 5), (1, 4, 1, 1)), (1, 4, 5, 5), [], 0, 100),  # the gate is spread over 25 positions
    ((Concat(), (1, 64, 28, 28), (1, 128, 28, 28), (1, 32, 28, 28)), (1, 224, 28, 28), [], 0, 0),
    ((MatMul(), (2, 3, 4), (2, 4, 5)), (2, 3, 5), [], 120, 0),  # 2 products of 3·5 dots of length 4
    ((Flatten(), (2, 16, 5, 5)), (2, 400), [], 0, 0),
    ((Reshape([16, 25]), (2, 16, 5, 5)), (2, 16, 25), [], 0, 0),
    ((Slice(1, 3, 2), (2, 16, 5)), (2, 3, 5), [], 0, 0),
    ((Pad([2], 1, 3), (2, 16, 5)), (2, 16, 9), [], 0, 0),
    ((Roll([1], 3), (2, 16, 5)), (2, 16, 5), [], 0, 0),
    ((Reduce([1], "max"), (2, 16, 5)), (2, 5), [], 0, 150),  # 15 comparisons for each of 10
    ((Transpose([0, 2, 1]), (2, 16, 25)), (2, 25, 16), [], 0, 0),
    ((ChannelPad(32), (1, 16, 8, 8)), (1, 32, 8, 8), [], 0, 0),
    ((Upsample(2), (1, 3, 4, 4)), (1, 3, 8, 8), [], 0, 0),
    # 3·8·8 = 192 outputs of 4 products and 3 additions
    ((Upsample(2, "linear"), (1, 3, 4, 4)), (1, 3, 8, 8), [], 0, 1_344),
    # 8·8 positions of two coordinates: a product, a sum, a floor and two distances each, 5·128 = 640, and 4 weights,
    # 256; 3·64 = 192 outputs of 4 products and 3 additions, 1,344
    ((GridSample(), (1, 3, 4, 4), (1, 8, 8, 2)), (1, 3, 8, 8), [], 0, 2_240),
    ((Embedding(30_000, 512), (2, 7)), (2, 7, 512), [(15_360_000, "weight")], 0, 0),
    # Vaswani et al. 2017 with 8 heads of width 64 on 10 tokens: scores 8·10·10 dots of 64 = 51,200, and as many for
    # the values; 800 scores, each scaled and softmaxed in 6 operations
    ((ScaledDotProductAttention(), *[(1, 8, 10, 64)] * 3), (1, 8, 10, 64), [], 102_400, 4_800),
    # 4 gates of 20 from 10 inputs and 20 states: 80·10 + 80·20 weights, 2·80 biases; at 5 positions 5·2,400 products;
    # 5·20 states of 4 + 8 + 12 + 2 + 3 + 1 = 30 operations
    ((LSTM(20), (1, 5, 10)), (1, 5, 20), [(800, "weight"), (1_600, "weight"), (80, "bias"), (80, "bias")],
     12_000, 3_000),
    # 4·(8·6) weights; for each of 2·4 outputs 6 products of 8 summed, and 6 with those: 8·6·9; 8 biases
    ((Bilinear(4), (2, 8), (2, 6)), (2, 4), [(192, "weight"), (4, "bias")], 432, 8),
    # 3 gates: 60·10 + 60·20 weights; 5·1,800 products; 5·20 states of 3 + 6 + 1 + 8 + 1 + 4 = 23 operations
    ((GRU(20), (1, 5, 10)), (1, 5, 20), [(600, "weight"), (1_200, "weight"), (60, "bias"), (60, "bias")],
     9_000, 2_300),
    # two directions and layers of 4·2 rows: 8·3 + 8·2 weights twice, then 8·4 + 8·2 twice: 2·40 + 2·48 = 176 at each
    # of 5 positions; 4 cells of 2 states of 4 + 12 + 2 + 3 + 1 = 22 operations
    ((LSTM(2, layers=2, bidirectional=True, bias=False), (1, 5, 3)), (1, 5, 4),
     [(24, "weight"), (16, "weight")] * 2 + [(32, "weight"), (16, "weight")] * 2, 880, 880),
    ((Elementwise(3), (2, 10), (10,)), (2, 10), [], 0, 60),  # 3 for each of 20
    ((View([2, 5]), (2, 10)), (2, 5), [], 0, 0),
    ((Move([2, 15]), (2, 10)), (2, 15), [], 0, 0),
    ((Reduction([2], 2), (2, 10)), (2,), [], 0, 40),  # 2 for each of 20 read
    # 4 elements of 10 products, and an added number for each
    ((Contraction([2, 2], 10), (2, 10), (10, 2), (2,)), (2, 2), [], 40, 4),
    ((Constant([5, 5]),), (5, 5), [], 0, 0),
    ((Parameter([1, 197, 768]),), (1, 197, 768), [(151_296, "weight")], 0, 0),
]  # fmt: skip


def test_every_op_was_done_by_hand():
    assert {case[0].name for case, *_ in BY_HAND} == set(OPS)


@pytest.mark.parametrize(
    ("case", "shape", "tensors", "macs", "elementwise"), BY_HAND, ids=[label(case) for case, *_ in BY_HAND]
)
def test_by_hand(case, shape, tensors, macs, elementwise):
    op, *ins = case
    out = op.shape(*ins)
    assert out == shape
    assert [(prod(tensor.shape), tensor.role) for tensor in op.weights(*ins)] == tensors
    assert op.macs(*ins, out=out) == macs
    assert op.elementwise(*ins, out=out) == elementwise


# ---- the layers as loops over plain numbers, written without our rules, that count what they do


class Tally:
    """Counts multiply–accumulates, and every other operation, as they are executed."""

    def __init__(self):
        self.macs = self.others = 0

    def dot(self, pairs):
        total = 0.0
        for a, b in pairs:
            total += a * b
            self.macs += 1
        return total

    def do(self, value):
        self.others += 1
        return value


def padded(image, p):
    """A (c, h, w) image in nested lists with p zeros around it."""
    width = len(image[0][0]) + 2 * p
    return [
        [[0.0] * width] * p + [[0.0] * p + row + [0.0] * p for row in channel] + [[0.0] * width] * p
        for channel in image
    ]


def image_of(c, h, w):
    return [[[float(1 + i + 2 * j + 3 * k) for k in range(w)] for j in range(h)] for i in range(c)]


def starts(size, k, s, d=1):
    """Where windows may start, found by trying."""
    return [i for i in range(0, size, s) if i + d * (k - 1) < size]


def run_conv(tally, x, seen_by, k, s=1, p=0, d=1, bias=True):
    """Output map i is a convolution over the input maps `seen_by[i]`: plain, grouped, depthwise or partial."""
    x = padded(x, p)
    out = []
    for maps in seen_by:
        plane = []
        for i in starts(len(x[0]), k, s, d):
            row = []
            for j in starts(len(x[0][0]), k, s, d):
                window = ((x[m][i + d * a][j + d * b], 0.5) for m in maps for a in range(k) for b in range(k))
                total = tally.dot(window)
                row.append(tally.do(total + 1.0) if bias else total)
            plane.append(row)
        out.append(plane)
    return out


def run_transpose(tally, x, channels, k, s):
    h, w = (max(starts) + k for starts in ([i * s for i in range(len(x[0]))], [j * s for j in range(len(x[0][0]))]))
    out = [[[0.0] * w for _ in range(h)] for _ in range(channels)]
    for plane, m, (i, j) in product(out, x, product(range(len(x[0])), range(len(x[0][0])))):
        for a, b in product(range(k), range(k)):
            plane[i * s + a][j * s + b] += tally.dot([(m[i][j], 0.5)])
    return [[[tally.do(v + 1.0) for v in row] for row in plane] for plane in out]


def run_pool(tally, x, k, s, kind):
    def pooled(window):
        best = window[0]
        for v in window[1:]:
            best = tally.do(max(best, v) if kind == "max" else best + v)
        if kind == "average":
            return tally.do(best / (k * k))
        return tally.do(tally.do(best * 0.5) + 1.0) if kind == "subsample" else best

    return [
        [
            [pooled([m[i + a][j + b] for a in range(k) for b in range(k)]) for j in starts(len(m[0]), k, s)]
            for i in starts(len(m), k, s)
        ]
        for m in x
    ]


def run_linear(tally, x, features):
    return [tally.do(tally.dot((v, 0.5) for v in x) + 1.0) for _ in range(features)]


def run_rbf(tally, x, features):
    return [tally.dot((e, e) for e in [tally.do(v - 0.5) for v in x]) for _ in range(features)]


def everyone(channels, maps):
    return [range(maps)] * channels


IMAGE = (4, 7, 6)
LOOPS = [
    (Conv(3, 3), lambda t, x: run_conv(t, x, everyone(3, 4), 3)),
    (Conv(3, 3, 2, 1, bias=False), lambda t, x: run_conv(t, x, everyone(3, 4), 3, 2, 1, bias=False)),
    (Conv(3, 2, 2, 2, 3), lambda t, x: run_conv(t, x, everyone(3, 4), 2, 2, 2, 3)),
    (Conv(6, 3, groups=2), lambda t, x: run_conv(t, x, [range(2)] * 3 + [range(2, 4)] * 3, 3)),
    (Depthwise(3, 2, 1), lambda t, x: run_conv(t, x, [[0], [1], [2], [3]], 3, 2, 1)),
    (Depthwise(3, multiplier=2), lambda t, x: run_conv(t, x, [[0], [0], [1], [1], [2], [2], [3], [3]], 3)),
    (PartialConv([[0, 3], [1], [0, 1, 2]], 3), lambda t, x: run_conv(t, x, [[0, 3], [1], [0, 1, 2]], 3)),
    (LocallyConnected(3, 3, 2, 1), lambda t, x: run_conv(t, x, everyone(3, 4), 3, 2, 1)),
    (ConvTranspose(3, 3, 2), lambda t, x: run_transpose(t, x, 3, 3, 2)),
    (ConvTranspose(2, 2, 3), lambda t, x: run_transpose(t, x, 2, 2, 3)),
    (MaxPool(3, 2), lambda t, x: run_pool(t, x, 3, 2, "max")),
    (AveragePool(2, 2), lambda t, x: run_pool(t, x, 2, 2, "average")),
    (Subsample(), lambda t, x: run_pool(t, x, 2, 2, "subsample")),
]


@pytest.mark.parametrize(("op", "run"), LOOPS, ids=[repr(op) for op, _ in LOOPS])
def test_a_loop_over_an_image_does_as_many_operations_as_counted(op, run):
    tally, x = Tally(), (1, *IMAGE)
    result = run(tally, image_of(*IMAGE))
    out = op.shape(x)
    assert out == (1, len(result), len(result[0]), len(result[0][0]))
    assert (op.macs(x, out=out), op.elementwise(x, out=out)) == (tally.macs, tally.others)


@pytest.mark.parametrize(("op", "run"), [(Linear(5), run_linear), (RBF(5), run_rbf)])
def test_a_loop_over_a_vector_does_as_many_operations_as_counted(op, run):
    tally = Tally()
    result = run(tally, [1.0, 2.0, 3.0], 5)
    out = op.shape((1, 3))
    assert out == (1, len(result))
    assert (op.macs((1, 3), out=out), op.elementwise((1, 3), out=out)) == (tally.macs, tally.others)
