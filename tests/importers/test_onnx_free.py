"""Nodes of ONNX files without a rule that a reader takes as free: with the shapes that the file states, and marked."""

import json

import pytest
from support import needed

needed.module("onnx", "onnx")

from support.onnx_files import node, onnx_file  # noqa: E402

import costcalc  # noqa: E402
from costcalc.cli import run  # noqa: E402
from costcalc.errors import CostcalcError, ImportRefused, UsageError  # noqa: E402

FOO = [
    node("Conv", "x w", "c", pads=[1, 1, 1, 1]), node("Foo", "c t", "d e", "foo", domain="com.acme"),
    node("Foo", "d t", "f", domain="com.acme"), node("Conv", "f v", "y"),
]  # fmt: skip
TENSORS = {"w": (8, 3, 3, 3), "v": (4, 6, 1, 1), "t": (5,)}


def file(folder, shapes, size=("batch", 3, 8, 8), nodes=FOO, **more):
    """A network of two convolutions with something between them that has no rule."""
    return onnx_file(folder, nodes, {"x": size}, TENSORS, domains=["com.acme"], shapes=shapes, **more)


STATED = {"d": ("batch", 6, 8, 8), "f": ("batch", 6, 8, 8)}


@pytest.mark.parametrize("free", ["com.acme::Foo", ["com.acme::Foo", "Bar"]])
def test_totals_are_those_of_all_others_and_marked(tmp_path, free):
    path = file(tmp_path, STATED)
    cost = costcalc.load(path, assume_free=free).cost()
    assert (cost.macs, cost.params) == (64 * 8 * 27 + 64 * 4 * 6, 8 * 27 + 4 * 6 + 5)
    (warning,) = cost.warnings
    assert "totals of net.onnx lack com.acme::Foo ×2, first in 'foo'; it has no rule, and was" in str(warning)
    assert warning.message in cost.table().notes
    assert [row.output_shape for row in cost.layers if row.op.name == "move"] == [(1, 6, 8, 8)] * 2


def test_open_sizes_stay_open(tmp_path):
    net = costcalc.load(file(tmp_path, STATED), assume_free="com.acme::Foo")
    formula = net.formula()
    assert formula(batch=7) == 7 * net.macs
    assert "lack com.acme::Foo" in str(formula.warnings[0])
    computed = {"d": ("2*batch", 6, 8, 8), "f": ("2*batch", 6, 8, 8)}
    assert costcalc.load(file(tmp_path, computed), assume_free="com.acme::Foo", batch=3).cost().macs == 3 * (
        64 * 8 * 27 + 2 * 64 * 4 * 6
    )


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        (
            {"f": STATED["f"]},
            "com.acme::Foo 'foo': it has no rule, and the file does not state the shape of its output",
        ),
        ({**STATED, "d": ("n", 6, 8, 8)}, "leaves open the shape n×6×8×8 of its output 'd'"),
    ],
)
def test_a_node_whose_shape_is_not_known_is_refused(tmp_path, shapes, message):
    with pytest.raises(CostcalcError) as caught:
        costcalc.load(file(tmp_path, shapes), assume_free="com.acme::Foo").cost()
    assert message in str(caught.value)


def test_others_are_refused_still_and_say_how_to_accept_them(tmp_path):
    more = [*FOO[:-1], node("Bar", "f", "g", domain="com.acme"), node("Conv", "g v", "y")]
    path = file(tmp_path, STATED, nodes=more)
    for free, left in ((), "Foo"), ("com.acme::Foo", "Bar"), ("Foo", "Foo"):
        with pytest.raises(ImportRefused, match=f"--assume-free com.acme::{left} counts it as 0"):
            costcalc.load(path, assume_free=free).cost()


def test_an_op_with_a_rule_is_never_free(tmp_path):
    path = onnx_file(tmp_path, [node("Conv", "x w", "y")], {"x": (1, 3, 8, 8)}, {"w": (8, 3, 3, 3)})
    cost = costcalc.load(path, assume_free="Conv").cost()
    assert (cost.macs, cost.warnings) == (36 * 8 * 27, ())


def test_a_node_that_reads_nothing_and_further_outputs(tmp_path):
    nodes = [node("Make", "", "a b", domain="com.acme"), node("Add", "a x", "s"), node("Mul", "s b", "y")]
    shapes = {"a": (1, 4), "b": (1, 4)}
    path = onnx_file(tmp_path, nodes, {"x": (1, 4)}, domains=["com.acme"], shapes=shapes)
    cost = costcalc.load(path, assume_free="com.acme::Make").cost()
    assert [row.op.name for row in cost.layers] == ["input", "constant", "view", "add", "mul"]


def test_commands_take_it_and_a_file_does_not_run(tmp_path, capsys):
    path = str(file(tmp_path, STATED))
    assert run(["show", path, "--assume-free", "com.acme::Foo", "--format", "json"]) == 0
    printed, said = capsys.readouterr()
    assert json.loads(printed)["warnings"][0]["hint"] == "it has no rule, and was assumed to be free"
    assert said.startswith("warning: totals of net.onnx lack com.acme::Foo")
    assert run(["show", path, "--until-values"]) == 2
    assert "--until-values is about torch modules" in capsys.readouterr().err
    with pytest.raises(UsageError, match="nodes of an ONNX file do not"):
        costcalc.load(path, until_values=True)
