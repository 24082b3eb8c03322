"""What ops refuse, and in which words; and that the register refuses a class which leaves a question open."""

import copy
import dataclasses
import inspect

import numpy as np
import pytest
from support.cases import CASES, label

from costcalc.dims import size_symbol
from costcalc.errors import ShapeError
from costcalc.ops import (
    ANSWERS,
    GRU,
    LSTM,
    OPS,
    AdaptiveAveragePool,
    Add,
    AveragePool,
    ChannelPad,
    Concat,
    Contraction,
    Conv,
    Conv2d,
    ConvTranspose,
    Depthwise,
    Dropout,
    Elementwise,
    Flatten,
    GlobalAveragePool,
    GroupNorm,
    LayerNorm,
    LeakyReLU,
    Linear,
    MatMul,
    MaxPool,
    Mul,
    Pad,
    PartialConv,
    Reduce,
    ReLU,
    Reshape,
    Roll,
    ScaledDotProductAttention,
    Slice,
    Softmax,
    Subsample,
    Tensor,
    Transpose,
    Upsample,
    check,
    computed,
    copied,
    field_kinds,
    op,
)
from costcalc.ops.rules import free, no_needs, no_weights, same_shape_as_input

r, w = size_symbol("r"), size_symbol("w", real=True)
IMAGE = (1, 6, 13, 10)

WRONG_FIELDS = [
    (lambda: Conv(0, 3), "conv: channels must be a whole number from 1 to 2^31, got 0"),
    (lambda: Conv(2**31 + 1, 3), "conv: channels must be a whole number from 1 to 2^31, got 2147483649"),
    (lambda: Conv(8, 3.0), "conv: kernel must be a whole number, got 3.0"),
    (lambda: Conv(8, (3, 0)), "conv: kernel must be a whole number from 1 to 2^31, got 0"),
    (lambda: Conv(8, "3"), "conv: kernel must be a whole number, or one for each axis, got '3'"),
    (lambda: Conv(8, 3, padding=-1), "conv: padding must be a whole number from 0 to 2^31, got -1"),
    (lambda: Conv(8, 3, padding="full"),
     "conv: padding must be a whole number, or one for each axis or 'same' or 'valid', got 'full'"),
    (lambda: ConvTranspose(8, 3, padding="same"),
     "conv_transpose: padding must be a whole number, or one for each axis, got 'same'"),
    (lambda: Conv(8, 3, bias=1), "conv: bias must be true or false, got 1"),
    (lambda: Conv(8, 3, groups=None), "conv: groups must be a whole number, got None"),
    (lambda: PartialConv(3, 5), "partial_conv: sees must be rows of whole numbers, got 3"),
    (lambda: PartialConv([3], 5), "partial_conv: sees must be rows of whole numbers, got [3]"),
    (lambda: PartialConv([[r]], 5), "partial_conv: sees must be a plain number, got the symbol r"),
    (lambda: Dropout(True), "dropout: p must be a number from 0 to 1, got True"),
    (lambda: Dropout(float("nan")), "dropout: p must be a number from 0 to 1, got nan"),
    (lambda: LeakyReLU("a"), "leaky_relu: slope must be a number, got 'a'"),
    (lambda: Upsample(2, "lanczos"), "upsample: mode must be 'nearest' or 'linear' or 'cubic', got 'lanczos'"),
    (lambda: Upsample(2, 3), "upsample: mode must be 'nearest' or 'linear' or 'cubic', got 3"),
    (lambda: LSTM(8, layers=r), "lstm: layers must be a plain number, got the symbol r"),
    (lambda: GRU(8, layers=np.array([1, 2], dtype=object)),
     "gru: layers must be a plain number, and differs between points of an array; count them apart"),
    (lambda: LayerNorm(axes=0), "layer_norm: axes must be a whole number from 1 to 2^31, got 0"),
    (lambda: Reshape([2, -2]), "reshape: size must be a whole number from -1 to 2^31, got -2"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "message"), WRONG_FIELDS, ids=[message for _, message in WRONG_FIELDS])
def test_a_wrong_field_is_named_with_its_op(make, message):
    with pytest.raises(ShapeError) as caught:
        make()
    assert str(caught.value) == message


IMPOSSIBLE = [
    (Conv(8, 3), [(1, 6)], "needs an input of shape (batch, channels, sizes …), got one of 2 axes"),
    (Conv2d(8, 3), [(1, 6, 13)], "needs 2 sliding axes after batch and channels, got 1"),
    (Conv(8, (3, 3)), [(1, 6, 13)], "kernel has 2 entries for 1 sliding axes"),
    (Conv(8, 3, (1, 2, 1)), [IMAGE], "stride has 3 entries for 2 sliding axes"),
    (Conv(8, 3, 1, (1,)), [IMAGE], "padding has 1 entries for 2 sliding axes"),
    (Conv(8, 15, padding=1), [IMAGE], "a window of 15 does not fit into 12, padding included"),
    (Conv(8, 3, dilation=6), [IMAGE], "a window of 13 does not fit into 10"),
    (Conv(8, 3, groups=4), [IMAGE], "groups = 4 does not divide the 6 input channels"),
    (Conv(8, 3, groups=3), [IMAGE], "groups = 3 does not divide channels = 8"),
    (Depthwise(11), [IMAGE], "a window of 11 does not fit into 10"),
    (PartialConv([], 3), [IMAGE], "sees has no rows: give one for each output map"),
    (PartialConv([[0], []], 3), [IMAGE], "row 1 of sees must list at least one input map, each once"),
    (PartialConv([[0, 0]], 3), [IMAGE], "row 0 of sees must list at least one input map, each once"),
    (PartialConv([[0, 6]], 3), [IMAGE], "sees names map 6, the input has the 6 maps 0 to 5"),
    (ConvTranspose(8, 2, 2, output_padding=2), [IMAGE],
     "output_padding = 2 must be smaller than the stride 2 or the dilation 1"),
    (ConvTranspose(8, 2, padding=6), [IMAGE], "padding = 6 leaves -1 positions of output"),
    (ConvTranspose(8, 2, output_padding=(0, 0, 0)), [IMAGE], "output_padding has 3 entries for 2 sliding axes"),
    (Subsample(), [(1, 6, 1, 1)], "a window of 2 does not fit into 1"),
    (MaxPool(3, 2, padding=2), [IMAGE], "padding = 2 is more than half of the window of 3"),
    (MaxPool(4, 2), [(1, 6, 3)], "a window of 4 does not fit into 3"),
    (MaxPool(4, 2, padding=1), [(1, 6, 1)], "a window of 4 does not fit into 3, padding included"),
    (AveragePool(4, 2, ceil_mode=True), [(1, 6, 2)], "a window of 4 does not fit into 2"),
    (AdaptiveAveragePool((7, 7)), [(1, 6, 3)], "size has 2 entries for 1 sliding axes"),
    (GlobalAveragePool(), [(1, 6)], "needs an input of shape (batch, channels, sizes …), got one of 2 axes"),
    (Upsample((2, 2)), [(1, 6, 3)], "scale has 2 entries for 1 sliding axes"),
    (Linear(8), [(6,)], "needs an input of shape (batch, …, features), got one of 1 axes"),
    (GroupNorm(4), [IMAGE], "groups = 4 does not divide the 6 channels"),
    (LayerNorm(axes=4), [IMAGE], "axes = 4 leaves no batch axis of an input of 4 axes"),
    (Add(), [IMAGE], "joins two or more inputs, got 1"),
    (Add(), [(1, 6), (1, 7)], "inputs (1, 6) and (1, 7) differ in size"),
    (Mul(), [(1, 6), (1, 5, 4)], "inputs (1, 6) and (1, 5, 4) differ in size"),
    (Concat(), [], "joins one or more inputs, got none"),
    (Concat(axis=2), [(1, 6)], "axis = 2 of an input of 2 axes; axes count from 0"),
    (Concat(), [(1, 6, 3), (1, 7, 4)], "inputs (1, 6, 3) and (1, 7, 4) differ in more than axis 1"),
    (Concat(), [(1, 6, 3), (1, 7)], "inputs (1, 6, 3) and (1, 7) have different numbers of axes"),
    (MatMul(), [(2, 3), (4, 5)], "inner sizes 3 and 4 differ"),
    (Softmax(axis=2), [(1, 6)], "axis = 2 of an input of 2 axes; axes count from 0"),
    (Reduce([1, -1]), [(1, 6)], "axes = (1, -1) name an axis twice"),
    (Reshape([-1, -1]), [(1, 6)], "size (-1, -1) has more than one -1"),
    (Reshape([-1, 4]), [(1, 6)], "6 elements cannot take the shape (-1, 4)"),
    (Reshape([0, -1]), [(1, 6)], "a size of 0 must be at least 1"),
    (Reshape([2, 4], whole=True), [(1, 6)], "6 elements cannot take the shape (2, 4)"),
    (Slice(1, 4, 3), [(1, 6)], "a slice up to 7 does not fit into 6"),
    (Pad([1], [1, 2]), [(1, 6)], "before has 2 entries for 1 axes"),
    (Roll([1], [1, 2]), [(1, 6)], "shifts has 2 entries for 1 axes"),
    (Upsample(), [IMAGE], "needs scale or size, and not both"),
    (Upsample(2, size=4), [IMAGE], "needs scale or size, and not both"),
    (Upsample(2, "cubic"), [(1, 6, 4)], "mode cubic is of images, (n, c, h, w), got 3 axes"),
    (AveragePool(2, 2, divisor=3), [(1, 6, 4)], "divisor = 3: torch has none for one sliding axis"),
    (Elementwise(kept=[1]), [(1, 6)], "kept = (1,) of 1 inputs; they count from 0"),
    (Contraction([1], 6), [(1, 6)], "multiplies two inputs, got 1"),
    (Contraction([1, 5], 6), [(1, 6), (6, 5), (4,)], "an input of shape (4,) does not stretch to (1, 5)"),
    (ScaledDotProductAttention(), [(1, 6, 4, 8), (1, 4, 4, 8), (1, 4, 4, 8)],
     "q and k differ before the length: 6 and 4, which does not divide it"),
    (ScaledDotProductAttention(), [*[(1, 6, 4, 8)] * 3, (4, 3)],
     "an input of shape (4, 3) does not stretch to (1, 6, 4, 4)"),
    (ScaledDotProductAttention(), [*[(1, 6, 4, 8)] * 3, (4,)], "a mask of 1 axes: give it 2 or more, its last (l, m)"),
    (MatMul(), [(3,), (3, 5)], "inputs of 1 and 2 axes: give each 2 or more"),
    (MatMul(), [(2, 4, 3), (3, 3, 5)], "inputs (2,) and (3,) differ in size"),
    (Reshape([7, 2]), [(1, 15)], "15 elements cannot take the shape (7, 2)"),
    (Transpose([0, 2, 2]), [(1, 2, 3)], "order (0, 2, 2) does not name each of 3 axes once"),
    (ChannelPad(4), [IMAGE], "channels = 4 is fewer than the 6 of the input"),
    (ScaledDotProductAttention(), [(1, 5, 8), (1, 7, 9), (1, 7, 3)], "q and k have widths 8 and 9"),
    (ScaledDotProductAttention(), [(1, 5, 8), (1, 7, 8), (1, 6, 3)], "k and v have lengths 7 and 6"),
    (ScaledDotProductAttention(), [(2, 5, 8), (1, 7, 8), (1, 7, 3)], "q and k differ before the length: 2 and 1"),
    (ScaledDotProductAttention(), [(5, 8), (7, 8), (7, 3)],
     "q, k and v have 2, 2 and 2 axes: give each the same number, 3 or more"),
    (LSTM(8), [(1, 5)], "needs an input of shape (batch, length, width), got one of 2 axes"),
]  # fmt: skip


@pytest.mark.parametrize(("op", "ins", "message"), IMPOSSIBLE, ids=[message for *_, message in IMPOSSIBLE])
def test_an_impossible_shape_is_refused_with_its_sizes(op, ins, message):
    with pytest.raises(ShapeError) as caught:
        check(op.needs(*ins))
    assert str(caught.value) == message


@pytest.mark.parametrize("case", CASES, ids=label)
@pytest.mark.parametrize("axes", range(7))
def test_any_number_of_axes_is_answered_or_refused(case, axes):
    """Never an IndexError: what an op reads of a shape, its needs ask for."""
    op, *ins = case
    shapes = [(4,) * axes for _ in ins]
    try:
        check(op.needs(*shapes))
    except ShapeError:
        pass
    else:
        out = op.shape(*shapes)
        op.weights(*shapes)
        op.macs(*shapes, out=out)
        op.elementwise(*shapes, out=out)


def test_a_need_that_a_symbol_leaves_undecided_is_an_assumption():
    x = (1, r, r, r)
    for kind, sentences in (
        (Conv(8, 3), ["a window of 3 does not fit into r"] * 2),
        (Conv(8, 3, padding=1), []),
        (Conv(8, 1, groups=2), ["groups = 2 does not divide the r input channels"]),
    ):
        valid, undecided = check(kind.needs(x))
        assert (valid, [*map(str, undecided)]) == (True, sentences)
    with pytest.raises(ShapeError, match=r"a window of r \+ 1 does not fit into r"):
        check(Conv(8, r + 1).needs(x))


# ---- the register


def test_an_op_that_leaves_questions_open_is_refused_at_import():
    with pytest.raises(TypeError) as caught:

        @op
        class Mystery:
            shape = same_shape_as_input
            needs = no_needs

    assert str(caught.value) == (
        "op Mystery does not answer: weights, macs, backward_macs, elementwise, train_elementwise, "
        "keeps, output; output is one of VIEW, "
        "copied(overwritable=…) or computed(inplace=…, overwritable=…) of costcalc.ops"
    )
    assert "mystery" not in OPS


@pytest.mark.parametrize(("given", "shown"), [("view", "'view'"), (True, "True"), (computed, "<function computed at ")])
def test_an_output_that_is_none_is_refused_with_the_answers_there_are(given, shown):
    choices = "VIEW, copied(overwritable=…) or computed(inplace=…, overwritable=…) of costcalc.ops"
    with pytest.raises(TypeError) as caught:

        @op
        class Mystery(ReLU):
            output = given

    assert str(caught.value).startswith(f"op Mystery: output must be one of {choices}, got {shown}")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (computed(inplace="no", overwritable=True), "inplace must be True or False, got 'no'"),
        (computed(inplace=False, overwritable=1), "overwritable must be True or False, got 1"),
        (copied(overwritable=None), "overwritable must be True or False, got None"),
    ],
)
def test_an_output_that_says_neither_yes_nor_no_is_refused(given, said):
    with pytest.raises(TypeError) as caught:

        @op
        class Mystery(ReLU):
            output = given

    assert str(caught.value) == f"op Mystery: output: {said}; if in doubt say False: it costs memory, no wrong result"
    assert "mystery" not in OPS


def test_the_answers_about_an_output_leave_no_question_open():
    for answer, question in ((computed, "inplace"), (computed, "overwritable"), (copied, "overwritable")):
        given = {name: False for name in ("inplace", "overwritable") if name != question and answer is computed}
        with pytest.raises(TypeError, match=question):
            answer(**given)


@pytest.mark.parametrize("name", OPS)
def test_every_op_answers_every_question_and_says_why_it_is_free(name):
    kind = OPS[name]
    assert kind.name == name
    assert kind.__doc__
    assert not kind.__doc__.startswith(f"{kind.__name__}("), "the signature dataclass writes is no description"
    for question in ANSWERS:
        answer = getattr(kind, question)
        assert inspect.isfunction(answer) != isinstance(answer, free)
        if isinstance(answer, free):
            assert len(answer.__doc__.removeprefix("0: ")) > 5


@pytest.mark.parametrize("name", OPS)
def test_the_docstring_draws_the_shapes(name):
    assert "->" in inspect.getdoc(OPS[name])


def test_every_op_is_exported_and_listed():
    from costcalc import ops

    assert {kind.__name__ for kind in OPS.values()} <= set(ops.__all__)
    assert all(hasattr(ops, exported) for exported in ops.__all__)


def test_names_in_specs_are_snake_case():
    expected = {"BatchNorm": "batch_norm", "ReLU6": "relu6", "Conv2d": "conv2d", "RBF": "rbf", "SiLU": "silu",
                "MatMul": "mat_mul", "LeakyReLU": "leaky_relu", "GELU": "gelu", "LSTM": "lstm"}  # fmt: skip
    assert {kind.__name__: name for name, kind in OPS.items() if kind.__name__ in expected} == expected


def test_arity_is_the_number_of_inputs():
    for case in CASES:
        kind, *ins = case
        assert kind.arity is None or kind.arity <= len(ins) <= kind.max_arity
    any_number = {"add", "mul", "concat", "contraction", "elementwise", "move", "reduction"}
    assert {name for name, kind in OPS.items() if kind.arity is None} == any_number
    assert {name for name, kind in OPS.items() if kind.is_join} == {"add", "mul", "concat"}


def test_roles_are_the_four_there_are():
    for kind, *ins in CASES:
        for tensor in kind.weights(*ins):
            assert isinstance(tensor, Tensor)
            assert tensor.role in ("weight", "bias", "norm", "buffer")


# ---- ops are values


def test_equal_fields_make_equal_ops():
    assert Conv(8, [3, 3]) == Conv(8, (3, 3))
    assert Conv(8, 3, padding="valid") == Conv(8, 3, padding=0)
    assert hash(Conv(8, 3)) == hash(Conv(8, 3))
    assert Conv(8, 3) != Conv(8, 4)
    assert Conv(8, 3) != Conv2d(8, 3)
    assert ReLU() != Flatten()
    assert ReLU() != "relu"
    assert len({Conv(8, 3), Conv(8, 3), Conv(8, 3, 2), ReLU(), ReLU(), Flatten()}) == 4


def test_a_field_is_set_once():
    conv = Conv(8, 3)
    with pytest.raises(dataclasses.FrozenInstanceError, match="kernel"):
        conv.kernel = 5
    with pytest.raises(dataclasses.FrozenInstanceError, match="kernal"):
        conv.kernal = 5
    with pytest.raises(dataclasses.FrozenInstanceError, match="kernel"):
        del conv.kernel
    assert conv == Conv(8, 3)


def test_ops_print_and_copy_as_dataclasses_do():
    conv = Conv(8, (3, 1), padding="same")
    text = "Conv(channels=8, kernel=(3, 1), stride=1, padding='same', dilation=1, groups=1, bias=True)"
    assert repr(conv) == text
    assert dataclasses.is_dataclass(conv)
    assert dataclasses.replace(conv, stride=2).stride == 2
    assert copy.deepcopy(conv) == conv
    assert list(field_kinds(Conv)) == [field.name for field in dataclasses.fields(Conv)]


def test_missing_and_unknown_fields_are_pythons_own_errors():
    with pytest.raises(TypeError, match="kernel"):
        Conv(8)
    with pytest.raises(TypeError, match="kernal"):
        Conv(8, kernal=3)


def test_free_says_why():
    assert free("copies").__doc__ == "0: copies"
    assert free("copies")(ReLU(), (1, 2), out=(1, 2)) == 0
    assert no_weights(ReLU(), (1, 2)) == ()
