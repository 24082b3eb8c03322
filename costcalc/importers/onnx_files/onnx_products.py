"""Products of matrices, attention and recurrent layers of ONNX."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from costcalc import ops
from costcalc.dims import Shape, Size, decided, elements, equal, exact_div
from costcalc.importers.onnx_files.onnx_values import Asked, Made, Step, Translation, Value, known, one, own
from costcalc.ops.broadcast import broadcast
from costcalc.ops.imported import Contraction, Elementwise, Move, Reduction, View

WHAT = "the shape of a weight"


def gemm(asked: Asked) -> Made:
    """A·B + C, of which A or B may be transposed."""
    a, b, c = asked.x, asked.input(1), asked.given(2)
    asked.need(len(a.shape) == 2 == len(b.shape), f"it multiplies matrices, got {a.shape} and {b.shape}")
    rows, inner = a.shape[::-1] if asked.attribute("transA", 0) else a.shape
    columns = b.shape[0] if asked.attribute("transB", 0) else b.shape[1]
    plain = not asked.attribute("transA", 0) and asked.owns(b)
    is_bias = c is None or (asked.owns(c) and decided(equal(elements(c.shape), columns), WHAT))
    if plain and is_bias:
        return one(ops.Linear(columns, bias=c is not None), a, **own(weight=b, bias=c))
    same_inner(asked, inner, b.shape[1] if asked.attribute("transB", 0) else b.shape[0])
    return one(Contraction((rows, columns), inner), a, b, *((c,) if c is not None else ()))


def same_inner(asked: Asked, a: Size, b: Size) -> None:
    """Refuses matrices that cannot be multiplied."""
    same = equal(a, b)
    asked.need(same is None or decided(same, "the inner size of a product"), f"its inner sizes {a} and {b} differ")


def mat_mul(asked: Asked) -> Made:
    """A product of matrices; a third input is what is added after it."""
    a, b, bias = asked.x, asked.input(1), asked.given(2)
    if asked.owns(b) and len(b.shape) == 2 and len(a.shape) >= 2 and not a.is_known:
        return one(ops.Linear(b.shape[1], bias=bias is not None), a, **own(weight=b, bias=bias))
    added = (Step(ops.Add(), (None, bias)),) if bias is not None else ()
    if min(len(a.shape), len(b.shape)) >= 2:
        return Made((Step(ops.MatMul(), (a, b)), *added))
    asked.need(a.shape and b.shape, "it multiplies matrices, got a number")
    inner = b.shape[-2] if len(b.shape) > 1 else b.shape[0]
    same_inner(asked, a.shape[-1], inner)
    size = (*broadcast(a.shape[:-2], b.shape[:-2]), *a.shape[-2:-1], *(b.shape[-1:] if len(b.shape) > 1 else ()))
    return Made((Step(Contraction(size, inner), (a, b)), *added))


def einsum(asked: Asked) -> Made:
    """A sum of products of two tensors by letters, or a sum of one."""
    before, arrow, after = asked.attribute("equation", "").replace(" ", "").partition("->")
    terms = before.split(",")
    inputs = [x for x in asked.inputs if x is not None]
    asked.need(len(terms) == len(inputs) <= 2, "it has more than two inputs, or not as many as its equation")
    asked.need("." not in before + after, "its equation has an ellipsis")
    sizes: dict[str, Size] = {}
    for term, x in zip(terms, inputs):
        asked.need(len(term) == len(x.shape), f"its equation names {len(term)} axes of an input of {len(x.shape)}")
        for letter, size in zip(term, x.shape):
            if equal(size, 1) is not True and equal(sizes.get(letter, 1), 1) is not True:
                same_inner(asked, sizes[letter], size)
            sizes[letter] = size if equal(sizes.get(letter, 1), 1) is True else sizes[letter]
    if not arrow:
        after = "".join(sorted(letter for letter in sizes if before.count(letter) == 1))
    asked.need({*after} <= {*sizes}, "its equation makes axes that no input has")
    size = tuple(sizes[letter] for letter in after)
    if len(inputs) == 1:
        return one(Reduction(size) if len(after) < len(before) else Move(size), inputs[0])
    return one(Contraction(size, prod(n for letter, n in sizes.items() if letter not in after)), *inputs)


def recurrent(op: Any, gates: int) -> Translation:
    """A layer of an LSTM or GRU, or of a plain recurrence. ONNX's has the length first, unless `layout` says otherwise,
    and its directions on an axis of their own. It has two biases, or none."""

    def translated(asked: Asked) -> Made:
        x, weight, again, bias = asked.x, asked.input(1), asked.input(2), asked.given(3)
        asked.need(asked.rank == 3 == len(weight.shape) == len(again.shape), "it needs an input of 3 axes, and weights")
        asked.need(asked.given(7) is None, "it has peepholes")
        asked.need(asked.owns(weight) and asked.owns(again), "its weights are computed, or another layer's")
        asked.need(bias is None or asked.owns(bias), "its biases are computed, or another layer's")
        batch_first = bool(asked.attribute("layout", 0))
        length, batch = x.shape[1::-1] if batch_first else x.shape[:2]
        ways, hidden = again.shape[0], again.shape[2]
        asked.need(ways == (2 if asked.attribute("direction", "forward") == "bidirectional" else 1), "its directions")
        asked.need(again.shape[1] == gates * hidden == weight.shape[1], f"it needs {gates} gates of {hidden}")
        given = [asked.given(i) for i in (5, 6)[: op.states]]
        steps, begins = first_states(given, (ways, batch, hidden), batch_first)
        read: Value | int = x if batch_first else len(steps)
        if not batch_first:
            steps.append(Step(View((batch, length, x.shape[2])), (x,)))
        made = op(hidden, bidirectional=ways == 2, bias=bias is not None)
        tensors = own(weight_ih_l0=weight, weight_hh_l0=again, bias_ih_l0=bias)
        states = (batch, ways, hidden) if batch_first else (ways, batch, hidden)
        out = (batch, length, ways, hidden) if batch_first else (length, ways, batch, hidden)
        steps += [Step(made, (read, *begins), tensors), Step(View(out), (None,))]
        return Made(tuple(steps), (states, states))

    return translated


def first_states(
    given: Sequence[Value | None], shape: Shape, batch_first: bool
) -> tuple[list[Step], list[Value | int]]:
    """The states that a recurrence begins with, as torch has them, (ways, n, hidden): none if all are known, as zeros
    are. With the batch first ONNX has them as (n, ways, hidden)."""
    steps: list[Step] = []
    states: list[Value | int] = []
    for state in given:
        if state is None or state.is_known:
            states.append(known(shape))
        elif batch_first:
            states.append(len(steps))
            steps.append(Step(View(shape), (state,)))
        else:
            states.append(state)
    return steps, states if any(state is not None and not state.is_known for state in given) else []


def attention(asked: Asked) -> Made:
    """Scaled dot product attention: heads are an axis, or lie in the features. Keys and values of earlier positions
    come before the others."""
    heads, of_keys = asked.attribute("q_num_heads", 0), asked.attribute("kv_num_heads", 0)
    if asked.rank != 4:
        asked.need(
            asked.rank == 3 and heads > 0 < of_keys, "it needs inputs of 4 axes, or of 3 and its numbers of heads"
        )
    steps: list[Step] = []
    for x, count in zip((asked.x, asked.input(1), asked.input(2)), (heads, of_keys, of_keys)):
        asked.need(len(x.shape) == asked.rank, "its inputs have different numbers of axes")
        if asked.rank == 3:
            steps.append(Step(View((x.shape[0], count, x.shape[1], exact_div(x.shape[2], count))), (x,)))
    shapes = [step.op.size for step in steps] or [asked.x.shape, asked.input(1).shape, asked.input(2).shape]
    read: list[Value | int] = [0, 1, 2] if steps else [asked.x, asked.input(1), asked.input(2)]
    for i, earlier in ((1, asked.given(4)), (2, asked.given(5))):
        if earlier is not None:
            steps.append(Step(ops.Concat(2), (earlier, read[i])))
            read[i], shapes[i] = len(steps) - 1, steps[-1].op.shape(earlier.shape, shapes[i])
    mask = asked.given(3)
    if mask is not None:
        read.append(mask if len(mask.shape) > 1 else mask.shaped((1, *mask.shape)))
    scores = (*shapes[0][:3], shapes[1][2])
    steps.append(Step(ops.ScaledDotProductAttention(), tuple(read)))
    if asked.rank == 3:
        steps.append(Step(View((*asked.x.shape[:2], heads * shapes[2][3])), (None,)))
    return Made(tuple(steps), (shapes[1], shapes[2], scores))


def plain_recurrence(asked: Asked) -> Made:
    """h' = tanh(W·x + R·h + b), position by position."""
    x, weight, again, bias = asked.x, asked.input(1), asked.input(2), asked.given(3)
    asked.need(asked.rank == 3 == len(weight.shape) == len(again.shape), "it needs an input of 3 axes, and weights")
    batch_first = bool(asked.attribute("layout", 0))
    length, batch = x.shape[1::-1] if batch_first else x.shape[:2]
    ways, hidden = again.shape[0], again.shape[2]
    asked.need(weight.shape == (ways, hidden, weight.shape[2]), f"its weights are {weight.shape} and {again.shape}")
    asked.need(again.shape[1] == hidden, f"its weights are {weight.shape} and {again.shape}")
    asked.need(ways == (2 if asked.attribute("direction", "forward") == "bidirectional" else 1), "its directions")
    same_inner(asked, weight.shape[2], x.shape[2])
    size = (batch, length, ways, hidden) if batch_first else (length, ways, batch, hidden)
    states = (batch, ways, hidden) if batch_first else (ways, batch, hidden)
    # both products, their sum, two biases, and tanh
    steps = [
        Step(Contraction(size, weight.shape[2]), (x, weight)),
        Step(Contraction(size, hidden), (x, again)),
        Step(Elementwise(2 if bias is None else 4, 5, (0, 1)), (0, 1)),
    ]
    if bias is not None:
        steps.insert(0, Step(View(bias.shape), (bias,)))
        steps[1:] = [steps[1], steps[2], Step(steps[3].op, (1, 2))]
    return Made(tuple(steps), (states,))
