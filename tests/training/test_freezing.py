"""What a pattern freezes, what it refuses, and what a frozen layer costs."""

import pytest
from support import needed

import costcalc
from costcalc import ops
from costcalc.errors import ShapeError, UnknownName
from costcalc.graph.freezing import freeze, layer_names


def frozen(patterns, target="resnet18"):
    """The layers that patterns freeze, and the names of tensors where they freeze these alone."""
    graph = freeze(costcalc.load(target).layers(unrolled=True), patterns)
    return {name: data["frozen"] for name, data in graph.nodes(data=True) if "frozen" in data}


def test_a_name_means_all_that_stands_below_it():
    names = [*layer_names(costcalc.load("resnet18").layers(unrolled=True))]
    assert [*frozen(["conv2_x"])] == [name for name in names if name.startswith("conv2_x.")]
    assert {*frozen(["conv2_x"]).values()} == {True}
    assert [*frozen(["fc"])] == ["fc"]


def test_a_star_stays_within_one_part():
    found = frozen(["conv*_x.first.residual.conv1"])
    assert {name.split(".")[0] for name in found} == {"conv2_x", "conv3_x", "conv4_x", "conv5_x"}
    assert all(".first.residual.conv1" in name for name in found)
    assert [*frozen(["*.batch_norm"])] == ["conv1.batch_norm"]


def test_a_range_runs_in_execution_order():
    names = [*layer_names(costcalc.load("resnet18").layers(unrolled=True))]
    found = [*frozen(["relu..conv3_x"])]
    last = max(i for i, name in enumerate(names) if name.startswith("conv3_x."))
    assert found == names[names.index("relu") : last + 1]
    assert [*frozen(["..conv3_x"])] == names[: last + 1]
    assert [*frozen(["conv5_x.."])][-1] == "fc"


def test_a_tensor_may_be_frozen_alone():
    assert frozen(["fc.bias"]) == {"fc": ("bias",)}
    cost = costcalc.load("resnet18").with_step(costcalc.TrainStep(freeze="fc.bias")).cost()
    assert cost.total("frozen_params") == 1000
    assert cost.total("train_macs") == costcalc.load("resnet18").cost().total("train_macs")


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("conv9_x", "nothing to freeze is called 'conv9_x'; rows of"),
        ("conv1..conv9_x", "nothing to freeze is called 'conv9_x'"),
        ("fc.bais", "no layer or tensor to freeze is called 'bais'; the layers there have weight, bias"),
    ],
)
def test_what_matches_nothing_is_refused(pattern, message):
    with pytest.raises(UnknownName, match=message):
        costcalc.load("resnet18").with_step(costcalc.TrainStep(freeze=pattern)).cost().total("train_macs")


def test_something_must_be_left_to_train():
    with pytest.raises(ShapeError, match="nothing is left to train"):
        costcalc.load("lenet5", freeze="fc5").cost().total("train_macs")
    assert costcalc.load("lenet5", freeze="fc5").cost().total("memory_bytes") > 0
    points = costcalc.sweep("lenet5", freeze=["conv1", "tanh1"], metrics="train_macs")
    assert len(points) == 2


def test_a_frozen_convolution_between_trained_ones_costs_exactly_half():
    for name in ("frozen", "trained"):
        graph = costcalc.new_graph(name=name)
        costcalc.add(graph, "x", ops.Input([1, 3, 8, 8]))
        costcalc.add(graph, "first", ops.Conv(4, 3), "x")
        costcalc.add(graph, "middle", ops.Conv(4, 3), "first", frozen=name == "frozen")
        costcalc.add(graph, "last", ops.Conv(4, 3), "middle")
        cost = costcalc.cost(graph)
        middle = cost.layers[2]
        backward = cost.value("train_macs", 2) - middle.macs
        assert backward == (1 if name == "frozen" else 2) * middle.macs
        assert cost.total("saved_bytes") == 4 * (3 * 64 + 4 * 36 + 4 * 16)  # frozen or not


def test_a_graph_of_ones_own_is_not_changed():
    graph = costcalc.new_graph(name="mine")
    costcalc.add(graph, "x", ops.Input([1, 8]))
    costcalc.add(graph, "a", ops.Linear(4), "x")
    costcalc.add(graph, "b", ops.Linear(2), "a")
    found = costcalc.load(graph).with_step(costcalc.TrainStep("adam", "a"))
    assert found.cost().total("trainable_params") == 10
    assert "train_step" not in graph.graph
    assert "frozen" not in graph.nodes["a"]


def test_frozen_statistics_keep_only_the_input():
    kept = [
        costcalc.load("resnet18").with_step(costcalc.TrainStep(freeze="conv2_x", freeze_statistics=flag)).cost()
        for flag in (False, True)
    ]
    channels = sum(
        row.input_shapes[0][1] * row.times
        for row in kept[0].layers
        if row.op.name == "batch_norm" and row.name.startswith("conv2_x")
    )
    assert kept[0].total("saved_bytes") - kept[1].total("saved_bytes") == 8 * channels


def test_freeze_is_no_name_for_a_knob():
    with pytest.raises(costcalc.SpecError, match="cannot be called 'freeze'"):
        costcalc.load("name: x\ntitle: x\nsource: x\nknobs: {freeze: 3}\ninput: [3]\nlayers: [linear: freeze]\n").cost()


def test_a_tensor_that_is_shared_is_frozen_by_either_layer():
    def graph(**frozen):
        made = costcalc.new_graph(name="tied")
        costcalc.add(made, "x", ops.Input([1, 8]))
        costcalc.add(made, "a", ops.Linear(8), "x", **frozen.get("a", {}))
        costcalc.add(made, "b", ops.Linear(8), "a", shares="a", **frozen.get("b", {}))
        costcalc.add(made, "c", ops.Linear(2), "b")
        return costcalc.cost(made).total("trainable_params")

    assert graph() == 72 + 18
    assert graph(a={"frozen": True}) == graph(b={"frozen": True}) == 18
    assert graph(b={"frozen": "bias"}) == 64 + 18


@pytest.mark.parametrize("frozen", [1, 3.5, object(), [3]])
def test_a_node_says_true_false_or_names(frozen):
    graph = costcalc.new_graph(name="x")
    costcalc.add(graph, "x", ops.Input([1, 8]))
    costcalc.add(graph, "a", ops.Linear(8), "x", frozen=frozen)
    with pytest.raises(costcalc.GraphError, match="layer 'a': frozen is True, False or the names of tensors"):
        costcalc.cost(graph).total("train_macs")


@pytest.mark.parametrize("given", [{"optimizer": 3}, {"optimizer": "adm"}, {"freeze": 3}, {"freeze": [3]}])
def test_a_step_of_nonsense_is_refused(given):
    with pytest.raises(costcalc.CostcalcError):
        costcalc.TrainStep(**given)


def test_layers_may_have_numbers_for_names():
    graph = costcalc.new_graph(name="numbers")
    costcalc.add(graph, 0, ops.Input([1, 8]))
    costcalc.add(graph, 1, ops.Linear(4), 0)
    costcalc.add(graph, 2, ops.Linear(2), 1)
    cost = costcalc.cost(graph)
    assert cost.total("train_macs") == 2 * 32 + 3 * 8
    assert cost.total("peak_bytes") == 4 * (8 + 4 + 2)


def test_a_built_module_and_verify_know_what_is_frozen():
    needed.module("torch", "torch")
    from costcalc.torch_backend import build, verify_net

    module = build("lenet5@freeze=conv1")
    assert [name for name, tensor in module.named_parameters() if not tensor.requires_grad] == [
        "conv1.weight",
        "conv1.bias",
    ]
    found = verify_net("lenet5@freeze=conv1")
    backward = sum(layer.ours["backward_macs"] for layer in found.layers)
    cost = costcalc.load("lenet5@freeze=conv1").cost()
    assert (found.ok, backward) == (True, cost.total("train_macs") - cost.macs)
