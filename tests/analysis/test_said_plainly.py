"""What a reader is told where a network is not quite what it seems: letters that begin at one, lost layers, copies in
folds, frames beyond a machine word, and what is no op of ours."""

import networkx
import pytest
from support import needed

import costcalc
from costcalc.analysis.check import validate
from costcalc.cli.app import _after_interrupt
from costcalc.errors import GraphError

HEAD = "name: {}\ntitle: t\nsource: s\nknobs: {{{}}}\ninput: [3, r, r]\nlayers:\n"


def written(folder, name, knobs, *layers):
    path = folder / f"{name}.yaml"
    path.write_text(HEAD.format(name, knobs) + "".join(f"  - {layer}\n" for layer in layers))
    return str(path)


REPEATED = (
    "conv: {name: a, channels: 8, kernel: 3}",
    "repeat: {name: more, times: n, layers: [conv: {channels: 8, kernel: 1}]}",
)


@pytest.mark.parametrize(("given", "times"), [("{default: 0, min: 0}", 0), ("{default: 2, min: 0}", 2)])
def test_a_knob_from_zero_is_a_letter_from_one_on_and_a_number_below(tmp_path, given, times):
    target = written(tmp_path, "from_zero", f"r: 32, n: {given}", *REPEATED)
    formula = costcalc.formula(target)
    assert formula(r=33) == costcalc.load(target, r=33).cost().macs
    said = " ".join(formula.lines())
    assert ("n = 0, for a symbol is 1 or more" in said) == (times == 0)
    assert ("below n = 1: a symbol is 1 or more" in said) == (times == 2)


def test_a_fold_counts_the_copies_of_a_repeat():
    folds = {fold.name: fold.op for fold in costcalc.load("resnet50").cost().fold(1)}
    unrolled = {fold.name: fold.op for fold in costcalc.load("resnet50").cost(unrolled=True).fold(1)}
    assert folds == unrolled
    assert folds["conv4_x"] == "62 layers"


def test_a_layer_that_nobody_reads_is_warned_of_and_a_side_is_not(tmp_path):
    layers = (
        "conv: {name: a, channels: 8, kernel: 3}",
        "side: {name: head, layers: [conv: {channels: 2, kernel: 1}]}",
        "conv: {name: forgotten, channels: 100, kernel: 3}",
        "relu: {from: a}",
    )
    (problem,) = validate(written(tmp_path, "dead", "r: 32", *layers))
    assert problem.warning
    assert (problem.place.line, "no layer reads the layer 'forgotten'" in problem.message) == (9, True)


def test_a_frame_does_not_wrap_around():
    needed.module("pandas", "pandas")
    cost = costcalc.load("efficientnet_b7", batch=2**31).cost()
    assert cost.to_pandas()["macs"].sum() == cost.macs > 2**63


def test_a_formula_and_a_ratio_give_records():
    needed.module("pandas", "pandas")
    blocks = costcalc.formula("resnet50").to_records()
    assert [block["name"] for block in blocks][:2] == ["conv1", "conv2_x"]
    assert costcalc.ratio("conv_depthwise_separable", "conv_normal").to_pandas()["metric"].tolist() == ["MACs"]


THEIRS = type("ReLU", (), {"__module__": "torch.nn"})


@pytest.mark.parametrize(
    ("op", "said"),
    [
        ("relu", "has the word 'relu' as its op; write costcalc.ops.ReLU(…)"),
        (THEIRS(), "has an op of torch.nn, which has no rule; write costcalc.ops.ReLU(…)"),
    ],
)  # fmt: skip
def test_an_op_of_someone_else_is_told_from_ours(op, said):
    graph = networkx.DiGraph()
    graph.add_node("x", op=costcalc.ops.Input((1, 4)), inputs=())
    graph.add_node("a", op=op, inputs=("x",))
    with pytest.raises(GraphError, match=said.replace("(", r"\(").replace(")", r"\)")):
        costcalc.cost(graph)


def test_an_interrupt_that_a_library_took_for_an_error_is_one():
    def library():
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            raise TypeError("expected a message argument") from None

    with pytest.raises(TypeError) as caught:
        library()
    assert _after_interrupt(caught.value)
    assert not _after_interrupt(TypeError("a bug"))


def test_counting_a_network_again_does_not_bind_it_again():
    net = costcalc.load("resnet50")
    assert net.bound is net.bound
    assert net.graph() is not net.bound
    assert net.with_knobs(r=160).cost().macs != net.cost().macs
