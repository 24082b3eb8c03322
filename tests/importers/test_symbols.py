"""Imported networks with symbols and arrays for sizes: number = formula filled in = column, and where that holds."""

import re

import pytest
from support import needed

torch = needed.module("torch", "torch")

import numpy as np  # noqa: E402
from support.sizes import size  # noqa: E402
from torch import nn  # noqa: E402

import costcalc  # noqa: E402
from costcalc.analysis.metrics import METRICS as METRICS_OF_ALL  # noqa: E402
from costcalc.analysis.walk import walk  # noqa: E402
from costcalc.dims import to_exact_array  # noqa: E402
from costcalc.errors import CostcalcError, ShapeError, UsageError  # noqa: E402

METRICS = ("macs", "activations")
IDS = torch.zeros(1, 24, dtype=torch.long)


class Changes(nn.Module):
    """Has one layer more from some width on."""

    def __init__(self, at=300):
        super().__init__()
        self.a, self.b, self.at = nn.Conv2d(3, 4, 3, 2, 1), nn.Conv2d(4, 4, 3, padding=1), at

    def forward(self, x):
        y = self.a(x)
        return self.b(self.b(y) if x.shape[-1] >= self.at else y)


class Windows(nn.Module):
    """Attention in windows of 4×4, of a map that they fill: sides are multiples of 8."""

    def __init__(self):
        super().__init__()
        self.patch, self.qkv, self.end = nn.Conv2d(3, 8, 2, 2), nn.Linear(8, 24), nn.Linear(8, 8)

    def forward(self, x):
        y = self.patch(x).permute(0, 2, 3, 1)
        n, h, w, c = y.shape
        y = y.view(n, h // 4, 4, w // 4, 4, c).transpose(2, 3).reshape(-1, 16, c)
        q, k, v = self.qkv(y).chunk(3, -1)
        y = self.end(torch.softmax(q @ k.transpose(1, 2), -1) @ v)
        return y.view(n, h // 4, w // 4, 4, 4, c).transpose(2, 3).reshape(n, h, w, c)


class Padded(nn.Module):
    """Pads as TensorFlow does, and joins a map with one that was made larger."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 4, 3, 2), nn.Conv2d(4, 4, 3, 2, 1)

    def forward(self, x):
        need = [max(0, (-(-side // 2) - 1) * 2 + 3 - side) for side in x.shape[-2:]]
        y = self.a(nn.functional.pad(x, (need[1] // 2, need[1] - need[1] // 2, need[0] // 2, need[0] - need[0] // 2)))
        z = nn.functional.interpolate(self.b(y), size=y.shape[-2:], mode="bilinear")
        return torch.cat([y, z], 1)


class Words(nn.Module):
    """A decoder's layer with a table of 64 positions."""

    def __init__(self):
        super().__init__()
        self.words, self.places = nn.Embedding(50, 16), nn.Parameter(torch.zeros(64, 16))
        self.qkv, self.end = nn.Linear(16, 48), nn.Linear(16, 50)

    def forward(self, ids):
        n, t = ids.shape
        x = self.words(ids) + self.places[:t]
        q, k, v = self.qkv(x).view(n, t, 3, 2, 8).permute(2, 0, 3, 1, 4)
        y = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.end(y.transpose(1, 2).reshape(n, t, 16))


class Places(nn.Module):
    """Adds a tensor to each position of 8×8."""

    def __init__(self):
        super().__init__()
        self.patch, self.place = nn.Conv2d(3, 8, 4, 4), nn.Parameter(torch.zeros(1, 64, 8))

    def forward(self, x):
        return self.patch(x).flatten(2).transpose(1, 2) + self.place


def names_and_costs(graph):
    return {row.name: {key: _number(cost) for key, cost in row.costs.items()} for row in walk(graph)}


def _number(cost):
    return int(cost.tolist()[0]) if hasattr(cost, "tolist") else int(cost)


def check_law(net, points):
    """Number = formula filled in = column, the last layer by layer."""
    formulas = {metric: net.formula(metric) for metric in METRICS}
    for point in points:
        cost = net.with_knobs(**point).cost()
        assert {m: f(**point) for m, f in formulas.items()} == {m: cost.total(m) for m in METRICS}
        values = net.values | {name: to_exact_array(np.array([value, value + 64])) for name, value in point.items()}
        (pattern,) = [one for one in net.architecture.patterns.values() if hasattr(one, "ranges")]
        columns = pattern.layers.layers(net.architecture.sizes.letters(values))
        assert names_and_costs(columns) == names_and_costs(net.architecture.layers(net.values | point))


LAWS = {
    "in steps": (Windows(), (2, 3, 64, 64), [{"batch": 2, "r": 16}, {"batch": 5, "r": 72}, {"batch": 3, "r": 200}]),
    "padded": (Padded(), (1, 3, 40, 40), [{"batch": 1, "r": 33}, {"batch": 3, "r": 77}, {"batch": 4, "r": 300}]),
    "tokens": (Words(), IDS, [{"batch": 1, "tokens": 3}, {"batch": 7, "tokens": 64}, {"batch": 2, "tokens": 31}]),
    "height and width": (
        Padded(), (1, 3, 40, 56), [{"batch": 3, "h": 21, "w": 90}, {"batch": 1, "h": 64, "w": 33}],
    ),
    "a batch alone": (nn.Linear(3, 5), (2, 3), [{"batch": 1}, {"batch": 77}]),
}  # fmt: skip


@pytest.mark.parametrize("case", LAWS)
def test_number_is_formula_is_column(case):
    module, inputs, points = LAWS[case]
    check_law(costcalc.load(module, inputs), points)


class Einsum(nn.Module):
    """Attention written with einsum, which moves axes of size 1 another way."""

    def forward(self, q, k):
        return torch.einsum("bhqd,bhkd->bhqk", q, k).softmax(-1).squeeze()


class Mixed(nn.Module):
    """The batch and the positions as one axis, out of their order: a copy, but at a batch of 1."""

    def forward(self, x):
        return x.transpose(0, 1).reshape(-1, 8) * 2


def totals_at_one(net, metrics):
    """By formula and in a run, at a batch of 1."""
    runs = costcalc.sweep(costcalc.load(*net), batch=[1], metrics=metrics).to_records()[0]
    model = costcalc.load(*net)
    return {metric: model.formula(metric)(batch=1) for metric in metrics}, {one: runs[one] for one in metrics}


COUNTS = [
    name
    for name, one in METRICS_OF_ALL.items()
    if one.is_counted and not (one.layers or one.step or one.of or one.no_formula)
]


@pytest.mark.parametrize("inputs", [((1, 3, 4, 8), (1, 3, 4, 8)), ((2, 3, 5, 8), (2, 3, 5, 8))])
def test_a_batch_of_one_with_other_views_is_in_the_formula(inputs):
    net = (Einsum(), *((1, *x[1:]) for x in inputs))
    by_formula, by_run = totals_at_one(net, [name for name in COUNTS if METRICS_OF_ALL[name].together != "largest"])
    assert by_formula == by_run
    model = costcalc.load(Einsum(), *inputs)
    assert str(model.formula().domain).startswith("1 ≤ batch ≤ 65536")
    assert "batch = 1" in model.formula("saved_bytes").domain.bounds[0].low_reason  # memory may lie in another order
    columns = costcalc.sweep(model, batch=[*range(1, 12)], metrics=["peak_bytes", "train_peak_bytes"]).to_records()
    alone = costcalc.sweep(costcalc.load(*net), batch=[1], metrics=["peak_bytes", "train_peak_bytes"]).to_records()
    assert {**columns[0], **alone[0]} == columns[0]


def test_a_batch_of_one_without_a_copy_is_not():
    formula = costcalc.load(Mixed(), (2, 3, 8)).formula("activations")
    assert str(formula.domain) == "2 ≤ batch ≤ 65536" and formula(batch=2) == 3 * 2 * 3 * 8  # moved, copied, doubled
    assert costcalc.load(Mixed(), (1, 3, 8)).cost().total("activations") == 2 * 3 * 8


class Wide(nn.Module):
    """Convolves over the height, and has a linear layer over the width."""

    def __init__(self, width=20, step=1):
        super().__init__()
        self.a, self.b, self.step = nn.Conv2d(1, 4, (3, 1), padding=(1, 0)), nn.Linear(width, 6), step

    def forward(self, x):
        y = self.b(self.a(x))
        return y.unflatten(2, (-1, self.step)).softmax(3)


class Both(nn.Module):
    """An image of 8×8 positions, and words."""

    def __init__(self):
        super().__init__()
        self.image, self.words = Places(), nn.Embedding(50, 8)

    def forward(self, x, ids):
        return self.image(x).mean(1) + self.words(ids).mean(1)


FREE = {  # inputs, the domain, and what freezes the others
    "height alone": (Wide(), ((1, 1, 50, 20),), "h", {"w": "in 'b', "}),
    "height in steps": (Wide(step=4), ((1, 1, 48, 20),), "h", {"w": "in 'b', "}),
    "tokens alone": (Both(), ((1, 3, 32, 32), IDS), "tokens", {"r": "in 'image', "}),
    "neither": (nn.Sequential(nn.Flatten(), nn.Linear(60, 2)), ((1, 6, 5, 2),), "", dict.fromkeys("hw", "in '1': ")),
}  # fmt: skip


@pytest.mark.parametrize("case", FREE)
def test_lengths_are_free_apart(case):
    module, inputs, free, frozen = FREE[case]
    net = costcalc.load(module, *inputs)
    formula = net.formula()
    assert [name for name in net.knobs if name in formula.knobs] == ["batch", *([free] if free else [])]
    assumed = dict(one.split(": ", 1) for one in formula.domain.assumed)
    assert {name.split(" = ")[0] for name in assumed} == {*frozen}
    assert all(why.startswith(frozen[name.split(" = ")[0]]) for name, why in assumed.items())
    for point in ({"batch": 1}, {"batch": 3, **({free: 2 * net.knobs[free].default} if free else {})}):
        assert formula(**point) == net.with_knobs(**point).macs


def test_a_square_that_has_one_free_side_is_told_how_to_be_none():
    (assumed,) = costcalc.load(Wide(), (1, 1, 20, 20)).formula().domain.assumed
    assert assumed.endswith("; it runs at 40×20: with such an input h and w are knobs of their own")


@pytest.mark.sized
@pytest.mark.parametrize(
    "name", size(["shufflenet_v2_x0_5"], ["shufflenet_v2_x0_5", "mobilenet_v3_small", "googlenet", "fcn_resnet50"])
)
def test_torchvision_by_formula(name):
    needed.module("torchvision", "vision")
    check_law(costcalc.load(f"torchvision:{name}"), [{"batch": 1, "r": 97}, {"batch": 6, "r": 251}])


def domain(module, *inputs):
    return str(costcalc.load(module, *inputs).formula().domain)


@pytest.mark.parametrize(
    ("at", "default", "holds"),
    [
        (300, 224, "1 ≤ r ≤ 299"),
        (300, 448, "300 ≤ r ≤ 14336"),
        (150, 224, "150 ≤ r ≤ 7168"),
        (224, 224, "224 ≤ r ≤ 7168"),
    ],
)
def test_layers_that_change_at_a_size_bound_the_formula(at, default, holds):
    net = costcalc.load(Changes(at), (1, 3, default, default))
    assert holds in str(net.formula().domain)
    edges = {"r": at - 1, "batch": 2}, {"r": at, "batch": 2}
    inside = [edge for edge in edges if net.formula().domain.bounds[1].low <= edge["r"] <= 10**4][-1]
    if holds.endswith("299"):
        inside = edges[0]
    assert net.formula()(**inside) == net.with_knobs(**inside).macs
    with pytest.raises(ShapeError, match="the formula holds for"):
        net.formula()(**edges[0 if inside is edges[1] else 1])


def test_a_sweep_counts_points_beyond_the_formula_on_their_own():
    net = costcalc.load(Changes(300), (1, 3, 224, 224))
    records = costcalc.sweep(net, r="280:320:4").to_records()
    assert [one["r"] for one in records] == [*range(280, 321, 4)]
    assert [one["macs"] for one in records] == [net.with_knobs(r=one["r"]).macs for one in records]


def test_steps_are_found_and_kept():
    formula = costcalc.load(Windows(), (2, 3, 64, 64)).formula()
    assert "where 8 divides r" in str(formula.domain)
    each = 3 * 2 * 2 * 8 + 8 * 24 + 2 * 16 * 8 + 8 * 8  # patch, qkv, two products with 16 others, end
    assert formula.text == f"{each // 4}·batch·r²"  # at (r/2)² positions; no rounding is left
    with pytest.raises(ShapeError, match="8 does not divide 68"):
        formula(r=68)


def test_what_freezes_a_size_is_named():
    net = costcalc.load(Places(), (1, 3, 32, 32))
    formula = net.formula()
    (assumed,) = formula.domain.assumed
    assert assumed.startswith("r = 32: in Places, ") and "RuntimeError" in assumed
    assert assumed.endswith("it adds 'place', of 64×8, at each position")
    assert formula(batch=9) == net.with_knobs(batch=9).macs
    with pytest.raises(UsageError, match="r cannot be symbols here: in Places"):
        net.layers({"r": costcalc.size_symbol("r")})


def test_a_sweep_over_frozen_sizes_counts_the_one_that_runs():
    found = costcalc.sweep(costcalc.load(Places(), (1, 3, 32, 32)), r=[28, 32, 36], batch=[1, 2])
    assert [(one["r"], one["batch"]) for one in found.to_records()] == [(32, 1), (32, 2)]
    assert "4 points are invalid: in Places" in str(found)


def test_tokens_are_bounded_by_the_table_of_positions():
    bounds = costcalc.load(Words(), IDS).formula().domain.bounds
    assert [(one.symbol, one.high) for one in bounds] == [("batch", 65_536), ("tokens", 64)]
    assert "RuntimeError" in bounds[1].high_reason


def test_a_formula_says_how_it_was_found():
    found = costcalc.load(Padded(), (1, 3, 40, 40)).formula().found
    assert found == "sizes of 2 layers found from 6 sizes, checked at 6 more"
    assert costcalc.load(nn.Conv2d(3, 4, 3), (1, 3, 9, 9)).formula().found == "compared with the network at 12 sizes"


def test_a_show_is_one_run(monkeypatch):
    net = costcalc.load(Padded(), (1, 3, 40, 40))
    runs = []
    run = net.architecture.run
    monkeypatch.setattr(net.architecture, "run", lambda inputs: runs.append(inputs) or run(inputs))
    net.cost().to_dict()
    assert len(runs) == 1
    net.formula()
    assert len(runs) == 12  # six samples, and two inside, at both ends and of a large batch


def test_a_default_beyond_the_formula_is_said():
    net = costcalc.load(Changes(240), (1, 3, 224, 256))
    formula = net.formula()
    if formula.knobs["w"] is None:
        assert "--set w=256" in formula.found and formula.now() == []
    else:
        assert formula() == net.macs


def test_other_processes_are_not_asked():
    """A torch module stays in this process."""
    net = costcalc.load(nn.Conv2d(3, 4, 3), (1, 3, 9, 9))
    assert len(costcalc.sweep(net, r="9:40:1", workers=2)) == 32


def test_a_network_that_runs_nowhere_else_has_numbers_still():
    class Fixed(nn.Module):
        def forward(self, x):
            assert tuple(x.shape) == (2, 3, 8, 8), "only this"
            return x * 2

    formula = costcalc.load(Fixed(), (2, 3, 8, 8)).formula("elementwise")
    assert formula.text == "384" and "only this" in str(formula.domain)


def test_an_op_without_a_rule_refuses_a_formula():
    class Fourier(nn.Module):
        def forward(self, x):
            return torch.fft.rfft(x).abs()

    with pytest.raises(CostcalcError, match="no rule for"):
        costcalc.load(Fourier(), (1, 8)).formula()


class Cells(nn.Module):
    """A loop of cells, one for each token."""

    def __init__(self):
        super().__init__()
        self.words, self.cell, self.end = nn.Embedding(50, 4), nn.GRUCell(4, 5), nn.Linear(5, 3)

    def forward(self, ids):
        x, h, found = self.words(ids), None, []
        for i in range(ids.shape[1]):
            h = self.cell(x[:, i], h)
            found.append(h)
        return self.end(torch.stack(found, 1))


def test_a_network_that_grows_with_its_input_is_told_by_few_runs():
    net, told = costcalc.load(Cells(), IDS[:, :8]), []
    sizes = []
    run = net.architecture.run
    net.architecture.run = lambda inputs: sizes.append(inputs[0][0].shape[1]) or run(inputs)
    with net.architecture.watched(lambda share, what: told.append((share, what))):
        formula = net.formula()
    runs = len(sizes)
    assert "tokens = 8: its layers change with the size" in str(formula.domain)
    assert formula(batch=5) == net.with_knobs(batch=5).macs
    lengths = [one for one in sizes if one != 8]
    assert len(lengths) <= 12 and max(lengths) <= 160  # two for each place where sizes are tried
    assert told[0] == (0.0, "run 1 of Cells, batch = 2, tokens = 25") and len(told) == runs
    assert [share for share, _ in told] == sorted(share for share, _ in told)


class Largest(nn.Module):
    """Takes the 200 largest numbers of a map: h and w may each be small, and not both."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, stride=2, padding=1)

    def forward(self, x):
        return self.conv(x).flatten(1).topk(200).values


def test_a_range_of_several_lengths_holds_where_all_are_at_their_least():
    net = costcalc.load(Largest(), (1, 3, 32, 48))
    formula = net.formula()
    low = {name: int(said) for said, name in re.findall(r"(\d+) ≤ ([hw]) ≤", str(formula))}
    assert low == {"h": 13, "w": 15}
    assert formula(**low) == costcalc.load(Largest(), (1, 3, *low.values())).macs
    assert "RuntimeError: k not in range" in str(formula)
    with pytest.raises(costcalc.CostcalcError):
        formula(h=12, w=14)
