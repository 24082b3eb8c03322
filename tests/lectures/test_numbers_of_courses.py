"""The numbers that lectures and exercises print, each computed by a command, or explained."""

import pytest

import costcalc
from costcalc.cli.app import run

TOTALS = {  # (target, sum of metrics): as printed, or as it is exactly
    # CS231n, notes on ConvNets
    ("vgg16", "activations_in_place+input_elements"): 15_237_608,
    ("vgg16", "weight"): 138_344_128,
    ("conv_locally_connected", "params"): 105_705_600,
    ("conv_locally_connected", "output"): 290_400,
    ("conv_locally_connected@shared=true", "weight"): 34_848,
    ("conv_locally_connected@shared=true", "params"): 34_944,
    # Dive into Deep Learning
    ("inception_naive@r=256,c_in=128,c_out=128,k=5", "macs"): 26_843_545_600,
    # CNN Explainer
    ("tiny_vgg", "params"): 19_920,
    ("tiny_vgg", "macs"): 5_608_780,
    # Ng, quizzes
    ("quiz_dense_colour", "params"): 27_000_100,
    ("quiz_conv_5x5", "params"): 7_600,
    ("quiz_conv_7x7", "params"): 18_944,
    ("quiz_dense_grey", "params"): 4_194_560,
    # Ng, labs with Keras; Keras Applications
    ("resnet50@r=64,classes=6,conv_bias=true", "params+buffers"): 23_587_712 + 12_294,
    ("resnet50@r=64,classes=6,conv_bias=true", "buffers"): 53_120,
    ("mobilenet_v2@classes=1", "params+buffers"): 2_257_984 + 1_281,
    ("vgg16", "params+buffers"): 138_357_544,
    ("resnet50@conv_bias=true", "params+buffers"): 25_636_712,
    ("mobilenet_v2", "params+buffers"): 3_538_984,
    # ResNet
    ("plain34", "shortest_path"): 34,
    ("resnet34", "shortest_path"): 5,
    ("resnet152", "shortest_path"): 6,
    ("resnet34", "paths"): 65_536,
    ("resnet50", "paths"): 65_536,
    ("resnet152", "paths"): 2**50,
    # what people asked
    ("resnet50@r=256,shortcut=zero_pad", "macs"): 4_870_586_368,
    ("vgg_separable@head=false,separable=false", "macs"): 15_346_630_656,
    ("vgg_separable@head=false", "macs"): 1_786_917_888,
    ("resnet56", "params"): 853_018,
    ("resnet56", "macs"): 125_485_696,
    ("resnet56@shortcut=bare_projection", "macs"): 125_747_840,
    ("resnet56@shortcut=bare_projection", "bn_elements"): 532_480,
    ("resnet56@shortcut=bare_projection", "flops+2*bn_elements"): 252_560_640,
    ("resnet56@shortcut=projection", "flops+2*bn_elements"): 252_585_216,
    ("alexnet_single@r=224", "params"): 50_844_008,
}


@pytest.mark.parametrize(("target", "counts"), TOTALS)
def test_a_total(target, counts):
    from costcalc.lectures.lecture_numbers import value_of

    assert value_of(counts, target) == TOTALS[target, counts]


def test_the_rows_of_vgg16_in_cs231n():
    cost = costcalc.cost("vgg16@batch=1")
    assert cost.total("input_elements") == 150_528
    of_convs = [cost.value("activations", i) for i, row in enumerate(cost.layers) if row.op.name in ("conv", "linear")]
    assert of_convs[:2] == [3_211_264] * 2 and of_convs[-3:] == [4_096, 4_096, 1_000]
    pools = [cost.value("activations", i) for i, row in enumerate(cost.layers) if row.op.name == "max_pool"]
    assert (pools[0], pools[-1]) == (802_816, 25_088)
    weights = [row.costs["weight"] for row in cost.layers if row.costs["weight"] for _ in range(row.times)]
    assert weights == [
        1_728, 36_864, 73_728, 147_456, 294_912, *[589_824] * 2, 1_179_648, *[2_359_296] * 5, 102_760_448, 16_777_216,
        4_096_000,
    ]  # fmt: skip


def test_stacks_of_filters_see_as_far_and_cost_less():
    """CS231n: three layers of 3×3 have 27·C² weights and see 3, 5, 7; one of 7×7 has 49·C²."""
    head = "name: s\ntitle: S\nsource: CS231n\nknobs: {c: 8}\ninput: [c, 32, 32]\nlayers:\n"
    conv = "  - conv: {channels: c, kernel: %d, bias: false, padding: same}\n"
    three, one = (costcalc.load(head + layers) for layers in (conv % 3 * 3, conv % 7))
    assert [str(net.formula("params").expression) for net in (three, one)] == ["27*c**2", "49*c**2"]
    cost = three.cost()
    assert [tuple(cost.value("receptive_field", i)) for i in (1, 2, 3)] == [(3, 3), (5, 5), (7, 7)]
    assert tuple(one.cost().total("receptive_field")) == (7, 7)


def test_the_bytes_of_dive_into_deep_learning():
    """392.0 MiB of VGG-11's first linear layer; 164.0 MiB and 86 M operations (81 M in the text) of AlexNet's first
    two, 6,400·4,096 + 4,096²."""
    (fc6,) = [row for row in costcalc.cost("vgg11").layers if row.name == "fc6"]
    assert round(4 * fc6.costs["weight"] / 2**20, 1) == 392.0
    first = [row for row in costcalc.cost("alexnet_single@r=224").layers if row.name in ("fc6", "fc7")]
    weights = sum(row.costs["weight"] for row in first)
    assert weights == 6_400 * 4_096 + 4_096**2
    assert round(4 * weights / 2**20, 1) == 164.0
    assert 2 * sum(row.macs for row in first) == 85_983_232


@pytest.mark.parametrize(
    ("target", "out"),
    [
        ("quiz_stride_2", (32, 29, 29)), ("quiz_stride_3", (32, 40, 40)), ("quiz_padding_2", (8, 19, 19)),
        ("quiz_pool_4", (12, 32, 32)),
    ],
)  # fmt: skip
def test_the_shapes_of_the_quizzes(target, out):
    assert costcalc.cost(target).layers[-1].output_shape == (1, *out)


def test_the_rows_of_tiny_vgg():
    params = [row.params for row in costcalc.cost("tiny_vgg").layers if row.params]
    assert params == [280, 910, 910, 910, 16_910]


def test_slips_have_their_reasons():
    assert costcalc.reconcile("lenet5").ok
    assert sum(not figure.agrees for figure in costcalc.reconcile("lenet5@c_in=3,c1=8").figures) == 5
    (views,) = costcalc.reconcile("augment:alexnet").figures
    assert (views.published.value, views.exact, views.agrees) == ("2048", 2_178, False)
    assert costcalc.augment("alexnet", crop=227).views == 1_800


def test_small_memory_is_a_matter_of_how_a_block_is_run():
    nets = ("mobilenet_v1", "mobilenet_v2", "mobilenet_v2_sliced@slices=one", "mobilenet_v2_sliced")
    costs = [costcalc.cost(name) for name in nets]
    assert [cost.total("peak_bytes") for cost in costs] == [7_024_640, 10_235_904, 10_235_904, 3_813_376]
    assert {(cost.params, cost.macs, cost.total("buffers")) for cost in costs[1:]} == {(3_504_872, 300_774_272, 34_112)}


def test_darknet(capsys):
    assert run(["reconcile", "resnet50", "--figure", "9.74G"]) == 1
    assert "resnet50@r=256,shortcut=zero_pad  2·MACs" in capsys.readouterr().out
