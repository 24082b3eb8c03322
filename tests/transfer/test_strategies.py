"""What each strategy of transfer learning costs: sums, truths that are published or derived by hand, and bad input."""

from fractions import Fraction

import pytest

import costcalc
from costcalc.analysis.transfer.in_seconds import first_cheaper
from costcalc.analysis.transfer.strategies import ADAPTERS, ALL, FEATURES, FREEZE, HEAD
from costcalc.errors import CostcalcError, NothingFits, UnknownName, UsageError

ONE = {"images": 1, "batch": 1, "epochs": 1}
EVERY = ("lenet5", "alexnet", "vgg11", "resnet18", "resnet50", "googlenet", "mobilenet_v1", "mobilenet_v2")


def keys(found):
    return [one.key for one in found.strategies]


# ---- laws


@pytest.mark.parametrize("name", EVERY)
def test_what_is_trained_and_frozen_adds_up(name):
    found = costcalc.transfer(name, classes=7, images=100, batch=32)
    params = costcalc.load(name, classes=7).params
    for one in found.strategies:
        adapters = one.trainable_params - found.strategy(HEAD).trainable_params if one.key == ADAPTERS else 0
        assert one.trainable_params + one.frozen_params == params + adapters
    order = [found.strategy(key).step_macs for key in (FEATURES, HEAD, FREEZE, ALL)]
    assert order == sorted(order)


@pytest.mark.parametrize("name", EVERY)
def test_every_number_is_that_of_a_network_that_show_and_memory_know(name):
    """`--freeze` of the rows before the head, and up to the row that is said, in place of the strategies."""
    found = costcalc.transfer(name, classes=7, images=100, batch=4, optimizer="adam")
    whole = costcalc.load(name, classes=7, batch=4)
    rows = found.plan.rows_before
    until = found.strategy(FREEZE).title.removeprefix("freeze up to ")
    for key, freeze in ((HEAD, (f"..{rows[-1]}",)), (FREEZE, (f"..{until}",)), (ALL, ())):
        cost = whole.with_step(costcalc.TrainStep("adam", freeze, freeze_statistics=True)).cost()
        one = found.strategy(key)
        metrics = ("trainable_params", "frozen_params", "train_macs", "train_peak_bytes")
        counted = [cost.total(metric) for metric in metrics]
        assert [one.trainable_params, one.frozen_params, one.step_macs, one.step_bytes] == counted


@pytest.mark.parametrize(("images", "batch"), [(100, 32), (96, 32), (5, 32), (1, 1)])
def test_an_epoch_is_all_images_and_the_last_step_has_the_rest(images, batch):
    found = costcalc.transfer("lenet5", classes=3, images=images, batch=batch, epochs=7)
    one = costcalc.transfer("lenet5", classes=3, **ONE)
    for key in keys(found):
        assert found.strategy(key).epoch_macs == images * one.strategy(key).step_macs
        assert found.strategy(key).macs(7) == found.strategy(key).once_macs + 7 * found.strategy(key).epoch_macs


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("views", [1, 3])
def test_features_cost_as_much_as_images_after_as_many_epochs_as_views_and_less_from_then_on(name, views):
    found = costcalc.transfer(name, classes=5, images=10, batch=4, views=views)
    head, kept = found.strategy(HEAD), found.strategy(FEATURES)
    assert kept.macs(views) == head.macs(views)
    assert kept.macs(views + 1) < head.macs(views + 1)
    assert views == 1 or kept.macs(views - 1) > head.macs(views - 1)
    word = "epoch" if views == 1 else "epochs"
    said = f"as many MACs as head only after {views} {word} and fewer from epoch {views + 1} on"
    assert f"head on kept features costs {said}" in found.notes()
    assert kept.disk_bytes == views * 10 * found.plan.image_bytes


def test_a_head_that_does_not_read_all_that_is_computed_costs_less_from_the_first_epoch_on():
    """GoogLeNet's two more classifiers stand before its head, which reads nothing of them."""
    found = costcalc.transfer("googlenet@heads=true", classes=5, images=4, batch=4)
    assert "head on kept features costs fewer MACs than head only from epoch 1 on" in found.notes()
    assert found.strategy(FEATURES).macs(1) < found.strategy(HEAD).macs(1)


def test_a_frozen_part_saves_the_same_share_of_each_epoch():
    found = costcalc.transfer("vgg16", classes=3)
    part, all_ = found.strategy(FREEZE), found.strategy(ALL)
    share = 1 - Fraction(part.epoch_macs, all_.epoch_macs)
    said = f"costs fewer MACs than fine-tune all at any number of epochs: {float(100 * share):.1f} % fewer an epoch"
    assert f"freeze up to conv4 {said}" in found.notes()


@pytest.mark.parametrize("name", ["vgg16", "resnet18", "mobilenet_v2"])
def test_the_largest_batch_is_the_largest(name):
    limit = 2 * 10**9
    found = costcalc.transfer(name, classes=3, within="2GB")
    assert found.within == limit
    for one in found.strategies:
        peaks = [one.model.at({"batch": one.largest_batch + more}) for more in range(2)]
        fits, over = (costcalc.load(model).cost().total("train_peak_bytes") for model in peaks)
        assert fits <= limit < over


def test_the_break_even_in_seconds_is_the_first_epoch_at_which_features_are_faster():
    for rate, disk_rate in ((100, "1MB"), (1000, "100MB"), (5, "10MB"), (1e6, "1kB".upper())):
        found = costcalc.transfer("vgg16", classes=3, images=500, head="fc6", rate=rate, disk_rate=disk_rate)
        kept, head = found.seconds[FEATURES], found.seconds[HEAD]
        first = found.break_even_epochs
        if first is None:
            assert kept.epoch >= head.epoch
            assert any(
                note.startswith("kept features never take fewer seconds than images: ") for note in found.notes()
            )
        else:
            assert kept.of(first) < head.of(first)
            assert first == 1 or kept.of(first - 1) >= head.of(first - 1)


@pytest.mark.parametrize(("text", "rate"), [("1.5", 1.5), ("0.25", 0.25), ("2K", 2000), ("1,000", 1000), ("3e2", 300)])
def test_a_rate_as_text_is_exact(text, rate):
    found = [costcalc.transfer("vgg16", classes=3, rate=given, disk_rate="1MB").seconds for given in (text, rate)]
    assert found[0] == found[1]


def test_seconds_are_multiplies_over_the_rate_and_bytes_over_that_of_the_disk():
    found = costcalc.transfer("vgg16", classes=1000, images=100, batch=10, epochs=3, rate=50, disk_rate=10**6)
    forward = costcalc.load("vgg16").macs
    multiply = 1 / (50 * forward)
    assert found.seconds[ALL].of(3) == pytest.approx(3 * found.strategy(ALL).epoch_macs * multiply)
    kept = found.strategy(FEATURES)
    once = kept.once_macs * multiply + 100 * 16_384 / 10**6
    assert found.seconds[FEATURES].once == pytest.approx(once)
    assert found.seconds[FEATURES].epoch == pytest.approx(kept.epoch_macs * multiply + 100 * 16_384 / 10**6)


@pytest.mark.parametrize(("images", "views"), [(75, 1), (64, 3), (33, 2)])
def test_seconds_are_those_of_whole_steps_as_the_note_has_them(images, views):
    found = costcalc.transfer("lenet5", classes=3, images=images, views=views, epochs=7, rate=100, disk_rate="1MB")
    steps = -(-images // 32)
    document = found.to_dict()
    assert document["steps_per_epoch"] == steps
    assert any(f"batch 32: {steps} steps an epoch" in note for note in found.notes())
    rates = document["rates"]
    for row in document["strategies"]:
        seconds = 7 * steps * row["step_seconds"]
        if row["key"] == FEATURES:
            seconds += -(-images * views // 32) * 32 * rates["features_seconds"]
            seconds += row["disk_bytes"] / rates["write_bytes_per_second"]
            seconds += 7 * images * document["head"]["bytes"] / rates["read_bytes_per_second"]
        assert row["seconds"] == pytest.approx(seconds)
    said = any(note.endswith("the last step of an epoch takes as long as a whole one") for note in found.notes())
    assert said is bool(images % 32)


@pytest.mark.parametrize(
    ("once", "each", "other", "wanted"),
    [(10, 1, 11, (1, 2)), (9, 1, 11, (None, 1)), (0, 1, 2, (None, 1)), (5, 3, 3, (None, None)), (5, 4, 3, (None, None)),
     (21, 1, 11, (None, 3)), (Fraction(5, 2), 0, Fraction(5, 4), (2, 3)), (0.5, 0.25, 0.5, (2, 3))],
)  # fmt: skip
def test_when_one_is_cheaper(once, each, other, wanted):
    assert first_cheaper(once, each, other) == wanted


# ---- truths


def test_resnet18_with_ten_classes():
    found = costcalc.transfer("resnet18", classes=10, **ONE)
    head = found.strategy(HEAD)
    assert head.trainable_params == 5_130
    assert head.trainable_params + head.frozen_params == 11_181_642
    assert head.step_macs - costcalc.load("resnet18", classes=10).macs == 5_120
    assert costcalc.load(head.model).cost().total("saved_bytes") == 512 * 4  # the input of fc alone


@pytest.mark.parametrize(
    ("target", "head", "key", "trained", "macs"),
    [
        ("vgg16", None, ALL, 138_357_544, 46_324_088_832), ("vgg16", None, HEAD, 4_097_000, 15_474_360_320),
        ("vgg16", "fc6", HEAD, 123_642_856, 15_614_771_200), ("vgg16", None, FREEZE, 130_722_280, 18_029_641_728),
        ("vgg16", "fc6", FEATURES, 123_642_856, 123_633_664 + 144_506_880),
        ("resnet50", None, ALL, 25_557_032, 12_149_538_816), ("resnet50", None, HEAD, 2_049_000, 4_091_232_256),
        ("resnet50", None, FREEZE, 17_013_736, 5_506_236_416),
    ],
)  # fmt: skip
def test_the_rows_that_are_known(target, head, key, trained, macs):
    one = costcalc.transfer(target, classes=1000, head=head, **ONE).strategy(key)
    assert (one.trainable_params, one.step_macs) == (trained, macs)


def test_the_features_of_vgg16():
    assert costcalc.transfer("vgg16", classes=3).plan.image_bytes == 16_384
    assert costcalc.transfer("vgg16", classes=3, head="fc6").plan.image_bytes == 100_352
    assert costcalc.transfer("vgg16", classes=3, dtype="float16").plan.image_bytes == 8_192


@pytest.mark.parametrize("key", [HEAD, FREEZE, ALL])
def test_mixed_precision_is_that_of_a_step(key):
    found = costcalc.transfer("resnet18", classes=10, batch=4, dtype="mixed", within="1GB")
    one = found.strategy(key)
    whole = costcalc.load("resnet18", classes=10, batch=4, dtype="mixed")
    freeze = {HEAD: "..global_average_pool", FREEZE: "..conv4_x", ALL: ()}[key]
    step = costcalc.TrainStep(freeze=freeze, freeze_statistics=True)
    assert one.step_bytes == whole.with_step(step).cost().total("train_peak_bytes")
    assert found.plan.image_bytes == 512 * 4  # computed at inference, in float32
    assert one.largest_batch > 4


BERT = """
name: bert_base
title: The encoder of BERT-base
source: "Devlin et al. 2018, arXiv:1810.04805, section 3"
input: [128, 768]
blocks:
  heads:
    - linear: 768
    - reshape: [128, 12, 64]
    - transpose: [0, 2, 1, 3]
  encoder:
    - identity: {name: x}
    - add:
        - []
        - - heads: {name: q, from: x}
          - heads: {name: k, from: x}
          - heads: {name: v, from: x}
          - scaled_dot_product_attention: {from: [q, k, v]}
          - transpose: [0, 2, 1, 3]
          - reshape: [128, 768]
          - linear: 768
    - layer_norm
    - add:
        - []
        - - linear: 3072
          - gelu
          - linear: 768
    - layer_norm
layers:
  - repeat: {name: layer, times: 12, layers: [encoder]}
  - linear: {name: classifier, features: 2}
"""


def test_lora_of_rank_16_on_q_and_v_of_a_bert_base():
    found = costcalc.transfer(BERT, classes=2, rank=16, adapt=["*.encoder.q", "*.encoder.v"])
    head, adapters = found.strategy(HEAD), found.strategy(ADAPTERS)
    assert adapters.trainable_params - head.trainable_params == 12 * 2 * 16 * (768 + 768) == 589_824
    assert adapters.frozen_params == head.frozen_params


def test_adapters_by_hand():
    """vgg16: fc6 is 25,088 to 4,096, fc7 4,096 to 4,096. Everything before fc6 is forward alone; the first adapter's A
    has no input gradient."""
    one = costcalc.transfer("vgg16", classes=1000, rank=8, **ONE)
    adapters, forward = one.strategy(ADAPTERS), costcalc.load("vgg16").macs
    a6, b6, a7, b7 = 8 * 25_088, 8 * 4_096, 8 * 4_096, 8 * 4_096
    assert adapters.trainable_params == 4_097_000 + a6 + b6 + a7 + b7
    backward = a6 + 2 * b6 + 2 * a7 + 2 * b7 + 4_096 * 4_096 + 2 * 4_096_000  # fc7 hands its gradient on
    assert adapters.step_macs == forward + a6 + b6 + a7 + b7 + backward


def test_a_network_without_linear_layers_before_its_head_says_so():
    found = costcalc.transfer("resnet18", classes=3)
    assert ADAPTERS not in keys(found)
    assert "no linear layer stands before the head fc: no adapters" in found.notes()


# ---- the head, and the row up to which a part is frozen


@pytest.mark.parametrize(
    ("name", "row"),
    [("lenet5", "conv1"), ("alexnet", "conv4"), ("vgg16", "conv4"), ("resnet50", "conv4_x"),
     ("googlenet", "inception5a"), ("mobilenet_v2", "stage7"), ("efficientnet_b0", "stage8"), ("vgg16_bn", "conv4")],
)  # fmt: skip
def test_the_row_that_is_chosen_trains_the_last_block_of_convolutions(name, row):
    assert costcalc.transfer(name, classes=3, **ONE).strategy(FREEZE).title == f"freeze up to {row}"


def test_a_block_names_its_first_layer_and_its_last():
    found = costcalc.transfer("vgg16", classes=3, head="conv5", freeze_until="conv3", **ONE)
    assert found.plan.head == "conv5.first.conv"
    assert found.strategy(FREEZE).trainable_params == costcalc.load("vgg16@freeze=conv3", classes=3).cost().total(
        "trainable_params")  # fmt: skip


def test_a_knob_sets_the_classes_and_else_the_last_linear_layer_is_replaced():
    assert costcalc.transfer("lenet5", classes=3).plan.last_linear is None
    graph = costcalc.load("lenet5", batch=4).graph()
    found = costcalc.transfer(graph, classes=3, images=8)
    assert (found.plan.last_linear, found.plan.batch) == ("fc5", 4)
    named = costcalc.transfer("lenet5@batch=4", classes=3, images=8)
    assert [one.step_macs for one in found.strategies] == [one.step_macs for one in named.strategies]
    assert graph.nodes["fc5"]["op"].features == 10
    assert any(note.endswith("fc5 has 3 classes now") for note in found.notes())


def test_a_head_may_read_several_tensors():
    graph = costcalc.new_graph(name="fork")
    ops = costcalc.ops.OPS
    costcalc.add(graph, "x", ops["input"]((2, 8)))
    costcalc.add(graph, "a", ops["linear"](6), "x")
    costcalc.add(graph, "b", ops["linear"](6), "a")
    costcalc.add(graph, "sum", ops["add"](), "a", "b")
    costcalc.add(graph, "fc", ops["linear"](4), "sum")
    found = costcalc.transfer(graph, classes=4, images=2, head="sum", rank=1)
    assert [*found.plan.feature_shapes] == ["a", "b"]
    assert found.plan.image_bytes == 2 * 6 * 4
    assert found.strategy(FEATURES).step_macs == 2 * 2 * 6 * 4
    assert found.strategy(ADAPTERS).trainable_params == 28 + (8 + 6) + (6 + 6)


def spec(*layers, name="net", size="[3, 32, 32]", blocks=""):
    """The text of a spec of these layers."""
    items = "".join(f"  - {layer}\n" for layer in layers)
    return f"name: {name}\ntitle: A net\nsource: none\ninput: {size}\n{blocks}layers:\n{items}"


C1 = "conv: {name: c1, channels: 8, kernel: 3}"
F = "linear: {name: f, features: 10}"


def test_where_the_first_block_has_the_last_convolutions_the_last_block_is_trained():
    found = costcalc.transfer(spec(C1, "batch_norm: {name: n1}", "relu", "flatten", F), classes=3)
    assert found.strategy(FREEZE).title == "freeze up to c1"
    assert any(note.endswith("at any number of epochs: 42.9 % fewer an epoch") for note in found.notes())
    found = costcalc.transfer(
        spec(C1, "flatten", "linear: {name: se, features: 20}", "linear: {name: c2, features: 6}", F), classes=3,
        head="c2",
    )  # fmt: skip
    assert found.strategy(FREEZE).title == "freeze up to c1"
    assert found.strategy(FREEZE).frozen_params == 3 * 3 * 3 * 8 + 8


def test_in_a_single_block_a_layer_is_chosen():
    inside = ["conv: {name: a, channels: 4, kernel: 3}", "conv: {name: b, channels: 4, kernel: 3}", "batch_norm: {}"]
    group = f"group: {{name: body, layers: [{', '.join(f'{{{one}}}' for one in inside)}]}}"
    found = costcalc.transfer(spec(group, "flatten", F), classes=3)
    assert found.strategy(FREEZE).title == "freeze up to body.a"
    assert found.strategy(FREEZE).frozen_params == 3 * 3 * 3 * 4 + 4


@pytest.mark.parametrize(
    ("layers", "reason"),
    [([C1, "flatten", F], "one layer alone has weights before the head, c1: freezing a part is freezing it, as head "
                          "only does"),
     ([C1, "repeat: {name: r, times: 3, layers: [conv: {channels: 8, kernel: 1}]}", "flatten", F], None),
     (["repeat: {name: r, times: 3, layers: [conv: {channels: 3, kernel: 1}]}", "flatten", F],
      "all weights before the head stand in r, a repeat whose copies freeze alike: name a row of it with "
      "--freeze-until")],
)  # fmt: skip
def test_why_no_part_is_frozen(layers, reason):
    found = costcalc.transfer(spec(*layers), classes=3)
    assert (FREEZE in keys(found)) is (reason is None)
    assert reason is None or reason in found.notes()


@pytest.mark.parametrize("inside", [False, True])
def test_what_a_spec_calls_frozen_is_trained_where_the_strategy_says_so(inside):
    """In layers and in the body of a repeat."""
    free, marked = (
        spec(
            f"linear: {{name: a, features: 64{said}}}",
            f"repeat: {{name: r, times: 2, layers: [linear: {{features: 64{said if inside else ''}}}]}}",
            F, size="[64]",
        )
        for said in ("", ", frozen: true")
    )  # fmt: skip
    one, other = (costcalc.transfer(text, classes=3) for text in (free, marked))
    assert one.to_records() == other.to_records()
    assert other.strategy(ALL).frozen_params == 0
    said = "what the target calls frozen is trained here: each strategy says what it freezes"
    assert (said in one.notes(), said in other.notes()) == (False, True)


def test_strategies_are_counted_that_keep_nothing_of_an_lstm():
    layers = "lstm: {name: r, hidden: 32}", "linear: {name: mid, features: 16}", F
    found = costcalc.transfer(spec(*layers, size="[20, 16]"), classes=3)
    assert keys(found) == [HEAD, FEATURES, FREEZE, ADAPTERS]
    because = "layer 'r': what lstm keeps for its gradients is its kernel's own choice and not counted"
    assert f"fine-tune all is left out: {because}" in found.notes()
    assert found.strategy(FREEZE).title == "freeze up to r"
    with pytest.raises(UsageError, match="what lstm keeps for its gradients"):
        costcalc.transfer(spec("linear: {features: 16}", *layers, size="[20, 16]"), classes=3, head="r")


def test_a_strategy_is_asked_for_by_its_key_and_its_model_is_a_net():
    found = costcalc.transfer("lenet5", classes=3)
    with pytest.raises(UnknownName, match=r"unknown strategy 'feature'; did you mean 'features'\?"):
        found.strategy("feature")
    for one in found.strategies:
        assert one.model.cost().total("train_macs") == one.step_macs


# ---- bad input


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"classes": 0}, "classes must be at least 1, got 0"), ({"images": 0}, "images must be at least 1, got 0"),
        ({"epochs": -1}, "epochs must be at least 1, got -1"), ({"views": 0}, "views must be at least 1, got 0"),
        ({"rank": 0}, "rank must be at least 1, got 0"), ({"batch": 0}, "batch must be at least 1, got 0"),
        ({"images": 2.5}, "images must be a whole number of at least 1, got 2.5"),
        ({"epochs": True}, "epochs must be a whole number of at least 1, got True"),
        ({"classes": "3"}, "classes must be a whole number of at least 1, got '3'"),
        ({"images": 10**20}, "images must be at most"), ({"head": "fc66"}, "unknown layer 'fc66'; did you mean 'fc6'?"),
        ({"head": "zzz"}, "unknown layer 'zzz'; known: conv1, conv2"), ({"head": "conv1"}, "nothing to keep frozen"),
        ({"freeze_until": "conv44"}, "unknown row 'conv44'; did you mean 'conv4'?"),
        ({"freeze_until": "fc8"}, "--freeze-until fc8 is not before the head 'fc8'"),
        ({"head": "fc6", "freeze_until": "fc7"}, "--freeze-until fc7 is not before the head 'fc6'"),
        ({"adapt": "fc77"}, "unknown layer 'fc77'; did you mean 'fc7'?"),
        ({"adapt": "conv1"}, "--adapt conv1 means no linear layer before the head"),
        ({"optimizer": "adm"}, "unknown optimizer 'adm'; did you mean 'adam'?"),
        ({"rate": 5}, "give --disk-rate too"), ({"disk_rate": "5MB"}, "give --rate too"),
        ({"rate": "nan", "disk_rate": 1}, "rate is a number above 0"),
        ({"rate": 1, "disk_rate": "5 lots"}, "is not an amount of bytes"), ({"rate": 1, "disk_rate": 0}, "above 0"),
        ({"disk": "/no/such/folder"}, "is not a folder"),
        ({"within": "lots"}, "--within 'lots' is not a budget; write --within 24GB"),
        ({"within": ""}, "--within '' is not a budget; write --within 24GB"),
        ({"dtype": "int8"}, "nothing trains in int8, of which torch has no gradients"),
        ({"dtype": "weights=float8"}, "nothing trains in float8, of which torch has no gradients"),
    ],
)  # fmt: skip
def test_bad_input_is_named(given, message):
    with pytest.raises(CostcalcError) as caught:
        costcalc.transfer("vgg16", **{"classes": 3, **given})
    assert message in str(caught.value)
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("target", "error", "message"),
    [("conv1x1", UsageError, "has no linear layer whose features could be the new classes"),
     ("network_in_network", UsageError, "has no linear layer to be its head"),
     ("vgg16@freeze=conv4", UsageError, "leave out freeze"), ("vgg61", UnknownName, "no spec or preset named"),
     ("vgg16@batch=64", UsageError, "takes 64 images at once, and there are 10")],
)  # fmt: skip
def test_targets_that_cannot_be_transferred(target, error, message):
    with pytest.raises(error, match=message):
        costcalc.transfer(target, classes=3, images=10)


def test_a_step_with_checkpoints_is_refused():
    model = costcalc.load("resnet18").with_step(costcalc.TrainStep(checkpoint="conv2_x"))
    with pytest.raises(UsageError, match=r"where each strategy trains another part, .*; leave out checkpoint"):
        costcalc.transfer(model, classes=3)


def test_the_optimizer_of_a_model_is_its_own():
    model = costcalc.load("lenet5").with_step(costcalc.TrainStep("adam"))
    assert costcalc.transfer(model, classes=3).plan.model.step.optimizer == "adam"
    assert costcalc.transfer(model, classes=3, optimizer="momentum").plan.model.step.optimizer == "momentum"


def test_within_needs_a_batch_to_solve_for():
    graph = costcalc.load("lenet5", batch=4).graph()
    with pytest.raises(UsageError, match="--within solves for the batch, and lenet5 has no knob 'batch'"):
        costcalc.transfer(graph, classes=3, images=8, within="1GB")


def test_a_head_without_weights_and_one_in_a_repeat():
    with pytest.raises(UsageError, match=r"'conv5_x\.more\.unit' stands in 'conv5_x\.more', which is repeated"):
        costcalc.transfer("resnet50", classes=3, head="conv5_x.more.unit")
    graph = costcalc.load("lenet5").graph()
    costcalc.add(graph, "softmax", costcalc.ops.OPS["softmax"](), "fc5")
    with pytest.raises(UsageError, match="no layer from 'softmax' on has weights, so the head has nothing to train"):
        costcalc.transfer(graph, classes=3, images=10, head="softmax")
    with pytest.raises(UsageError, match="takes 3 images at once; give a multiple of 3"):
        costcalc.transfer(costcalc.load("lenet5", batch=3).graph(), classes=3, images=10)


def test_the_only_layer_with_weights_has_nothing_before_it():
    with pytest.raises(UsageError, match="nothing to keep frozen; f alone has any") as caught:
        costcalc.transfer(spec(F, size="[8]"), classes=3)
    assert "--head" not in str(caught.value)


def test_a_batch_without_a_limit_is_the_largest_that_is_counted():
    found = costcalc.transfer("lenet5", classes=3, within="1TB")
    assert found.strategy(FEATURES).largest_batch == found.strategy(FEATURES).looked_to == 2**31
    said = "head on kept features fits at every batch up to 2,147,483,648, the largest that is counted"
    assert [note for note in found.notes() if "fits at every batch" in note] == [said]
    assert found.strategy(ALL).largest_batch < found.strategy(ALL).looked_to


def test_a_budget_below_the_weights_fits_nothing():
    with pytest.raises(NothingFits, match="the least, head on kept features, takes 563,334,400 bytes at a batch of 1"):
        costcalc.transfer("vgg16", classes=3, within="100MB")
    with pytest.raises(
        NothingFits, match="at a batch of 1, to compute the features at inference; its step takes 114,740"
    ):
        costcalc.transfer("vgg16", classes=3, within="560MB")
    some = costcalc.transfer("vgg16", classes=3, within="600MB")
    assert [one.largest_batch is not None for one in some.strategies] == [True, True, False, False, True]


def test_a_disk_that_cannot_keep_the_features(tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda folder: type("Usage", (), {"free": 16_384 * 1000 - 1}))
    with pytest.raises(costcalc.NoRoom, match=r"the features take 15\.6 MiB, and 15\.6 MiB are free in") as caught:
        costcalc.transfer("vgg16", classes=3, images=1000, disk=tmp_path)
    assert caught.value.exit_code == 3
    assert [*tmp_path.iterdir()] == []
    costcalc.transfer("vgg16", classes=3, images=999, disk=tmp_path)
