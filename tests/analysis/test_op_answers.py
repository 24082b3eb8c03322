"""What an op of a reader's own returns: anything that is no answer is refused, with the layer and the op in words."""

import pytest

import costcalc
from costcalc import ops
from costcalc.errors import ShapeError
from costcalc.ops import OPS
from costcalc.ops.base import CLASSES, op
from costcalc.ops.rules import Tensor, free, no_needs, no_weights


@pytest.fixture
def own():
    """An op whose answers a test sets."""

    @op
    class Chunk2:
        """s -> s"""

        needs, weights = no_needs, no_weights
        macs, elementwise, backward_macs = (free("it is a view") for _ in range(3))
        train_elementwise, keeps = ops.gradients_move, ops.keeps_nothing
        output = ops.VIEW

        def shape(self, x):
            return x

    yield Chunk2
    CLASSES.discard(Chunk2)
    del OPS["chunk2"]


def refusal(own):
    graph = costcalc.new_graph(name="x")
    costcalc.add(graph, "image", ops.Input([2, 4, 8]))
    costcalc.add(graph, "halves", own(), "image")
    with pytest.raises(ShapeError) as caught:
        costcalc.cost(graph)
    return str(caught.value).removeprefix("layer 'halves' (chunk2): op Chunk2: ")


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (((2, 2, 8), (2, 2, 8)), "((2, 2, 8), (2, 2, 8))"), (None, "None"), (8, "8"), ([2, 4], "[2, 4]"),
        ((2, 4.0), "(2, 4.0)"), ("28", "'28'"), ((2, -4), "(2, -4)"), ((2, None), "(2, None)"), ((2, "4"), "(2, '4')"),
        ((2, True), "(2, True)"),
    ],
)  # fmt: skip
def test_a_shape_that_is_none(own, given, shown):
    own.shape = lambda self, x: given
    assert refusal(own) == f"shape() must return one shape, a tuple of sizes; got {shown}"


@pytest.mark.parametrize("question", ["macs", "elementwise"])
@pytest.mark.parametrize("given", [None, 1.5, -3, "12", (3,), True])
def test_a_count_that_is_none(own, question, given):
    setattr(own, question, lambda self, x, *, out: given)
    assert refusal(own) == f"{question}() must return one size, a whole number from 0; got {given!r}"


@pytest.mark.parametrize(
    "given",
    [None, 3, [3], [("w", (3, 3))], [Tensor("w", 3)], [Tensor("w", (3, -1))], [Tensor("w", (1,), "w")]],
)
def test_weights_that_are_none(own, given):
    own.weights = lambda self, x: given
    wanted = "tensors, each Tensor(name, shape, role) with a role of weight, bias, norm, buffer"
    assert refusal(own).startswith(f"weights() must return {wanted}; got {str(given)[:40]}")


@pytest.mark.parametrize(("given", "shown"), [(None, "None"), (True, "True"), ([True], "True"), ([(True,)], "(True,)")])
def test_needs_that_are_none(own, given, shown):
    own.needs = lambda self, x: given
    assert refusal(own) == f"needs() must return relations of costcalc.ops.needs; got {shown}"


def test_an_op_is_asked_once_and_not_for_each_layer(own, monkeypatch):
    asked = []
    shape = own.shape
    monkeypatch.setattr(own, "shape", lambda self, x: asked.append(x) or shape(self, x))
    graph = costcalc.new_graph()
    costcalc.add(graph, "0", ops.Input([2, 4, 8]))
    for i in range(50):
        costcalc.add(graph, f"{i + 1}", own(), f"{i}")
    assert len(costcalc.cost(graph).layers) == 51
    assert len(asked) == 1
