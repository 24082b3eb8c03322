"""Laws that hold for every op: a number, a formula with its symbols filled in and an array are the same answer."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.cases import CASES, cases_of, label
from support.gradients import every_wanted
from sympy import Integer, sympify

from costcalc.dims import is_array, prod, size_symbol
from costcalc.dims.exact_array import ExactArray
from costcalc.errors import ShapeError, UsageError
from costcalc.ops import (
    OPS,
    AdaptiveAveragePool,
    Add,
    AveragePool,
    Concat,
    Conv,
    ConvTranspose,
    Depthwise,
    Identity,
    Linear,
    MatMul,
    MaxPool,
    Mul,
    check,
    field_kinds,
)
from costcalc.ops.gradients import Wanted

every_case = pytest.mark.parametrize("case", CASES, ids=label)

# How sizes move from the point of a case to others: some of these are not valid, and all kinds of size must say so.
MOVES = (
    lambda n: n,
    lambda n: n + 1,
    lambda n: 2 * n,
    lambda n: 3 * n + 2,
    lambda n: max(1, n - 3),
    lambda n: 20 * n,
)


def test_every_op_has_a_case():
    assert {op.name for op, *_ in CASES} == set(OPS)


def answers(op, ins):
    """All an op says, as one flat list of sizes, and the names of its tensors."""
    out = op.shape(*ins)
    tensors = op.weights(*ins)
    sizes = [*out, *(n for tensor in tensors for n in tensor.shape)]
    learned = frozenset(tensor.name for tensor in tensors if tensor.role != "buffer")
    wanted = Wanted((True,) * len(ins), learned)
    costs = [op.macs(*ins, out=out), op.backward_macs(*ins, out=out, wanted=wanted), op.elementwise(*ins, out=out)]
    costs.append(op.train_elementwise(*ins, out=out, wanted=wanted))
    return [*sizes, *costs], [t.name for t in tensors]


def settled(op, ins):
    """The answers at a point of numbers, or None where the op refuses it."""
    try:
        valid, assumed = check(op.needs(*ins))
    except ShapeError:
        return None
    assert valid is True
    assert assumed == []
    sizes, names = answers(op, ins)
    assert all(type(n) is int for n in sizes)
    return sizes, names


class Moved:
    """A case with every size, of inputs and (if `fields`) of the op, handed to `change` under a name of its own.

    0 stays, "no padding" at every point, and -1, what is left; and so do the axes of 1 that stretch in a join.
    """

    def __init__(self, case, fields):
        self.op, *self.ins = case
        self.fields = fields
        self.kept = (-1, 0, 1) if self.op.name in ("add", "mul", "mat_mul") else (-1, 0)

    def with_sizes(self, move):
        def change(name, n):
            return n if n in self.kept else move(name, n)

        ins = [tuple(change(f"x{i}_{j}", n) for j, n in enumerate(x)) for i, x in enumerate(self.ins)]
        return (replace(self.op, **dict(self.moved_fields(change))) if self.fields else self.op), ins

    def moved_fields(self, change):
        for name, kind in field_kinds(type(self.op)).items():
            value = getattr(self.op, name)
            if kind.static or kind.name not in ("size", "sizes", "per_axis") or isinstance(value, str):
                continue
            if isinstance(value, tuple):
                yield name, tuple(change(f"{name}_{i}", n) for i, n in enumerate(value))
            else:
                yield name, change(name, value)

    def at(self, move):
        """The case at another point."""
        return self.with_sizes(lambda name, n: move(n))


def kept(op, ins, wanted):
    """What an op keeps: sizes, and facts that sizes do not change. None where a kernel or a symbol leaves it open."""
    try:
        found = op.keeps(*ins, out=op.shape(*ins), wanted=wanted)
    except UsageError:
        return None
    return [size for size, _ in found.extra], (found.inputs, found.output, [each for _, each in found.extra])


@every_case
def test_what_is_kept_is_the_same_in_numbers_formulas_and_arrays(case):
    op, *ins = case
    values = {size_symbol(f"d{i}_{j}"): n for i, x in enumerate(ins) for j, n in enumerate(x)}
    symbols = iter(values)
    formulas = [tuple(n if n == 1 else symbol for n, symbol in zip(x, symbols)) for x in ins]
    arrays = [tuple(ExactArray(np.array([n, n])) for n in x) for x in ins]
    for wanted in every_wanted(op, ins):
        number, formula, array = (kept(op, given, wanted) for given in (ins, formulas, arrays))
        if number is None:
            assert op.name in ("lstm", "gru")
            continue
        assert array[1] == number[1]
        assert [int(size.values()[0]) if is_array(size) else size for size in array[0]] == number[0]
        if formula is None:
            assert op.name in ("average_pool", "mat_mul", "scaled_dot_product_attention"), "sizes decide a kernel"
        else:
            assert ([int(sympify(size).subs(values)) for size in formula[0]], formula[1]) == number


@pytest.mark.no_cover
@every_case
@pytest.mark.parametrize("fields", [False, True], ids=["inputs", "inputs and fields"])
def test_a_formula_filled_in_is_the_number(case, fields):
    moved = Moved(case, fields)
    op, ins = moved.with_sizes(lambda name, n: size_symbol(name))
    holds, assumed = check(op.needs(*ins))
    assert holds is True
    formulas, names = answers(op, ins)
    for i, move in enumerate(MOVES):
        here = {}
        moved.with_sizes(lambda name, n, here=here, move=move: here.setdefault(size_symbol(name), move(n)))
        number = settled(*moved.at(move))
        if number is None:
            assert assumed, "symbols promise what this point does not hold"
            assert i > 0, "the point of the case itself is valid"
        else:
            filled = [sympify(formula).subs(here) for formula in formulas]
            assert (filled, names) == (list(map(Integer, number[0])), number[1])


def unbounded(values):
    """An array of Python ints, as for numbers that may exceed 64 bits."""
    return ExactArray(np.array(values, dtype=object))


@every_case
@pytest.mark.parametrize("made", [np.array, ExactArray.of, unbounded], ids=["numpy", "words", "unbounded"])
@pytest.mark.parametrize("fields", [False, True], ids=["inputs", "inputs and fields"])
def test_an_array_is_the_numbers_and_its_mask_their_errors(case, fields, made):
    moved = Moved(case, fields)
    numbers = [settled(*moved.at(move)) for move in MOVES]

    op, ins = moved.with_sizes(lambda name, n: made([move(n) for move in MOVES]))
    valid, assumed = check(op.needs(*ins))
    assert assumed == []
    sweep, names = answers(op, ins)

    assert np.broadcast_to(valid, len(MOVES)).tolist() == [number is not None for number in numbers]
    for i, number in enumerate(numbers):
        if number is not None:
            here = [column.tolist()[i] if is_array(column) else column for column in sweep]
            assert (here, names) == number
            assert all(type(n) is int for n in here)


def has_batch(op, *ins):
    """Is the first axis of every input the batch?"""
    if op.name in ("contraction", "move", "reduction", "view") or len({len(x) for x in ins}) > 1:
        return False
    return len({x[0] for x in ins}) == 1 and (op.name != "mat_mul" or len(ins[0]) > 2) and getattr(op, "axis", 1) != 0


@pytest.mark.parametrize("case", [case for case in CASES if has_batch(*case)], ids=label)
def test_costs_are_linear_in_the_batch(case):
    op, *ins = case
    many = [(5 * x[0], *x[1:]) for x in ins]
    (*_, macs, elementwise), _ = answers(op, ins)
    (*_, macs5, elementwise5), _ = answers(op, many)
    assert (macs5, elementwise5) == (5 * macs, 5 * elementwise)
    assert op.weights(*many) == op.weights(*ins)


# neighbouring regions of adaptive pooling share fewer elements where the sizes divide
@pytest.mark.parametrize("case", [case for case in CASES if case[0].name != "adaptive_average_pool"], ids=label)
def test_no_size_or_cost_shrinks_when_an_axis_grows(case):
    op, *ins = case
    small, _ = settled(op, ins)
    for i, x in enumerate(ins):
        for j in range(len(x)):
            if x[j] == 1 and op.is_join:  # it is stretched: the sum that is its gradient is longer than a longer one's
                continue
            for more in (1, 2, 7, 30):
                longer = (*x[:j], x[j] + more, *x[j + 1 :])
                big = settled(op, [*ins[:i], longer, *ins[i + 1 :]])
                assert big is None or all(a >= b for a, b in zip(big[0], small, strict=True))


def test_an_axis_of_1_stretches_at_every_point_of_an_array():
    a, b, both = (1, 5, 3, 3), (5, 1, 3, 4), (5, 5, 3, 3)  # 3 and 4 cannot meet
    valid, _ = check(Mul().needs((2, np.array(a)), (2, np.array(b))))
    assert valid.tolist() == [True, True, True, False]
    assert Mul().shape((2, np.array(a)), (2, np.array(b)))[1].tolist() == [*both]


@given(st.integers(1, 300), st.integers(1, 60))
def test_adaptive_regions_are_counted_one_by_one(h, size):
    regions = [range(i * h // size, -(-(i + 1) * h // size)) for i in range(size)]
    op = AdaptiveAveragePool(size)
    assert op.elementwise((1, 1, h), out=(1, 1, size)) == sum(map(len, regions))


@pytest.mark.parametrize("name", ["identity", "dropout", "flatten", "reshape", "input"])
def test_a_view_costs_nothing_and_writes_nothing(name):
    for op, *ins in cases_of(name):
        out = op.shape(*ins)
        assert op.output.view
        assert (op.weights(*ins), op.macs(*ins, out=out), op.elementwise(*ins, out=out)) == ((), 0, 0)
        assert not ins or prod(out) == prod(*ins)


def test_only_views_say_that_they_write_nothing():
    views = {name for name, op in OPS.items() if op.output.view}
    assert views == {"dropout", "flatten", "identity", "input", "parameter", "reshape", "slice", "view"}


sizes = st.integers(1, 40)
channels = st.integers(1, 12)
window_fields = st.fixed_dictionaries(
    {
        "kernel": st.integers(1, 7),
        "stride": st.integers(1, 4),
        "padding": st.one_of(st.integers(0, 4), st.just("same")),
        "dilation": st.integers(1, 3),
    }
)


@given(window_fields, channels, channels, st.tuples(sizes, sizes))
def test_one_group_is_a_plain_convolution(fields, c_in, c_out, hw):
    x = (1, c_in, *hw)
    assert settled(Conv(c_out, **fields, groups=1), [x]) == settled(Conv(c_out, **fields), [x])


@given(window_fields, channels, st.integers(1, 3), st.booleans(), st.tuples(sizes, sizes))
def test_depthwise_is_a_convolution_with_a_group_for_each_channel(fields, c, multiplier, bias, hw):
    x = (2, c, *hw)
    grouped = Conv(c * multiplier, **fields, groups=c, bias=bias)
    assert settled(Depthwise(**fields, multiplier=multiplier, bias=bias), [x]) == settled(grouped, [x])


@given(channels, channels, st.integers(1, 5))
def test_groups_divide_weights_and_multiplies(c_in, c_out, groups):
    x = (1, c_in * groups, 9, 9)
    plain, grouped = (Conv(c_out * groups, 3, groups=g, bias=False) for g in (1, groups))
    out = plain.shape(x)
    assert plain.macs(x, out=out) == groups * grouped.macs(x, out=out)
    assert prod(plain.weights(x)[0].shape) == groups * prod(grouped.weights(x)[0].shape)


@given(channels, channels, st.tuples(sizes, sizes))
def test_a_1x1_convolution_is_a_linear_layer_at_every_position(c_in, c_out, hw):
    x, rows = (1, c_in, *hw), (hw[0] * hw[1], c_in)
    conv, linear = Conv(c_out, 1), Linear(c_out)
    assert conv.macs(x, out=conv.shape(x)) == linear.macs(rows, out=linear.shape(rows))
    assert conv.elementwise(x, out=conv.shape(x)) == linear.elementwise(rows, out=linear.shape(rows))


@given(channels, channels, st.integers(1, 6), st.tuples(st.integers(6, 40), st.integers(6, 40)))
def test_a_kernel_as_large_as_the_input_is_a_linear_layer(c_in, c_out, n, hw):
    x, flat = (n, c_in, *hw), (n, c_in * hw[0] * hw[1])
    conv, linear = Conv(c_out, hw), Linear(c_out)
    assert conv.macs(x, out=conv.shape(x)) == linear.macs(flat, out=linear.shape(flat))


@given(channels, channels, window_fields, st.tuples(sizes, sizes))
def test_transposed_undoes_the_shape_of_a_convolution(c_in, c_out, fields, hw):
    x, conv = (1, c_in, *hw), Conv(c_out, **fields)
    if fields["padding"] == "same" or settled(conv, [x]) is None:
        return
    out = conv.shape(x)
    lost = tuple(
        (n + 2 * fields["padding"] - fields["dilation"] * (fields["kernel"] - 1) - 1) % fields["stride"] for n in hw
    )
    back = ConvTranspose(c_in, **fields, output_padding=lost)
    assert settled(back, [out]) is not None
    assert back.shape(out) == x
    assert back.macs(out, out=x) == conv.macs(x, out=out)  # the same products, summed elsewhere
    assert prod(back.weights(out)[0].shape) == prod(conv.weights(x)[0].shape)


@given(st.lists(st.tuples(channels, channels), min_size=1, max_size=4), sizes)
def test_concatenated_channels_add_up(pairs, n):
    ins = [(n, a + b, 5) for a, b in pairs]
    assert Concat().shape(*ins) == (n, sum(a + b for a, b in pairs), 5)


@given(sizes, sizes, sizes)
def test_a_matrix_product_is_a_linear_layer_without_weights(m, k, n):
    assert MatMul().macs((m, k), (k, n), out=(m, n)) == Linear(n).macs((m, k), out=(m, n))


@given(st.integers(2, 5), st.tuples(sizes, sizes))
def test_a_sum_of_many_is_a_chain_of_sums_of_two(count, x):
    many = Add().elementwise(*[x] * count, out=x)
    assert many == (count - 1) * Add().elementwise(x, x, out=x)


@given(window_fields, st.booleans(), sizes)
def test_ceil_mode_adds_at_most_one_window_and_never_one_outside(fields, average, size):
    kind = AveragePool if average else MaxPool
    x = (1, 1, size)
    floor_mode, ceil_mode = (settled(kind(**fields, ceil_mode=mode), [x]) for mode in (False, True))
    if ceil_mode is None:
        assert floor_mode is None
        return
    few = floor_mode[0][2] if floor_mode else 0  # a single window that fits nowhere may overhang
    many = ceil_mode[0][2]
    assert few <= many <= few + 1
    if fields["padding"] != "same":
        assert (many - 1) * fields["stride"] < size + fields["padding"]  # starts in the input or its left padding


@settings(max_examples=30)
@given(st.integers(1, 2**31), st.integers(2**60, 2**100))
def test_counts_beyond_64_and_100_bits_are_exact(channels, batch):
    """T29: no float, no wrap-around."""
    x = (batch, channels, 2**20, 2**20)
    op = Conv(channels, 1, bias=False)
    assert op.macs(x, out=op.shape(x)) == batch * channels * channels * 2**40
    column = tuple(np.array([n], dtype=object) for n in x)
    assert op.macs(column, out=op.shape(column))[0] == batch * channels * channels * 2**40


def test_an_identity_is_the_shape_it_is_given():
    assert Identity().shape((2, 3)) == (2, 3)
