"""Our counts beside two witnesses: torch's kernels, and loops that make every product one at a time."""

import json
from dataclasses import replace

import pytest
from support import needed
from support.cases import CASES, label
from support.gradients import every_wanted
from support.layers import chain, graph_of
from support.loops import LOOPS, products
from support.sizes import size

torch = needed.module("torch", "torch")

import costcalc  # noqa: E402
from costcalc import ops  # noqa: E402
from costcalc.cli.app import run  # noqa: E402
from costcalc.spec.library import entries  # noqa: E402
from costcalc.torch_backend import MODULES  # noqa: E402
from costcalc.torch_backend.verify import Verifications, verify_net  # noqa: E402

LAYERS = [case for case in CASES if case[0].name != "input"]
WITH_PRODUCTS = [case for case in LAYERS if case[0].name in LOOPS]


def after_something_learned(op, *ins):
    """The op on inputs that want a gradient: each has gone through a normalisation."""
    graph = costcalc.new_graph(name="after_something_learned")
    for i, x in enumerate(ins):
        costcalc.add(graph, f"x{i}", ops.Input(x))
        costcalc.add(graph, f"learned{i}", ops.LayerNorm(), f"x{i}")
    costcalc.add(graph, "layer", op, *(f"learned{i}" for i in range(len(ins))))
    return graph


@pytest.mark.parametrize("case", LAYERS, ids=label)
def test_torch_agrees_on_every_op(case):
    op, *ins = case
    assert verify_net(graph_of(op, *ins)).verdict == "same"
    if op.name != "embedding" and all(len(x) > 1 for x in ins):
        assert verify_net(after_something_learned(op, *ins)).verdict == "same"


def test_every_op_with_multiplies_has_its_loops():
    counted = {op.name for op, *ins in LAYERS if op.macs(*ins, out=op.shape(*ins))}
    assert counted == set(LOOPS)


@pytest.mark.parametrize("case", WITH_PRODUCTS, ids=label)
def test_the_products_are_as_many_as_loops_make(case):
    op, *ins = case
    out = op.shape(*ins)
    for wanted in every_wanted(op, ins):
        forward, backward = products(op, ins, wanted)
        assert op.macs(*ins, out=out) == forward
        assert op.backward_macs(*ins, out=out, wanted=wanted) == backward, wanted


def test_the_first_layer_wants_no_gradient_of_its_input():
    """Three products for each layer and step, but two for the first."""
    net = chain(("first", ops.Conv(4, 3)), ("relu", ops.ReLU()), ("second", ops.Conv(4, 3)))
    first, _, second = verify_net(net).layers
    assert first.ours["backward_macs"] == first.ours["macs"]
    assert second.ours["backward_macs"] == 2 * second.ours["macs"]


def test_a_difference_is_found_and_named(monkeypatch):
    monkeypatch.setattr(ops.Conv, "macs", lambda self, x, *, out: 17)
    found = verify_net(chain(("a", ops.ReLU()), ("b", ops.Conv(4, 3))))
    assert not found.ok
    assert found.verdict == "1 layer differs, first b in macs, backward_macs"
    assert [(row["name"], row["verdict"]) for row in found.table().rows] == [("b", "differs in macs, backward_macs")]
    assert found.table().totals is None  # of the layers shown, the column would not add up
    assert found.table().notes[0] == "1 more layer with no difference: --all-rows shows all"
    assert [row["name"] for row in found.table(all_rows=True).rows] == ["a", "b"]
    networks = [found, verify_net(chain(("a", ops.ReLU())))]
    assert [row["verdict"] for row in Verifications(networks).table().rows] == [found.verdict]
    assert [row["verdict"] for row in Verifications(networks).table(all_rows=True).rows] == [found.verdict, "same"]


def test_params_that_differ_as_a_whole_are_said(monkeypatch):
    found = replace(verify_net(chain(("a", ops.ReLU()))), params=(1234, 1235))
    assert (found.table().rows, found.table().notes[0]) == ([], "params differ: 1,234, and torch has 1,235")


def test_wrong_weights_are_found(monkeypatch):
    monkeypatch.setattr(ops.Linear, "weights", lambda self, x: (ops.Tensor("weight", (x[-1], self.features)),))
    assert verify_net(chain(("fc", ops.Linear(3)))).verdict == "1 layer differs, first fc in tensors"


class Square(torch.nn.Module):
    """x², over its input if it is told to."""

    inplace = False

    def forward(self, x):
        return x.square_() if self.inplace else x.square()


class Stubborn(torch.nn.Module):
    """x², as it likes."""

    def __init__(self, inplace):
        super().__init__()
        self.writes_over = inplace

    def forward(self, x):
        return x.square_() if self.writes_over else x.square()


@pytest.mark.parametrize(
    ("claims", "module", "verdict"),
    [
        (True, Square, "same"),
        (False, Square, "same"),
        (True, lambda: Stubborn(False), "1 layer differs, first square in inplace"),
        (False, lambda: Stubborn(True), "1 layer differs, first square in inplace"),
    ],
)
def test_a_module_that_does_not_write_over_its_input_as_its_op_says_is_found(claims, module, verdict, monkeypatch):
    monkeypatch.setattr("costcalc.ops.base.OPS", {})

    @ops.op
    class Square(ops.Pointwise):
        """x².   s -> s"""

        output = ops.computed(inplace=claims, overwritable=True)
        elementwise = ops.per_element(1)
        train_elementwise = ops.gradient_per_element(2)
        keeps = ops.keeps_input

    monkeypatch.setitem(MODULES, "square", lambda op, x: module())
    found = verify_net(chain(("conv", ops.Conv(4, 3)), ("square", Square())))
    assert (found.ok, found.verdict) == (verdict == "same", verdict)
    assert any(note.startswith("inplace: ") for note in found.table().notes) != found.ok
    written_over = found.to_dict()["layers"][1]
    assert (written_over["ours"]["inplace"], found.ok) == (claims, written_over["torch"]["inplace"] == claims)


def test_shapes_are_those_of_one_example_and_whole_where_they_differ():
    """With tokens before the batch, and with a module that gives back half of the batch."""
    found = verify_net(graph_of(ops.Transpose([1, 0, 2]), (2, 5, 8)))
    (same,) = found.to_records()
    assert (same["output_shape"], same["torch_output_shape"]) == ((5, 8), (5, 8))
    (layer,) = found.layers
    half = replace(layer, torchs={**layer.torchs, "output_shape": (5, 1, 8)})
    (differs,) = replace(found, layers=(half,)).to_records()
    assert differs["verdict"] == "differs in output_shape"
    assert (differs["output_shape"], differs["torch_output_shape"]) == ((5, 2, 8), (5, 1, 8))


def test_where_all_is_the_same_one_sentence_says_what_was_compared(capsys):
    same = "the output shape of each, 10 tensors, 61,706 params, 416,520 MACs forward and 715,440 backward"
    assert run(["verify", "lenet5"]) == 0
    title, _, sentence, *_ = capsys.readouterr().out.splitlines()
    assert title == f"lenet5: costcalc beside torch {torch.__version__}"
    assert sentence == f"no difference in 12 layers: {same}"
    assert run(["verify", "lenet5", "lenet5"]) == 0
    sentence = capsys.readouterr().out.splitlines()[2]
    assert sentence.startswith("no difference in 2 networks, 24 layers: ")
    assert "20 tensors, 123,412 params" in sentence
    for words in (["--all-rows"], ["-f", "csv"]):
        assert run(["verify", "lenet5", *words]) == 0
        assert capsys.readouterr().out.count("same") >= 12


@pytest.mark.sized
@pytest.mark.no_cover
def test_the_whole_library_agrees_with_torch(capsys, monkeypatch):
    """`costcalc verify --all`: 0 differences. Of each spec its first preset."""
    one_of_each = {entry.spec: entry.spec for entry in entries()}
    one_of_each |= {entry.spec: entry.name for entry in reversed(entries()) if entry.kind == "preset"}
    names = size([*one_of_each.values()], [entry.name for entry in entries()])
    monkeypatch.setattr("costcalc.cli.hardware.every_name", lambda: names)
    assert run(["verify", "--all", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)["networks"]
    assert len(found) == len(names)
    assert {net["verdict"] for net in found} == {"same"}
    assert all(net["macs"] == net["torch_macs"] and net["params"] == net["torch_params"] for net in found)


def test_a_chain_too_long_for_torch_is_refused(tmp_path, capsys):
    """torch 2.13 lets go of 60,000 gradients by recursion and dies of it."""
    path = tmp_path / "deep.yaml"
    path.write_text(
        "name: deep\ntitle: t\nsource: s\ninput: [8]\nlayers: [repeat: {times: 60000, layers: [linear: 8]}]\n"
    )
    assert run(["verify", str(path)]) == 3
    assert "60,001 layers are more than the 20,000 that can be verified" in capsys.readouterr().err


def test_training_costs_just_under_three_times_inference(capsys):
    """For grouped convolutions too, where torch's own formula says 41.7 (published-numbers.md)."""
    assert run(["verify", "efficientnet_b0", "--format", "json"]) == 0
    net = json.loads(capsys.readouterr().out)
    assert net["backward_macs"] == 760_791_488
    assert 2.9 < (net["macs"] + net["backward_macs"]) / net["macs"] < 3


@pytest.mark.parametrize("words", [["verify"], ["verify", "resnet18", "--all"]])
def test_verify_wants_targets_or_all(words, capsys):
    assert run(words) == 2
    assert "give one target or more, or --all" in capsys.readouterr().err
