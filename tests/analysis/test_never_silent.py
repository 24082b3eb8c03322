"""What is left open never becomes a number: values of blocks and sizes, columns whose points differ in validity."""

from fractions import Fraction

import numpy as np
import pytest

import costcalc
from costcalc import ops
from costcalc.analysis.closed_form.derive import derive
from costcalc.errors import ShapeError, SpecError
from costcalc.ops.base import op
from costcalc.ops.rules import free
from costcalc.spec import schema
from costcalc.text import value_text

# ---- conditions that are values

BLOCK = "blocks:\n  b(on):\n  - linear: {features: 3, bias: on}\n"


@pytest.mark.parametrize(
    ("more", "layer"),
    [
        (BLOCK, "- b: {on: r > 5}\n"),
        ("sizes: {on: r > 5}\n", "- linear: {features: 3, bias: on}\n"),
        ("", "- linear: {features: 3, bias: r > 5}\n"),
    ],
)
def test_an_undecided_value_is_refused_and_no_layer_is_lost(spec, more, layer):
    net = spec("{r: 9}", f"{layer}- linear: {{features: 7, bias: false}}\n", "[1, r]", more)
    assert net.cost().params == 3 * 9 + 3 + 7 * 3
    with pytest.raises(SpecError, match="cannot decide r > 5 while its symbols are free; set them"):
        derive(net, "params")


def test_a_column_that_decides_both_ways_is_said_to(spec):
    net = spec("{r: 9}", "- linear: {features: 3 if r > 5 else 4, bias: false}\n", "[1, r]")
    with pytest.raises(SpecError, match=r"r > 5 holds at some points of an array and not at others; count them apart"):
        net.with_knobs(r=np.array([3, 9])).cost()


# ---- columns


def graph_of(*layers):
    graph = costcalc.new_graph()
    for name, layer, *inputs, extra in layers:
        costcalc.add(graph, name, layer, *inputs, **extra)
    return graph


@pytest.mark.parametrize(
    ("rows", "columns", "message"),
    [
        (np.array([[9, 4], [3, 8]]), 9, "a window of 5 does not fit into 4"),
        (9, np.array([[9], [4]]), "a window of 5 does not fit into 4"),
        (np.array([9, 9, 9]), np.array([[9], [4]]), "a window of 5 does not fit into 4"),
    ],
)
def test_the_first_bad_point_of_a_grid_is_named(rows, columns, message):
    graph = graph_of(("x", ops.Input([1, 3, rows, columns]), {}), ("conv", ops.Conv(2, 5), "x", {}))
    with pytest.raises(ShapeError) as caught:
        costcalc.cost(graph)
    assert str(caught.value) == f"layer 'conv' (conv): {message}"


def test_a_shape_with_a_column_is_shown_at_the_bad_point():
    graph = graph_of(
        ("x", ops.Input([1, np.array([4, 3])]), {}), ("fc", ops.Linear(4), "x", {}), ("sum", ops.Add(), "x", "fc", {})
    )
    with pytest.raises(ShapeError) as caught:
        costcalc.cost(graph)
    assert str(caught.value) == "layer 'sum' (add): inputs (1, 3) and (1, 4) differ in size"


def test_weights_are_shared_at_every_point_or_refused():
    """Points of a sweep at which the second layer needs other weights than it is given."""

    def net(width):
        return graph_of(
            ("x", ops.Input([1, 3]), {}),
            ("one", ops.Linear(width, bias=False), "x", {}),
            ("two", ops.Linear(3, bias=False), "one", {}),
            ("three", ops.Linear(3, bias=False), "two", {"shares": "two"}),
        )

    assert costcalc.cost(net(np.array([3, 3]))).params.tolist() == [18, 18]
    with pytest.raises(ShapeError) as caught:
        costcalc.cost(net(np.array([3, 4])))
    assert str(caught.value) == "layer 'three' (linear): shares weight of shape (3, 4), but needs (3, 3)"


# ---- what an op may be


def test_a_field_that_is_of_no_kind_is_refused_with_the_class():
    with pytest.raises(TypeError) as caught:

        @op
        class Annotated(ops.Identity):
            n: int = 1

    assert str(caught.value) == (
        "op Annotated: field 'n' is of no kind costcalc knows; annotate it with one of costcalc.ops.fields: Axes, "
        "Axis, AxisOrder, ElementOrder, ExplicitPadding, Flag, IntRows, Integers, InterpolationMode, NonNegativeInt, "
        "NonNegativeInts, Padding, PerAxis, PerAxisOrNone, PositiveInt, PositiveInts, Real, ReduceOperation, "
        "SamplingMode, SizesOrRest, StaticInt, TensorRole, UnitInterval"
    )
    assert "annotated" not in ops.OPS


def test_an_annotation_that_does_not_exist_is_refused_with_the_class():
    with pytest.raises(TypeError, match=r"op Unknown: an annotation names what is not there .*; annotate"):

        @op
        class Unknown(ops.Identity):
            n: "Nowhere" = 1  # noqa: F821

    assert "unknown" not in ops.OPS


@pytest.mark.parametrize("p", [7, -3, Fraction(3, 2)])
def test_a_share_lies_between_nothing_and_all(p):
    with pytest.raises(ShapeError) as caught:
        ops.Dropout(p=p)
    assert str(caught.value) == f"dropout: p must be a number from 0 to 1, got {value_text(p)}"
    assert [ops.Dropout(p=p).p for p in (0, 0.2, 1)] == [0, 0.2, 1]


def test_the_columns_of_a_share_lie_there_too():
    with pytest.raises(ShapeError, match="p must be a number from 0 to 1"):
        ops.Dropout(p=np.array([0.5, 7]))


def test_the_schema_says_how_much_a_share_can_be():
    parts = schema.json_schema()["$defs"]

    def filled_in(part):
        return parts[part["$ref"].rpartition("/")[2]] if "$ref" in part else part

    dropout = filled_in(filled_in(parts["layer"]["anyOf"][-1])["properties"]["dropout"])
    share = filled_in(filled_in(dropout["anyOf"][0])["properties"]["p"])
    assert filled_in(share["anyOf"][0]) == {"type": "number", "minimum": 0, "maximum": 1}


def test_free_macs_do_not_hide_gradients_that_are_given():
    @op
    class LookedUp(ops.Identity):
        macs = free("looked up")

        def backward_macs(self, x, *, out, wanted):
            return 99

    try:
        assert LookedUp().backward_macs((1,), out=(1,), wanted=(True,)) == 99
    finally:
        ops.OPS.pop("looked_up")


def test_macs_without_gradients_say_what_to_do():
    with pytest.raises(TypeError) as caught:

        @op
        class Doubled(ops.ReLU):
            def macs(self, x, *, out):
                return 2

    assert str(caught.value) == (
        "op Doubled has macs of its own, but the backward_macs of ReLU; give it backward_macs too"
    )
