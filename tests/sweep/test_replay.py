"""What the rules did to the points of one block, done to those of another, is what they do there."""

import operator
import pickle
import random
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from itertools import permutations

import numpy as np
import pytest
from support.columns import SIZES, graph_of
from support.sizes import size

import costcalc
from costcalc import dims, ops
from costcalc.analysis.metrics import COUNTED, USUAL
from costcalc.analysis.sweep import replay
from costcalc.analysis.sweep.grid import Grid, read_axes
from costcalc.analysis.sweep.replay import Trace, sums_again
from costcalc.analysis.sweep.totals import sums, sums_at, sums_of
from costcalc.dims.column import Column
from costcalc.dims.program import GuardFailed
from costcalc.dims.tape import NotTraceable, Tape
from costcalc.errors import CostcalcError
from costcalc.ops.fields import PositiveInt
from costcalc.spec.library import entries

SPECS = sorted({entry.spec for entry in entries()})
COUNTED_LAYER_BY_LAYER = [name for name in COUNTED if name not in ("peak_bytes", "intensity")]
GRAPHS = size(300, 5000)


@pytest.fixture(autouse=True)
def nothing_kept():
    replay._kept.cache_clear()


def spanned(columns):
    """Each column with the bounds of all."""
    low, high = min(column.bounds[0] for column in columns), max(column.bounds[1] for column in columns)
    return [Column(column.num, column.den, (low, high)) for column in columns]


OPERATIONS = [
    operator.add, operator.sub, operator.mul, operator.floordiv, operator.mod, dims.maximum, dims.minimum,
    dims.round_to, dims.broadcast_size, dims.exact_div, lambda a, b: a * (a < b), lambda a, b: dims.ceil(a) - b,
]  # fmt: skip


def test_a_program_is_the_operations_it_was_traced_from():
    rng = random.Random(1)
    for _ in range(500):
        columns = [spanned([Column.of(rng.choices(range(1, 50), k=4)) for _ in range(2)]) for _ in range(3)]
        first, second = zip(*columns, strict=True)
        steps = [(rng.choice(OPERATIONS), rng.randrange(99), rng.choice([None, rng.randint(1, 9)])) for _ in range(12)]

        def work(known, steps=steps):
            for operation, at, number in steps:
                other = known[at * 7 % len(known)] if number is None else number
                made = operation(known[at % len(known)], other)
                known.append(dims.minimum(dims.maximum(made, 1), 1009))  # no divisor of 0, and no numbers without end
            return known

        tape = Tape()
        traced = work([Column(tape.input(column.num), column.den, column.bounds) for column in first])
        program = tape.program([column.num for column in traced])
        for given in (first, second):
            wanted = [column.num.tolist() for column in work([*given])]
            assert [array.tolist() for array in program.run(*[column.num for column in given])] == wanted


def few_points(rng, count):
    """Sizes of which no cost leaves 64 bits."""
    most = {"n": 8, "c": 64, "gate": 1, "h": 64, "t0": 5, "t1": 5, "t2": 5}
    return [{name: rng.randint(name[0] != "t", size) for name, size in most.items()} for _ in range(count)]


@pytest.mark.sized
@pytest.mark.no_cover
def test_a_trace_of_a_random_graph_holds_for_other_points():
    rng, replayed = random.Random(2), 0
    for seed in range(GRAPHS):
        points = [few_points(rng, 3), few_points(rng, 5)]
        columns = {n: spanned([Column.of([point[n] for point in part]) for part in points]) for n in SIZES}

        def rules(knobs, seed=seed):
            return sums_of(graph_of(seed, knobs), COUNTED_LAYER_BY_LAYER)

        first, second = ({name: both[i] for name, both in columns.items()} for i in (0, 1))
        try:
            trace, made = Trace.of(rules, second, (5,))
        except NotTraceable:
            continue
        assert trace.takes((5,)) and trace.takes((3,)) and not trace.takes((6,))
        same_totals(made, rules(second), 5)
        try:
            same_totals(trace.replayed(first), rules(first), 3)
        except GuardFailed:
            continue
        replayed += 1
    assert replayed > GRAPHS * 3 / 4


def same_totals(found, wanted, count):
    """Sums of so many points in a line are the same."""
    grid = Grid({"i": tuple(range(count))})
    wanted = wanted.at(grid).values
    for name, values in found.at(grid).values.items():
        assert (np.broadcast_to(values, count) == wanted[name]).all(), name


def outcome(work, net, block, metrics):
    """Sums, or the error in words."""
    try:
        return work(net, block, metrics)
    except CostcalcError as error:
        return f"{type(error).__name__}: {error}"


def check_block(net, block, metrics=USUAL):
    """What is replayed, or asked if it has to be, is what the rules say at each point of a block, in the same words."""
    found, wanted = (outcome(work, net, block, metrics) for work in (sums_again, sums))
    if isinstance(wanted, str) or isinstance(found, str):
        assert found == wanted
        return
    assert found.reason == wanted.reason
    (all_of_it,) = block.blocks(block.size)
    found, wanted = found.at(all_of_it), wanted.at(all_of_it)
    assert np.array_equal(found.holding(), wanted.holding())
    for name in wanted.values:
        a, b = found.flat(name), wanted.flat(name)
        assert a.dtype == b.dtype
        assert np.array_equal(a[wanted.holding()], b[wanted.holding()]), name


@pytest.mark.no_cover
@pytest.mark.parametrize("name", SPECS)
def test_block_after_block_of_every_spec(name):
    rng, net = random.Random(name), costcalc.load(name)
    axes = {}
    for knob in rng.sample(net.size_knobs, min(3, len(net.size_knobs))):
        given = net.knobs[knob]
        low, high = max(given.low, given.default // 2), min(given.high, 2 * given.default + 2)
        steps = {low + (high - low) * i // 7 for i in range(8)}
        axes[knob] = tuple(sorted(steps if given.kind == "integer" else {low, high, given.default}))
    grid = Grid(axes)
    for block in grid.blocks(max(4, grid.size // 6)):
        check_block(net, block, COUNTED_LAYER_BY_LAYER)


def blocks_of(net, texts, points):
    """A grid in blocks."""
    return [*Grid(read_axes(texts, net.knobs, net.name)).blocks(points)]


@pytest.mark.no_cover
@pytest.mark.parametrize(("target", "texts", "times"), [
    ("efficientnet", ["r=64:128:8", "d=1:2:0.1", "w=0.5:1.5:0.05"], 1),
    ("mobilenet_v1", ["r=128:224:32", "w=0.25:1:0.25"], 1), ("mobilenet_v2", ["w=0.35:1.4:0.05", "r=96:224:32"], 1),
    ("resnet50", ["r=64:256:32"], 1), ("vgg16", ["r=64:128:32", "batch=1:4:1"], 1),
])  # fmt: skip
def test_the_rules_are_asked_once_for_each_way_through_them(monkeypatch, target, texts, times):
    net, asked = costcalc.load(target), []
    monkeypatch.setattr(replay, "sums_at", lambda *given: asked.append(given) or sums_at(*given))
    for block in blocks_of(net, texts, 40):
        check_block(net, block)
    assert len(asked) == times


CROOKED = """
name: crooked
title: Layers that turn on their numbers
source: made for a test
knobs: {r: 32, w: {default: 1, kind: real}, c: 8}
input: [3, r, r]
layers:
  - conv: {channels: 8*w, kernel: 3, padding: same}
  - conv: {channels: c, kernel: 1, when: w > 1}
  - max_pool: {kernel: 2, stride: 2, when: r >= 64}
  - conv: {channels: 16, kernel: 5}
"""


def test_where_a_guard_fails_the_rules_are_asked(tmp_path):
    """`when` is on in some blocks and off in others; at r below 5 there is no such network; 8·w is not always whole."""
    (tmp_path / "crooked.yaml").write_text(CROOKED)
    net = costcalc.load(str(tmp_path / "crooked.yaml"))
    grids = (["r=1:100:1"], 9), (["w=0.5:2:0.125"], 1), (["w=0.4:2:0.1"], 1), (["w=1.2,1.25", "c=1:99:7"], 5)
    for texts, points in grids:
        for block in blocks_of(net, texts, points):
            check_block(net, block)


def test_traces_are_apart_where_anything_differs(tmp_path):
    """Another width, other metrics, other bounds or denominators, another spec under the same name."""
    net, other = costcalc.load("mobilenet_v1"), costcalc.load("mobilenet_v1@classes=10")
    for one in (net, other, net):
        for texts in (["r=128,160"], ["r=64,96,224"], ["w=0.5,1"], ["w=0.25,0.5"], *permutations(["r=128", "w=0.5,1"])):
            for metrics in (("macs",), ("params", "macs"), COUNTED_LAYER_BY_LAYER):
                (block,) = blocks_of(one, texts, 99)
                check_block(one, block, metrics)
    for channels in (8, 16):
        (tmp_path / "one.yaml").write_text(CROOKED.replace("8*w", str(channels)))
        one = costcalc.load(str(tmp_path / "one.yaml"))
        for r in ("64,80", "40,80", "64,2147483647"):  # one below where a layer is left out, one past 64 bits
            (block,) = blocks_of(one, [f"r={r}", "batch=1000,1000000"], 9)
            check_block(one, block)


def test_a_network_that_was_sent_is_known_again(monkeypatch):
    net, asked = costcalc.load("mobilenet_v1"), []
    monkeypatch.setattr(replay, "sums_at", lambda *given: asked.append(given) or sums_at(*given))
    for block in blocks_of(net, ["r=128:224:32"], 1):
        sums_again(*pickle.loads(pickle.dumps((net, block))))  # noqa: S301
    assert len(asked) == 1


def test_threads_share_traces():
    net, grids = costcalc.load("efficientnet"), (["r=64:96:8", "w=1:2:0.1"], ["r=64:256:64", "w=1:3:0.1"])
    blocks = [block for texts in grids for block in blocks_of(net, texts, 11)]
    with ThreadPoolExecutor(8) as threads:
        [*threads.map(lambda block: check_block(net, block), random.Random(3).sample(blocks, len(blocks)))]


def test_what_cannot_be_noted_is_refused():
    array = np.arange(6)
    for ask in (
        bool, int, float, complex, len, iter, list, np.all, np.any, np.asarray, np.flatnonzero, np.unique,
        np.add.reduce, lambda x: x[0], lambda x: 1 in x, lambda x: [1, 2][x], lambda x: divmod(x, 2), lambda x: x.min(),
        lambda x: x.tolist(), lambda x: x.astype(object), lambda x: np.add(x, 1, out=array),
        lambda x: np.broadcast_to(x, (2, 6)),
    ):  # fmt: skip
        with pytest.raises(NotTraceable):
            ask(Tape().input(array))
    for other in (lambda x: x + array, lambda x: Tape().input(array.astype(object)) + 1):
        with pytest.raises(NotTraceable):
            other(Tape().input(array))
    with pytest.raises(AttributeError):
        Tape().input(array).free_symbols  # noqa: B018


OP = """
@op
class Mine:
    \"\"\"An op of a reader's.   s -> s\"\"\"

    k: PositiveInt = 3
    needs, shape, weights, elementwise, backward_macs = no_needs, same_shape_as_input, no_weights, free(""), free("")
    output = VIEW

    def macs(self, x, *, out):
        return {}
"""
OF_MINE = "name: mine\ntitle: Mine\nsource: a test\nknobs: {r: 8}\ninput: [3, r, r]\nlayers: [mine]\n"


def define(macs):
    """An op with this rule, as a notebook defines it, and again when its cell is run again."""
    names = {
        **vars(ops),
        "PositiveInt": PositiveInt,
        "np": np,
        "dims": dims,
        "Column": Column,
        "__name__": __name__,
    }
    exec(OP.format(macs), names)  # noqa: S102


@pytest.fixture
def mine(tmp_path):
    """A network of that op, which nobody else is to know."""
    define("0")
    (tmp_path / "mine.yaml").write_text(OF_MINE)
    yield costcalc.load(str(tmp_path / "mine.yaml"))
    del ops.OPS["mine"]


@pytest.mark.parametrize("macs", [
    "dims.elements(out) if x[2] else 0", "dims.elements(out) * len(x[2])", "dims.elements(out) * x[2][0]",
    "x[2] * np.all(x[2] > 4)", "Column.of([7] * x[2].size, x[2].shape)",
    "x[2] * int(np.asarray(x[2]).max())", "x[2] * max(x[2].tolist())",
])  # fmt: skip
def test_a_rule_that_takes_no_tracer_is_asked(mine, macs):
    define(macs)
    for block in blocks_of(mine, ["r=4:12:1"], 3):
        check_block(mine, block)


def test_an_op_that_is_written_anew_is_asked_again(mine, monkeypatch):
    (block,) = blocks_of(mine, ["r=4,8"], 9)
    for macs in ("dims.elements(out)", "self.k * dims.elements(out)", "x[2]"):
        define(macs)
        check_block(mine, block)
    monkeypatch.setattr(ops.OPS["mine"], "macs", lambda self, x, *, out: 7 * x[2])
    check_block(mine, block)


def test_a_knob_that_is_a_column_is_no_reason_to_fail():
    net = costcalc.load("mobilenet_v1").with_knobs(batch=np.array([4]))
    (block,) = blocks_of(net, ["r=128,224"], 9)
    check_block(net, block)


def test_one_sweep_does_not_show_in_the_next():
    """The types of numbers neither: a wider sweep leaves 64 bits."""
    net = costcalc.load("efficientnet")
    for texts in (["r=32,1000000", "batch=1,1000000"], ["r=64,128", "batch=1,2"], ["r=32,1000000", "batch=1,1000000"]):
        (block,) = blocks_of(net, texts, 9)
        check_block(net, block)
        check_block(net, block)


def test_blocks_without_a_network_do_not_end_the_tracing(tmp_path, monkeypatch):
    (tmp_path / "crooked.yaml").write_text(
        CROOKED.replace("r: 32", "r: {default: 64, min: 1}").replace("kernel: 5", "kernel: 41")
    )
    net, asked = costcalc.load(str(tmp_path / "crooked.yaml")), []
    monkeypatch.setattr(replay, "sums_at", lambda *given: asked.append(given) or sums_at(*given))
    blocks = blocks_of(net, ["r=1:400:1"], 5)
    for block in blocks:
        check_block(net, block)
    assert len(asked) < len(blocks) / 2


@pytest.mark.parametrize("metrics", [("macs", "activations"), ("peak_bytes",), ("traffic_bytes", "peak_bytes")])
def test_a_replay_holds_little_more_than_the_rules_do(tmp_path, metrics):
    """200 layers, each of other sizes at all points."""
    layers = "".join(f"  - conv: {{channels: c + {i}, kernel: 1}}\n" for i in range(200))
    text = OF_MINE.replace("knobs: {r: 8}", "knobs: {r: 8, c: 8}").replace("layers: [mine]\n", f"layers:\n{layers}")
    (tmp_path / "long.yaml").write_text(text)
    net = costcalc.load(str(tmp_path / "long.yaml"))
    block = blocks_of(net, ["r=1:200:1", "c=1:200:1"], 40_000)[0]

    def held(work):
        tracemalloc.start()
        work(net, block, metrics)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most / 8 / block.size  # columns

    sums(net, block, metrics)
    rules, traced, again = held(sums), held(sums_again), held(sums_again)
    assert max(traced, again) < rules + 10


def test_truths_are_no_numbers():
    tape = Tape()
    x = tape.input(np.array([1, 2]))
    results = [x + 1, ~((x > 1) & True), x * True]
    for found, wanted in zip(tape.program(results).run(np.array([1, 2])), results, strict=True):
        assert found.tolist() == wanted.value.tolist()
        assert found.dtype == wanted.dtype


def test_a_guard_has_the_answer_of_the_trace():
    tape = Tape()
    x = tape.input(np.array([1, 2]))
    assert (x > 0).all()
    assert not (x > 5).any()
    program = tape.program([x + 1])
    assert program.run(np.array([5, 1]))[0].tolist() == [6, 2]
    for other in ([0, 1], [6, 1]):
        with pytest.raises(GuardFailed):
            program.run(np.array(other))
