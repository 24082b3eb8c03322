"""A count as a reader takes it: folded by block, totalled by name, as a table."""

import json

import pytest

import costcalc
from costcalc.analysis.cost import Cost
from costcalc.cli import run
from costcalc.ops import Conv, GlobalAveragePool, Input, Linear, ReLU
from costcalc.spec.library import entries
from costcalc.spec.parse import parse_text
from costcalc.spec.spec_architecture import SpecArchitecture

HEAD = "name: x\ntitle: t\nsource: s\nknobs: {n: 2}\ninput: [3, 8, 8]\nlayers:\n"
SIDE = """
  - group: {name: block, layers: [conv: {channels: 4, kernel: 3, padding: same}, group: {name: side, layers: SIDE}]}
  - relu: {from: block.conv}
""".replace("SIDE", "[global_average_pool, linear: 10]")


def cost_of(layers):
    return costcalc.Net(SpecArchitecture(parse_text(HEAD + layers.removeprefix("\n"), "x.yaml")), {}, "x").cost()


def folds(layers, depth=1):
    return {fold.name: fold for fold in cost_of(layers).fold(depth)}


def test_what_leaves_a_block_is_what_others_read_and_not_what_stands_last():
    block = folds(SIDE)["block"]
    assert (block.output_shape, block.costs["output"], block.op) == ((1, 4, 8, 8), 256, "3 layers")


def test_of_a_block_that_nobody_reads_its_last_layer_leaves():
    block = folds(SIDE, depth=2)["block.side"]
    assert (block.output_shape, block.costs["output"]) == ((1, 10), 10)


def test_a_block_with_several_outputs_says_so():
    block = folds(SIDE + "  - linear: {from: block.side.global_average_pool, features: 7}\n")["block"]
    assert (block.op, block.output_shape, block.costs["output"]) == ("3 layers, 2 outputs", (1, 4, 1, 1)[:2], 256 + 4)


REPEATED = """
  - group: {name: stage, layers: [conv: {channels: 4, kernel: 1}, repeat: {name: block, times: n, layers: [
      add: [[conv: {channels: 4, kernel: 1}], []]]}]}
  - relu
"""


def test_a_repeat_is_read_under_its_own_name():
    assert (folds(REPEATED)["stage"].output_shape, folds(REPEATED)["stage"].costs["output"]) == ((1, 4, 8, 8), 256)
    assert folds(REPEATED, depth=2)["stage.block"].costs["output"] == 256


def test_copies_are_told_only_where_all_layers_have_as_many():
    assert folds(REPEATED, depth=2)["stage.block"].times == 2
    assert folds(REPEATED)["stage"].times is None
    assert folds(REPEATED)["relu"].times == 1
    table = cost_of(REPEATED).table(2)
    assert [row["times"] for row in table.rows] == [1, 2, 1]
    assert "times" in [column.key for column in table.columns]
    assert "times" not in [column.key for column in cost_of(REPEATED).table(1).columns]


@pytest.mark.parametrize("name", [entry.name for entry in entries() if entry.kind == "spec"])
def test_what_leaves_a_block_is_what_the_next_one_reads(name):
    cost = costcalc.load(name).cost()
    shapes = {fold.output_shape for fold in cost.fold(1)}
    for row in cost.layers:
        block = row.name.partition(".")[0]
        for source, shape in zip(row.inputs, row.input_shapes):
            if source.partition(".")[0] != block and cost.layers[0].name != source:
                assert shape in shapes, row.name


@pytest.mark.parametrize("depth", [0, -1, 1.5, True, "1"])
def test_a_depth_is_a_whole_number_from_1(depth):
    with pytest.raises(costcalc.UsageError) as caught:
        costcalc.load("lenet5").cost().fold(depth)
    assert str(caught.value) == f"a depth is a whole number from 1, got {depth!r}"


@pytest.mark.parametrize("metric", ["foo", "name", "mac", "times", "_fields", 3])
def test_only_what_is_a_total_has_one(metric):
    with pytest.raises(costcalc.UnknownName, match=f"unknown metric {str(metric)!r}"):
        costcalc.load("lenet5").cost().total(metric)


def test_a_misspelt_total_is_hinted_at():
    with pytest.raises(costcalc.UnknownName) as caught:
        costcalc.load("lenet5").cost().total("mac")
    assert str(caught.value) == "unknown metric 'mac'; did you mean 'macs'?"


def test_a_table_adds_up_the_layers_as_often_for_a_thousand_as_for_ten(monkeypatch):
    asked = []
    total = Cost.total
    monkeypatch.setattr(Cost, "total", lambda self, metric: asked.append(metric) or total(self, metric))

    def times_asked(net):
        asked.clear()
        net.cost().table()
        return len(asked)

    assert times_asked(costcalc.load("resnet152")) == times_asked(costcalc.load("lenet5"))


def test_results_can_be_kept_in_sets():
    graph = costcalc.new_graph()
    x = costcalc.add(graph, "x", Input((1, 3, 8, 8)))
    for name, op in (("conv", Conv(4, 3)), ("relu", ReLU()), ("gap", GlobalAveragePool()), ("fc", Linear(2))):
        x = costcalc.add(graph, name, op, x)
    cost = costcalc.cost(graph)
    assert {cost, cost} == {cost}


def test_json_has_the_blocks_that_the_table_shows(capsys):
    assert run(["show", "resnet50", "--depth", "1", "-f", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [(b["name"], b["macs"]) for b in document["blocks"]] == [
        (row["name"], row["macs"]) for row in costcalc.load("resnet50").cost().table(1).rows
    ]
    assert document["blocks"][3]["output_shape"] == [1, 256, 56, 56]
    assert len(document["layers"]) > len(document["blocks"])
    assert "blocks" not in costcalc.load("lenet5").cost().to_dict()


@pytest.mark.parametrize("command", ["show", "explain", "reconcile", "formula"])
def test_every_command_that_counts_has_a_limit(capsys, command):
    assert run([command, "resnet50", "--max-layers", "9"]) == 2
    assert "more than 9 layers" in capsys.readouterr().err


def test_algebra_is_that_of_two(capsys):
    with pytest.raises(costcalc.UsageError, match="the ratio as algebra is that of two networks, got 3"):
        costcalc.compare("conv_normal", "conv1x1", "lenet5", algebra=True)
