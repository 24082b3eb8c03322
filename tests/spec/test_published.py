"""Every spec of the library against exact counts, against torch, and against the figures others printed."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from functools import cache
from math import prod

import pytest

from costcalc import load
from costcalc.analysis.reconcile import reconcile_model
from costcalc.spec.library import entries

try:
    from support.specs_expected import WITNESS, count
except ImportError:  # without torch the witness is not heard
    WITNESS = {}

# target, params, and the multiplies exactly or to the digits known
EXACT = """
lenet5                              61,706
lenet5@c_in=3                       62,006
lenet5_1998                         60,000
alexnet                         60,965,224     724.4M
alexnet_single                  62,378,344     1.135G
alexnet_torchvision             61,100,840     714.2M
vgg11                          132,863,336
vgg13                          133,047,848
vgg16                          138,357,544     15.470G
vgg16_bn                       138,365,992     15.470G
vgg19                          143,667,240     19.632G
resnet                          25,557,032     4.089G
resnet18                        11,689,512     1.814G
resnet34                        21,797,672     3.664G
resnet50                        25,557,032     4.089G
resnet101                       44,549,160     7.801G
resnet152                       60,192,808     11.514G
resnet18@stride_on=conv1        11,689,512     1.814G
resnet34@stride_on=conv1        21,797,672     3.664G
resnet50@stride_on=conv1        25,557,032     3.858G
resnet101@stride_on=conv1       44,549,160     7.570G
resnet152@stride_on=conv1       60,192,808     11.282G
resnet20                           269,722     40,551,040
resnet56                           853,018     125,485,696
resnet56@shortcut=projection       855,770     125,747,840
resnet56@shortcut=bare_projection  855,578     125,747,840
resnet110                        1,727,962     252,887,680
tiny_vgg                            19,920     5,608,780
vgg_separable                  125,315,011     1,910,551,552
vgg_separable@head=false         1,672,155     1,786,917,888
vgg_separable@separable=false  138,357,544     15,470,264,320
mobilenet_v2_sliced              3,504,872     300,774,272
conv_locally_connected         105,705,600     105,415,200
quiz_dense_colour               27,000,100
alexnet_single@r=224            50,844,008
conv1x1                              6,144     4,816,896
network_in_network                 966,986     222,486,528
inception_naive                    153,632     120,422,400
inception_bottleneck                15,920     12,443,648
inception_module                   163,696     128.0M
googlenet                        6,998,552     1582.7M
googlenet_torchvision            6,624,904     1.498G
googlenet_torchvision@heads=true 13,004,888
conv_normal                            135     2,160
conv_depthwise_separable                42     672
mobilenet_v1                     4,231,976     568.7M
mobilenet_v1_075_224             2,585,560     325.4M
mobilenet_v1_050_224             1,331,592     149.5M
mobilenet_v1_025_224               470,072     41.0M
mobilenet_v1_100_192             4,231,976     418.1M
mobilenet_v1_100_160             4,231,976     290.7M
mobilenet_v1_100_128             4,231,976     186.4M
mobilenet_v1_025_192               470,072     30.2M
mobilenet_v2                     3,504,872     300.8M
mobilenet_v2_140_224             6,108,776     582M
efficientnet                     5,288,548     385,814,752
efficientnet_b0                  5,288,548     385,814,752
efficientnet_b1                  7,794,184     0.687G
efficientnet_b2                  9,109,994     0.994G
efficientnet_b2@r=288            9,109,994     1.088G
efficientnet_b3                 12,233,232     1.827G
efficientnet_b4                 19,341,616     4.394G
efficientnet_b5                 30,389,784     10.266G
efficientnet_b6                 43,040,704     19.068G
efficientnet_b7                 66,347,960     37.746G
"""
TABLE = [(*line.split(), "")[:3] for line in EXACT.strip().splitlines()]
SPECS = [entry.name for entry in entries() if entry.kind == "spec"]


@cache
def cost(target):
    return load(target).cost()


def layer(target, name):
    """A row, or the sums of a block, by name."""
    (found,) = (fold for fold in cost(target).fold(name.count(".") + 1) if fold.name == name)
    return found


def printed_like(number, figure):
    """The number with the digits and the unit of a figure: 723.95 million like 724.4M is 724.0M."""
    if figure[-1] not in "MG":
        return f"{number:,}"
    places = len(figure[:-1].partition(".")[2])
    return f"{Decimal(number).scaleb({'M': -6, 'G': -9}[figure[-1]]):.{places}f}{figure[-1]}"


@pytest.mark.parametrize(("target", "params", "macs"), TABLE, ids=[row[0] for row in TABLE])
def test_params_are_exact_and_macs_agree_to_every_digit_known(target, params, macs):
    assert f"{cost(target).params:,}" == params
    if macs:
        assert printed_like(cost(target).macs, macs) == macs


@pytest.mark.no_cover
@pytest.mark.parametrize("target", WITNESS)
def test_torch_counts_the_same_to_the_unit(target):
    build, shape = WITNESS[target]
    assert (cost(target).params, cost(target).macs) == count(build, 1, *shape)


# --- the library as a whole ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SPECS)
def test_every_published_figure_agrees_or_says_why_not(name):
    figures = reconcile_model(load(name)).figures
    assert [f for f in figures if not f.agrees and not f.published.because] == []


@pytest.mark.parametrize("name", SPECS)
def test_every_knob_says_what_it_is(name):
    assert [knob.name for knob in load(name).knobs.values() if not knob.about] == []


@pytest.mark.parametrize("name", SPECS)
def test_everything_but_the_params_is_linear_in_the_batch(name):
    one, three = load(name).cost(), load(name, batch=3).cost()
    assert one.macs > 0
    for metric in ("macs", "elementwise", "activations"):
        assert three.total(metric) == 3 * one.total(metric)
    assert (three.params, three.total("buffers")) == (one.params, one.total("buffers"))


@pytest.mark.parametrize("name", SPECS)
def test_letters_in_place_of_every_size_give_the_same_numbers(name):
    import sympy

    from costcalc import cost as cost_of

    net = load(name)
    formula = cost_of(net.graph(free=[knob.name for knob in net.knobs.values() if knob.is_size]))
    for metric in ("params", "macs"):
        value = sympy.sympify(formula.total(metric))
        knobs = {letter: sympy.Rational(net.values[letter.name]) for letter in value.free_symbols}
        assert value.subs(knobs) == cost(name).total(metric)


# --- LeNet-5 -------------------------------------------------------------------------------------------------------

# LeCun et al. 1998, section II.B: trainable parameters and connections; a connection may come from a bias
LENET_1998 = {
    "c1": (156, 122_304), "s2": (12, 5_880), "c3": (1_516, 151_600), "s4": (32, 2_000), "c5": (48_120, 48_120),
    "f6": (10_164, 10_164), "output": (0, 840),
}  # fmt: skip


def test_lenet5_of_1998_layer_by_layer():
    rows = {row.name: row for row in cost("lenet5_1998").layers if row.name in LENET_1998}
    connections = {
        # one per multiply and one per bias; a pooled unit has its four inputs and its bias
        name: prod(row.output_shape) * (4 + 1)
        if name[0] == "s"
        else row.macs + row.total("bias") * prod(row.output_shape[2:])
        for name, row in rows.items()
    }
    assert {name: (row.params, connections[name]) for name, row in rows.items()} == LENET_1998
    assert sum(connections.values()) == 340_908
    assert rows["output"].total("buffers") == 840


def test_lenet5_of_today_layer_by_layer():
    params = {row.name: row.params for row in cost("lenet5").layers if row.params}
    assert params == {"conv1": 156, "conv2": 2_416, "fc3": 48_120, "fc4": 10_164, "fc5": 850}


# --- ResNet --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("depth", "norm"), [(18, 9_600), (34, 17_024), (50, 53_120), (101, 105_344), (152, 151_424)])
def test_gammas_and_betas_of_the_resnets(depth, norm):
    assert cost(f"resnet{depth}").total("norm") == norm


@pytest.mark.parametrize("depth", [50, 101, 152])
def test_the_place_of_the_stride_is_the_whole_difference_between_v1_and_v1_5(depth):
    v1, v1_5 = cost(f"resnet{depth}@stride_on=conv1"), cost(f"resnet{depth}")
    # in v1.5 the first 1×1 of conv3_x to conv5_x, 2c -> c, still sees four times the positions
    more = sum(2 * c * c * (4 - 1) * r * r for c, r in [(128, 28), (256, 14), (512, 7)])
    assert v1_5.macs - v1.macs == more == 231_211_008
    assert v1_5.params == v1.params


@pytest.mark.parametrize(("depth", "widths"), [
    (18, [(64, 128), (128, 256), (256, 512)]),
    (34, [(64, 128), (128, 256), (256, 512)]),
    (50, [(64, 256), (256, 512), (512, 1024), (1024, 2048)]),
    (101, [(64, 256), (256, 512), (512, 1024), (1024, 2048)]),
    (152, [(64, 256), (256, 512), (512, 1024), (1024, 2048)]),
])  # fmt: skip
def test_zero_padded_shortcuts_are_free(depth, widths):
    padded, projected = cost(f"resnet{depth}@shortcut=zero_pad"), cost(f"resnet{depth}")
    assert projected.params - padded.params == sum(c_in * c + 2 * c for c_in, c in widths)  # 1×1 and batch norm
    plain = cost(f"resnet{depth}@shortcut=none")
    assert (padded.params, padded.macs) == (plain.params, plain.macs)


def test_the_plain_nets_are_the_resnets_without_their_shortcuts():
    for depth in (18, 34):
        assert cost(f"plain{depth}").params == cost(f"resnet{depth}@shortcut=zero_pad").params
        assert not any(row.op.name == "add" for row in cost(f"plain{depth}").layers)


def test_a_residual_block_is_two_convolutions():
    for c, r, k in [(64, 56, 3), (128, 28, 5), (3, 7, 1)]:
        block = load("residual_block", c=c, r=r, k=k).cost()
        assert block.macs == 2 * r * r * k * k * c * c
        assert block.params == 2 * k * k * c * c + 4 * c


# --- GoogLeNet and the inception module ----------------------------------------------------------------------------

# row of Table 1: weights, and millions of multiplies, of the exact graph
GOOGLENET = {
    "conv1": (9_408, "118.0M"), "conv2": (114_688, "359.7M"), "inception3a": (163_328, "128.0M"),
    "inception3b": (388_096, "304.3M"), "inception4a": (375_552, "73.6M"), "inception4b": (448_512, "87.9M"),
    "inception4c": (509_440, "99.9M"), "inception4d": (604_672, "118.5M"), "inception4e": (867_328, "170.0M"),
    "inception5a": (1_042_432, "51.1M"), "inception5b": (1_442_816, "70.7M"), "linear": (1_024_000, "1.0M"),
}  # fmt: skip


@pytest.mark.parametrize("row", GOOGLENET)
def test_googlenet_row_by_row(row):
    layers = [one for one in cost("googlenet").layers if f"{one.name}.".startswith(f"{row}.")]
    weights, macs = GOOGLENET[row]
    assert sum(one.total("weight") for one in layers) == weights
    assert printed_like(sum(one.macs for one in layers), macs) == macs


def test_googlenet_is_its_rows_and_its_biases():
    assert sum(weights for weights, _ in GOOGLENET.values()) == cost("googlenet").total("weight") == 6_990_272
    assert cost("googlenet").total("bias") == 8_280


@pytest.mark.parametrize(("target", "conv_bias"), [("googlenet", 128), ("googlenet_torchvision", 2 * 128)])
def test_auxiliary_heads_hang_beside_the_net(target, conv_bias):
    with_heads = cost(f"{target}@heads=true")
    # 1×1 to 128 channels on 4×4 positions, 2048 -> 1024 -> 1000; after 4a with 512 channels, after 4d with 528
    linear = 2048 * 1024 + 1024 * 1000
    assert with_heads.params - cost(target).params == (512 + 528) * 128 + 2 * (conv_bias + linear + 1024 + 1000)
    assert with_heads.macs - cost(target).macs == 16 * (512 + 528) * 128 + 2 * linear
    assert with_heads.layers[-1].output_shape == cost(target).layers[-1].output_shape == (1, 1000)


def test_an_inception_module_widens_192_channels_to_256():
    module = cost("inception_module")
    joined = module.layers[-1]
    assert [shape[1] for shape in joined.input_shapes] == [64, 128, 32, 32]
    assert joined.output_shape == (1, 256, 28, 28)
    assert (module.params, module.macs) == tuple(
        layer("googlenet", "inception3a").costs[metric] for metric in ("params", "macs")
    )


def test_a_bottleneck_pays_while_it_is_narrow():
    assert [layer("inception_bottleneck", name).costs["macs"] for name in ("reduce", "conv")] == [2_408_448, 10_035_200]
    for r, c_in, c_out, k, b in [(28, 192, 32, 5, 16), (28, 192, 32, 5, 154), (28, 192, 32, 5, 155), (7, 3, 8, 3, 2)]:
        naive = load("inception_naive", r=r, c_in=c_in, c_out=c_out, k=k).cost().macs
        bottleneck = load("inception_bottleneck", r=r, c_in=c_in, c_out=c_out, k=k, b=b).cost().macs
        assert Fraction(bottleneck, naive) == Fraction(b, c_in) + Fraction(b, k * k * c_out)
        assert (bottleneck < naive) == (b < Fraction(k * k * c_in * c_out, c_in + k * k * c_out))


# --- MobileNet and EfficientNet ------------------------------------------------------------------------------------


def test_a_separable_convolution_costs_1_by_n_c_plus_1_by_f_squared():
    assert [layer("conv_depthwise_separable", name).costs["macs"] for name in ("depthwise", "pointwise")] == [432, 240]
    for n, f, n_c, n_c_out in [(6, 3, 3, 5), (32, 5, 64, 128), (9, 1, 2, 7)]:
        normal, separable = (
            load(name, n=n, f=f, n_c=n_c, n_c_out=n_c_out).cost().macs
            for name in ("conv_normal", "conv_depthwise_separable")
        )
        assert Fraction(separable, normal) == Fraction(1, n_c_out) + Fraction(1, f * f)


def test_a_mobilenet_v2_bottleneck_expands_filters_and_projects():
    for n, c, t in [(56, 3, 6), (14, 24, 6), (7, 5, 1)]:
        rows = load("mobilenet_v2_bottleneck", n=n, c=c, t=t).cost().layers
        macs = {row.name: row.macs for row in rows if row.macs}
        assert macs == {"expansion": n * n * c * t * c, "depthwise": n * n * 9 * t * c, "projection": n * n * t * c * c}
        assert [row.output_shape[1] for row in rows if row.macs] == [t * c, t * c, c]
        assert rows[-1].output_shape == rows[0].output_shape == (1, c, n, n)


@pytest.mark.parametrize(("target", "figure"), [
    ("mobilenet_v2", "3.47M"), ("mobilenet_v2_140_224", "6.06M"), ("mobilenet_v2_075_224", "2.61M"),
    ("mobilenet_v2_050_224", "1.95M"), ("mobilenet_v2_035_224", "1.66M"), ("mobilenet_v1_050_160", "1.32M"),
])  # fmt: skip
def test_what_the_mobilenet_tables_call_parameters_are_weights(target, figure):
    assert printed_like(cost(target).total("weight"), figure) == figure


def test_rounding_lifts_efficientnet_above_its_scaling_law():
    low = []
    for i in range(1, 8):
        knobs = load(f"efficientnet_b{i}").values
        law = Fraction("0.39") * 10**9 * knobs["d"] * knobs["w"] ** 2 * Fraction(knobs["r"], 224) ** 2
        low.append(round(100 * (law / cost(f"efficientnet_b{i}").macs - 1)))
    assert low == [-28, -23, -23, -10, -11, -4, -8]  # per cent


def test_stage_6_of_efficientnet_has_14_by_14_positions():
    assert layer("efficientnet_b0", "stage6").output_shape == (1, 112, 14, 14)
