"""Checkpointed rows: what they add, closed forms and columns, and the rows that are chosen for a budget."""

from itertools import combinations

import pytest

import costcalc
from costcalc.analysis.training.auto_checkpoint import Checkpointing
from costcalc.analysis.training.kept import kept_bytes
from costcalc.analysis.training.step_layers import step_layers
from costcalc.analysis.training.step_peak import step_peak
from costcalc.analysis.unrolled import COPIES_TO_TRAIN, unrolled_layers
from costcalc.dtype import FLOAT32, read_dtype
from costcalc.errors import NothingFits, UnknownName, UsageError
from costcalc.graph import unroll
from costcalc.train_step import OPTIMIZERS, TrainStep

METRICS = ("recomputed_macs", "train_macs", "train_elementwise", "saved_bytes", "train_peak_bytes")


def checkpointed(target, rows, **knobs):
    return costcalc.load(target, **knobs).with_step(TrainStep(checkpoint=rows))


def test_a_row_costs_its_forward_pass_once_more():
    plain, found = costcalc.load("resnet50").cost(), checkpointed("resnet50", "conv2_x").cost()
    assert found.total("recomputed_macs") == 667_942_912  # as `show resnet50 --depth 1` has of conv2_x
    assert found.total("train_macs") == plain.total("train_macs") + 667_942_912
    assert found.total("macs") == plain.total("macs")
    assert found.total("saved_bytes") < plain.total("saved_bytes")


@pytest.mark.parametrize("metric", METRICS)
def test_a_sweep_is_each_of_its_points(metric):
    sweep = costcalc.sweep(checkpointed("resnet", "conv*_x"), n4="1:7:1", r=[64, 96], metrics=metric)
    for record in sweep.to_records():
        one = checkpointed("resnet", "conv*_x", n4=record["n4"], r=record["r"]).cost().total(metric)
        assert record[metric] == one


@pytest.mark.parametrize("metric", METRICS[:-1])
def test_a_closed_form_is_the_number(metric):
    model = checkpointed("resnet", "conv3_x,conv4_x")
    found = costcalc.formula(model, metric)
    for values in ({"r": 64, "n4": 5}, {"r": 96, "n4": 9, "n3": 4}):
        assert found(**values) == model.with_knobs(**values).cost().total(metric)


@pytest.mark.parametrize("target", ["resnet18", "resnet50", "mobilenet_v2", "efficientnet@d=2,r=64", "vgg16"])
def test_folded_is_unrolled(target):
    model = costcalc.load(target, batch=2)
    graph, rows = model.layers(), model.blocks()
    for some in (rows, rows[::2], rows[1::2]):
        costs = []
        for layers in (unrolled_layers(unroll(graph)), unrolled_layers(graph, COPIES_TO_TRAIN)):
            ((_, found),) = layers
            step = [*step_layers(found, checkpoint=some)]
            kept = kept_bytes(step, FLOAT32)
            stays = sum(each.layer.copies * kept.get(each.name, 0) for each in step)
            costs.append((stays, step_peak(step, FLOAT32, OPTIMIZERS["adam"])[0]))
        assert costs[0] == costs[1]


def test_a_row_that_is_frozen_costs_nothing_more():
    step = TrainStep(freeze="..conv3_x")
    plain = costcalc.load("resnet18").with_step(step).cost()
    again = costcalc.load("resnet18").with_step(TrainStep(freeze="..conv3_x", checkpoint="conv2_x")).cost()
    for metric in ("train_macs", "saved_bytes"):
        assert again.total(metric) == plain.total(metric)


TARGETS = ["resnet18@r=64", "residual_block", "network_in_network", "lenet5_1998", "resnet50@r=64"]


@pytest.mark.parametrize("dtype", ["float32", "mixed"])
@pytest.mark.parametrize("target", TARGETS)
def test_the_cheapest_of_all_choices_is_found(target, dtype):
    model = costcalc.load(target).with_knobs(batch=4)
    ((_, layers),) = unrolled_layers(model.layers(), COPIES_TO_TRAIN)
    steps = Checkpointing(layers, model.step, read_dtype(dtype))
    rows = steps.rows[:7]  # in a longer network the first of them
    every = [steps.choice(frozenset(some)) for n in range(len(rows) + 1) for some in combinations(rows, n)]
    if len(rows) < len(steps.rows):
        steps.rows = rows
    for budget in {choice.peak for choice in every} | {min(choice.peak for choice in every) - 1}:
        fitting = [choice for choice in every if choice.peak <= budget]
        best = min(fitting, key=lambda one: (one.macs, one.elementwise, len(one.rows)), default=None)
        found = steps.cheapest(budget)
        assert (found is None) == (best is None)
        if best is not None:
            assert found[1:3] == best[1:3]
            assert len(found.rows) == len(best.rows)
            assert found.peak <= budget


def test_of_many_rows_a_heuristic_finds_some(monkeypatch):
    monkeypatch.setattr("costcalc.analysis.training.auto_checkpoint.MAX_ROWS_TRIED", 3)
    model = costcalc.load("resnet18").with_knobs(batch=8)
    found = costcalc.memory(model, train=True, checkpoint="auto", within="270MB")
    assert found.choices is None
    assert found.choice.peak <= 270_000_000
    assert "heuristic" in str(found)
    with pytest.raises(NothingFits, match="no rows were found"):
        costcalc.memory(model, train=True, checkpoint="auto", within="100MB")


def test_a_plan_is_the_step_that_it_names():
    plan = costcalc.memory("resnet50@batch=32", train=True, checkpoint="auto", within="2GB")
    cost = plan.model.cost()
    assert plan.rows == ("conv2_x",)
    assert plan.choices == 2**8
    assert plan.choice.peak == cost.total("train_peak_bytes") == costcalc.memory(plan.model, train=True).bytes
    sums = [sum(record[name] for record in plan.to_records()) for name in ("recomputed_macs", "saved_bytes")]
    assert sums == [cost.total("recomputed_macs"), costcalc.load("resnet50@batch=32").cost().total("saved_bytes")]
    assert plan.choice.macs == cost.total("recomputed_macs")
    assert plan.peak_without == costcalc.memory("resnet50@batch=32", train=True).bytes


@pytest.mark.parametrize(
    ("error", "message", "call"),
    [
        (UnknownName, "conv2_x", lambda: checkpointed("resnet18", "conv2x").cost()),
        (UnknownName, "--within", lambda: checkpointed("resnet18", "auto").cost()),
        (UsageError, "give within too", lambda: costcalc.memory("resnet18", train=True, checkpoint="auto")),
        (UsageError, "train=True", lambda: costcalc.memory("resnet18", checkpoint="auto", within="1GB")),
        (NothingFits, "at least", lambda: costcalc.memory("resnet18", train=True, checkpoint="auto", within=1)),
    ],
)
def test_a_choice_that_cannot_be_made_says_why(error, message, call):
    with pytest.raises(error, match=message):
        call()


def test_layers_of_a_row_run_in_one_stretch():
    graph = costcalc.new_graph(name="net")
    costcalc.add(graph, "x", costcalc.ops.Input([1, 3, 8, 8]))
    costcalc.add(graph, "a.first", costcalc.ops.Conv(4, 3), "x")
    costcalc.add(graph, "b", costcalc.ops.Conv(4, 3), "a.first")
    costcalc.add(graph, "a.second", costcalc.ops.Conv(4, 3), "b")
    with pytest.raises(UsageError, match="other layers run between"):
        checkpointed(graph, "a").cost()
