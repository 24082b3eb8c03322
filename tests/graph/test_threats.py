"""T29, T33 and T34: whole numbers of any size, one answer from numbers and from letters, and no op without a rule."""

import json
import random
from fractions import Fraction
from math import prod

import numpy as np
import pytest
import sympy
from support.sizes import size

import costcalc
from costcalc.dims import ceil, floor_div, round_to, size_symbol
from costcalc.errors import ShapeError
from costcalc.graph import Repeat, add, new_graph
from costcalc.ops import (
    ANSWERS,
    OPS,
    Add,
    BatchNorm,
    Concat,
    Conv,
    Depthwise,
    Flatten,
    GlobalAveragePool,
    Identity,
    Input,
    Linear,
    MaxPool,
    Mul,
    ReLU,
    SiLU,
    Upsample,
)
from costcalc.ops.rules import free

BIG = size(2000, 10_000)
SYMBOLIC = size(1000, 5000)


class Model:
    """A network built twice: as a layer graph, and as sums of plain integers that know none of our rules."""

    def __init__(self, dice, bits):
        self.dice, self.bits = dice, bits
        self.graph = new_graph()
        self.params = self.macs = self.written = self.count = 0
        shape = (self.size(), self.size(), self.size(), self.size())
        self.ends = [(add(self.graph, "in", Input(shape)), shape)]

    def size(self):
        return self.dice.randrange(2 ** max(1, self.bits - 4), 2**self.bits)

    def put(self, op, sources, shape, params=0, macs=0, times=1):
        self.count += 1
        name = add(self.graph, f"l{self.count}", op, *sources)
        self.params += times * params
        self.macs += times * macs
        self.written += times * prod(shape)
        self.ends.append((name, shape))

    def conv(self):
        source, (n, c, h, w) = self.dice.choice(self.ends)
        k, s, bias = self.dice.choice((1, 2, 3)), self.dice.choice((1, 2)), self.dice.random() < 0.5
        groups = self.dice.choice((1, c if c < 2**29 else 1))
        p = k - 1
        out_c = groups * self.dice.choice((1, 2)) if groups > 1 else self.size()
        shape = (n, out_c, (h + 2 * p - k) // s + 1, (w + 2 * p - k) // s + 1)
        positions = shape[2] * shape[3]
        weight = out_c * (c // groups) * k * k
        op = Conv(channels=out_c, kernel=k, stride=s, padding=p, groups=groups, bias=bias)
        self.put(op, [source], shape, weight + (out_c if bias else 0), n * positions * weight)

    def depthwise(self):
        source, (n, c, h, w) = self.dice.choice(self.ends)
        self.put(Depthwise(kernel=3, padding="same"), [source], (n, c, h, w), 10 * c, n * c * h * w * 9)

    def norm(self):
        source, shape = self.dice.choice(self.ends)
        self.put(BatchNorm(), [source], shape, 2 * shape[1])

    def relu(self):
        source, shape = self.dice.choice(self.ends)
        self.put(ReLU(), [source], shape)

    def join(self):
        source, shape = self.dice.choice(self.ends)
        others = [name for name, other in self.ends if other == shape]
        self.put(Add(), [source, self.dice.choice(others)], shape)

    def concat(self):
        source, (n, c, h, w) = self.dice.choice(self.ends)
        self.put(Concat(), [source, source], (n, 2 * c, h, w))

    def linear(self):
        source, (n, c, h, w) = self.dice.choice(self.ends)
        out = self.size()
        self.put(Linear(features=out), [source], (n, c, h, out), w * out + out, n * c * h * w * out)

    def repeat(self):
        source, (n, c, h, w) = self.dice.choice(self.ends)
        inner = new_graph()
        add(inner, "y", Depthwise(kernel=5, padding=2, bias=False), add(inner, "x", Input()))
        times = self.size()
        self.put(Repeat(inner, times), [source], (n, c, h, w), 25 * c, n * c * h * w * 25, times)


MAKERS = (
    Model.conv,
    Model.conv,
    Model.depthwise,
    Model.norm,
    Model.relu,
    Model.join,
    Model.concat,
    Model.linear,
    Model.repeat,
)


@pytest.mark.sized
@pytest.mark.no_cover
def test_t29_totals_of_any_size_are_exact():
    dice = random.Random(29)
    past = {2**53: 0, 2**63: 0, 2**100: 0}
    for _ in range(BIG):
        model = Model(dice, dice.choice((4, 16, 24, 30)))
        for _ in range(dice.randint(1, 8)):
            dice.choice(MAKERS)(model)
        total = costcalc.cost(model.graph)
        assert (total.params, total.macs, total.total("activations")) == (model.params, model.macs, model.written)
        assert {type(value) for value in total.totals.values()} == {int}
        for bound in past:
            past[bound] += max(total.macs, total.params) > bound
    assert past[2**63] > BIG // 4
    assert past[2**100] > BIG // 20


def test_t29_json_keeps_integers():
    model = Model(random.Random(1), 30)
    for maker in MAKERS:
        maker(model)
    total = costcalc.cost(model.graph)
    read = json.loads(json.dumps(total.to_dict()))
    assert read["totals"] == total.totals
    assert read["totals"]["macs"] == model.macs > 2**100
    assert all(type(row[metric]) is int for row in read["layers"] for metric in total.totals)


LETTERS = {name: size_symbol(name, real=name == "w") for name in ("n", "r", "c", "d", "w")}
KEEP = (ReLU(), BatchNorm(), SiLU(), Identity(), Depthwise(kernel=3, padding="same", bias=False))


def plan(dice):
    """A network as a function of its knobs: the same choices for numbers and for letters."""
    steps = [dice.randrange(9) for _ in range(dice.randint(1, 6))]
    picks = [[dice.random() for _ in range(6)] for _ in steps]

    def build(n, r, c, d, w):
        graph = new_graph()
        here, channels = add(graph, "in", Input((n, c, r, r))), c
        for i, (step, p) in enumerate(zip(steps, picks)):
            name = f"l{i}"
            if step <= 1:
                channels = (round_to(32 * w, 8), 2 * channels, ceil(3 * w), 16, c * 3 + 1)[int(5 * p[0])]
                padding = ("same", 0, 1, 2)[int(4 * p[3])]
                stride, kernel = 1 + int(2 * p[2]), (1, 3, 5)[int(3 * p[1])]
                op = Conv(channels=channels, kernel=kernel, stride=stride, padding=padding, bias=p[4] < 0.5)
                here = add(graph, name, op, here)
            elif step == 2:
                op = MaxPool(kernel=2 + int(2 * p[0]), stride=2, padding=int(2 * p[1]), ceil_mode=p[2] < 0.5)
                here = add(graph, name, op, here)
            elif step == 3:
                inner = new_graph()
                last = add(inner, "x", Input())
                for j in range(1 + int(2 * p[0])):
                    last = add(inner, f"y{j}", KEEP[int(len(KEEP) * p[1 + j])], last)
                here = add(graph, name, Repeat(inner, (d, ceil(d * w), 2 * d + 1, 3)[int(4 * p[4])]), here)
            elif step == 4:
                branch = add(graph, f"{name}b", KEEP[int(len(KEEP) * p[1])], here)
                here = add(graph, name, (Add, Mul)[int(2 * p[0])](), here, branch)
            elif step == 5:
                here, channels = add(graph, name, Concat(), here, here), 2 * channels
            elif step == 6:
                here = add(graph, name, Upsample(scale=2), here)
            else:
                here = add(graph, name, KEEP[int(len(KEEP) * p[0])], here)
        here = add(graph, "head", GlobalAveragePool() if picks[0][5] < 0.5 else Flatten(), here)
        add(graph, "fc", Linear(features=floor_div(n + 9, 4)), here)
        return graph

    return build


@pytest.mark.sized
@pytest.mark.no_cover
def test_t33_letters_filled_in_are_the_numbers():
    dice = random.Random(33)
    checked = 0
    while checked < SYMBOLIC:
        build = plan(dice)
        total = costcalc.cost(build(**LETTERS))
        formulas = [total.total(metric) for metric in ("params", "macs", "elementwise", "activations")]
        for _ in range(2):
            values = {
                "n": dice.randint(1, 9),
                "r": dice.randint(1, 400),
                "c": dice.randint(1, 64),
                "d": dice.randint(1, 9),
            }
            values["w"] = sympy.Rational(dice.randint(1, 40), dice.choice((1, 2, 5, 10)))
            numbers = {**values, "w": Fraction(int(values["w"].p), int(values["w"].q))}
            try:
                expected = costcalc.cost(build(**numbers))
            except ShapeError:
                continue
            filled = {LETTERS[name]: sympy.sympify(value) for name, value in values.items()}
            found = [sympy.sympify(formula).xreplace(filled) for formula in formulas]
            assert found == [expected.total(metric) for metric in ("params", "macs", "elementwise", "activations")]
            checked += 1


@pytest.mark.sized
def test_t33_columns_are_the_numbers():
    dice = random.Random(34)
    checked = 0
    while checked < SYMBOLIC // 10:
        build = plan(dice)
        r = np.array([dice.randint(20, 400) for _ in range(4)])
        d = np.array([dice.randint(1, 9) for _ in range(4)])
        fixed = {"n": dice.randint(1, 4), "c": dice.randint(1, 16), "w": dice.randint(1, 3)}
        try:
            columns = costcalc.cost(build(r=r, d=d, **fixed))
            numbers = [costcalc.cost(build(r=int(a), d=int(b), **fixed)) for a, b in zip(r, d)]
        except ShapeError:
            continue
        for metric in ("params", "macs", "elementwise", "activations"):
            column = np.broadcast_to(columns.total(metric), (4,))
            assert [int(value) for value in column] == [number.total(metric) for number in numbers]
        checked += 1


@pytest.mark.parametrize("name", OPS)
def test_t34_every_op_answers_or_says_that_it_is_free(name):
    cls = OPS[name]
    for question in ANSWERS:
        assert callable(getattr(cls, question)), question
    for metric in ("macs", "elementwise"):
        rule = getattr(cls, metric)
        if isinstance(rule, free):
            assert rule.__doc__.startswith("0: ")
            assert len(rule.__doc__) > 8  # a reason
