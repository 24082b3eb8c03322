"""Published and measured figures of training steps, and laws that hold for every network."""

import pytest
from support.layers import in_a_row
from support.sizes import size

import costcalc
from costcalc import ops
from costcalc.analysis.metrics import METRICS
from costcalc.spec.library import entries

# trainable params, multiplies of the forward pass, and of forward and backward together: torch's counter, where it is
# right, on torch's meta device
STEPS = [
    ("vgg16", 138_357_544, 15_470_264_320, 46_324_088_832),
    ("vgg16@freeze=fc7", 4_097_000, 15_470_264_320, 15_474_360_320),
    ("vgg16@freeze=flatten", 123_642_856, 15_470_264_320, 15_614_771_200),
    ("vgg16@freeze=conv4", 130_722_280, 15_470_264_320, 18_029_641_728),
    ("resnet50", 25_557_032, 4_089_184_256, 12_149_538_816),
    ("resnet50@freeze=global_average_pool", 2_049_000, 4_089_184_256, 4_091_232_256),
    ("resnet50@freeze=conv4_x", 17_013_736, 4_089_184_256, 5_506_236_416),
    ("resnet18@classes=10,freeze=global_average_pool", 5_130, 1_813_566_464, 1_813_571_584),
]

# bytes that torch's autograd keeps, without a loss
SAVED = [
    ("vgg16", 1, 73_254_912),
    ("resnet50", 1, 86_121_984),
    ("resnet50", 2, 172_031_488),
    ("resnet50", 32, 2_749_316_608),
]

# the most that a step of torchvision's module holds under torch's MemTracker; without the targets, 8 bytes each
PEAKS = [
    ("resnet50", 32, "sgd", 2_885_381_616),
    ("resnet50", 32, "momentum", 2_987_609_744),
    ("resnet50", 32, "adam", 3_089_838_516),
    ("vgg16", 32, "sgd", 3_433_387_080),
    ("alexnet_torchvision", 128, "momentum", 1_214_523_624),
]


@pytest.mark.parametrize(("target", "trained", "forward", "step"), STEPS)
def test_the_multiplies_of_a_step(target, trained, forward, step):
    cost = costcalc.load(target).cost()
    assert (cost.total("trainable_params"), cost.macs, cost.total("train_macs")) == (trained, forward, step)


@pytest.mark.parametrize(("name", "batch", "saved"), SAVED)
def test_the_bytes_that_are_kept(name, batch, saved):
    assert costcalc.load(name, batch=batch).cost().total("saved_bytes") == saved


@pytest.mark.parametrize(("name", "batch", "optimizer", "peak"), PEAKS)
def test_the_peak_of_a_step(name, batch, optimizer, peak):
    assert costcalc.memory(f"{name}@batch={batch}", train=True, optimizer=optimizer).bytes == peak + 8 * batch


@pytest.mark.parametrize("name", ["mobilenet_v1", "mobilenet_v2", "efficientnet_b0"])
def test_grouped_convolutions_cost_just_under_three_forward_passes(name):
    cost = costcalc.load(name).cost()
    assert 2.9 < cost.total("train_macs") / cost.macs < 3


@pytest.mark.parametrize("name", [entry.name for entry in entries()])
def test_the_parts_of_a_step_add_up(name):
    cost = costcalc.load(name, batch=2).cost()
    assert cost.total("train_macs") == cost.macs + cost.total("input_gradient_macs") + cost.total(
        "weight_gradient_macs"
    )
    assert cost.total("trainable_params") + cost.total("frozen_params") == cost.params
    memory = costcalc.memory(f"{name}@batch=2", train=True)
    assert memory.bytes == cost.total("train_peak_bytes") == sum(memory.parts.values())
    assert costcalc.memory(f"{name}@batch=2").bytes == cost.total("memory_bytes")


@pytest.mark.parametrize("target", ["vgg11", "resnet18", "mobilenet_v2", "googlenet"])
def test_freezing_more_never_costs_more(target):
    found = costcalc.sweep(target, freeze="all", metrics="train_macs,train_peak_bytes,trainable_params").to_records()
    for metric in ("train_macs", "trainable_params"):
        values = [row[metric] for row in found]
        assert values == sorted(values, reverse=True)


@pytest.mark.sized
def test_formulas_of_a_step_are_the_counts():
    metrics = [name for name, metric in METRICS.items() if metric.step and metric.together == "sum"]
    assert len(metrics) == 9
    for target in size(
        ("efficientnet@freeze=stage6", "mobilenet_v1"), ("resnet", "efficientnet@freeze=stage3", "mobilenet_v1")
    ):
        model = costcalc.load(target)
        for settings in (
            {"batch": 3, "r": 96},
            {"classes": 7},
            *([{"d": 0.3}, {"d": 2.2}] if "d" in model.knobs else []),
        ):
            for metric in metrics:
                count = model.with_knobs(**settings).cost().total(metric)
                assert model.formula(metric)(**settings) == count, (target, metric, settings)


def test_other_arithmetic_of_a_step_by_hand():
    """A convolution of 4×4 to 2 channels of 2×2, batch normalisation, ReLU, and a linear layer to 3 classes."""
    graph = in_a_row((1, 1, 4, 4), ops.Conv(2, 3), ops.BatchNorm(), ops.ReLU(), ops.Flatten(), ops.Linear(3))
    cost = costcalc.cost(graph)
    found = [cost.value("train_elementwise", i) for i in range(1, 6)]
    conv = 8 + 8 + 2 * 20  # bias added; its gradient summed; w − lr·g for 18 weights and 2 biases
    batch_norm = 8 * (7 + 9) + 2 * 4  # with batch statistics as a layer norm; x̂, two sums and ∂x; γ and β
    relu = 8 * (1 + 1)
    linear = 3 + 3 + 2 * 27 + 8 * 3  # and cross-entropy
    assert found == [conv, batch_norm, relu, 0, linear]
