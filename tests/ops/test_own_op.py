"""An op of a reader's own behaves like one of costcalc's in every command."""

import json
import pickle
import re
import subprocess
import sys
from pathlib import Path

import pytest

import costcalc
from costcalc import ops
from costcalc.analysis.memory import peak_activations
from costcalc.cli.app import run
from costcalc.ops.base import CLASSES
from costcalc.ops.synonyms import SYNONYMS

# r = 8, k = 4: the convolution has 3·3·3·16 + 16 params and 8·8·16·27 multiplies, both products k·(16·8·8 + 10)
PARAMS, MACS = 448 + 4136, 27648 + 4136


@pytest.fixture
def own(tmp_path, monkeypatch):
    """The op and its spec in a folder where a reader works."""
    from support import own_op

    for register, name, value in ((ops.OPS, "low_rank", own_op.LowRank), (SYNONYMS, "lora", "low_rank")):
        register.pop(name, None)
        monkeypatch.setitem(register, name, value)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.yaml").write_text(own_op.SPEC)
    return own_op


def graph_of(own, k=4):
    graph = costcalc.new_graph(name="mine")
    costcalc.add(graph, "x", ops.Input([1, 3, 8, 8]))
    costcalc.add(graph, "conv", ops.Conv(16, 3, padding="same"), "x")
    costcalc.add(graph, "flatten", ops.Flatten(), "conv")
    costcalc.add(graph, "low", own.LowRank(10, k), "flatten")
    costcalc.add(graph, "relu", ops.ReLU(), "low")
    return graph


COMMANDS = [
    ("show own.yaml", "low_rank  low_rank  1024    10       4,136   4,136"),
    ("show own.yaml -f mermaid", "low_rank<br/>low rank + ReLU<br/>4,136 MACs"),
    ("show own.yaml@r=1,k=17", "layer 'low_rank' (low_rank): rank = 17 is more than the 16 features of the input"),
    ("compare own.yaml own.yaml@k=2", "÷1.07"),
    ("formula own.yaml", "low_rank  2·batch·k·(8·r² + 5)"),
    ("explain own.yaml", "4·(1024 + 10)"),
    ("sweep own.yaml r=8,16 --workers 2", f"{MACS:,}"),
    ("sweep own.yaml r=1 k=16,17", "1 of 2 points"),
    ("sweep own.yaml r=8 --metrics peak_bytes,traffic_bytes", "4,904         35,608"),
    ("scale own.yaml --max macs=32K", f"{MACS:,}"),
    ("validate own.yaml", f"own.yaml: ok (5 layers, {PARAMS:,} params, {MACS:,} MACs)"),
    ("ops low_rank", "also: lora"),
    ("schema", '"low_rank"'),
]


@pytest.mark.parametrize(("words", "said"), COMMANDS, ids=[words for words, _ in COMMANDS])
def test_every_command_counts_it(own, capsys, words, said):
    run(words.split())
    out, err = capsys.readouterr()
    assert said in out + err


def test_number_formula_and_sweep_agree(own):
    net = costcalc.load("own.yaml")
    assert (net.cost().params, net.cost().macs) == (PARAMS, MACS)
    found = costcalc.sweep("own.yaml", r=range(1, 12), k=range(1, 65, 9))
    formula = net.formula("macs")
    assert 0 < len(found) < 88
    for point in found.to_records():
        assert formula(r=point["r"], k=point["k"]) == point["macs"]


def test_a_graph_of_it_is_counted_compared_and_its_peak_known(own):
    graph = graph_of(own)
    assert costcalc.cost(graph).macs == MACS
    compared = costcalc.compare(graph, graph_of(own, 2)).tables()[0].rows
    assert [row["macs"] for row in compared] == [MACS, MACS - 2 * (1024 + 10)]
    assert peak_activations(graph) == (3 * 64 + 16 * 64 + 10, "low")  # and relu writes over it, as it says that it may


def test_a_page_about_it_moves_its_knobs(own):
    pytest.importorskip("matplotlib")
    pytest.importorskip("jinja2")
    assert run(["sweep", "own.yaml", "r=8,16", "k=2,4", "--report", "page.html"]) == 0
    html = Path("page.html").read_text(encoding="utf-8")
    data = json.loads(re.search(r'<script type="application/json"[^>]*>(.*?)</script>', html, re.DOTALL)[1])
    assert {"r", "k"} <= {knob["name"] for knob in data["knobs"]}


def test_verify_asks_the_builder_that_the_reader_gave_torch(own, monkeypatch, capsys):
    pytest.importorskip("torch")
    from costcalc.torch_backend import MODULES, verify_net

    assert run(["verify", "own.yaml"]) == 2
    assert (
        "give costcalc.torch_backend.MODULES a builder, as `costcalc help add-an-op` shows" in capsys.readouterr().err
    )
    monkeypatch.setitem(MODULES, "low_rank", own.builder())
    assert run(["verify", "own.yaml"]) == 0
    assert f"{PARAMS:,} params, {MACS:,} MACs forward" in capsys.readouterr().out
    assert verify_net(graph_of(own)).ok


# ---- what its class answers is what decides


@pytest.fixture
def new_ops():
    """Ops that a test defines are known to no other."""
    before = dict(ops.OPS)
    yield
    ops.OPS.clear()
    ops.OPS.update(before)


BRANCHES = """
name: own
title: The larger of two branches
source: a test
input: [3, 8, 8]
layers:
  - conv: {channels: 3, kernel: 3, padding: same, name: first}
  - maximum: [[relu], []]
  - maximum: {from: [first, maximum1]}
"""


def test_an_op_of_any_number_of_inputs_joins_branches(new_ops, tmp_path, capsys):
    @ops.op
    class Maximum(ops.Add):
        """The larger one, element by element.   s, s, … -> s"""

    (tmp_path / "own.yaml").write_text(BRANCHES)
    rows = costcalc.load(str(tmp_path / "own.yaml")).cost().layers
    assert [row.inputs for row in rows if row.op.name == "maximum"] == [("relu", "first"), ("first", "maximum1")]
    assert run(["schema"]) == 0
    schema = json.loads(capsys.readouterr().out)["$defs"]["layer"]["anyOf"][-1]["properties"]
    assert schema["maximum"]["anyOf"] == schema["add"]["anyOf"]


def test_an_op_that_reads_indices_is_given_some_that_it_takes(new_ops, monkeypatch):
    torch = pytest.importorskip("torch")
    from costcalc.torch_backend import MODULES, build, example_inputs

    @ops.op
    class OneHot(ops.Pointwise):
        """A row with one 1 for every index.   (n, l) -> (n, l, count)"""

        count: ops.fields.PositiveInt

        index_limit = property(lambda self: self.count)
        output = ops.computed(inplace=False, overwritable=True)
        elementwise = ops.free("written, not computed")
        train_elementwise = ops.gradients_move
        keeps = ops.keeps_nothing

        def shape(self, x):
            return (*x, self.count)

    class Module(torch.nn.Module):
        def forward(self, x):
            return torch.nn.functional.one_hot(x, 3).float()

    monkeypatch.setitem(MODULES, "one_hot", lambda op, x: Module())
    graph = costcalc.new_graph()
    costcalc.add(graph, "x", ops.Input([2, 50]))
    costcalc.add(graph, "same", ops.Identity(), "x")
    costcalc.add(graph, "hot", OneHot(3), "same")
    module = build(graph)
    (x,) = example_inputs(module)
    assert {*x.flatten().tolist()} == {0, 1, 2}
    assert module(x).shape == (2, 50, 3)


# ---- in other processes


def test_it_travels_with_a_network_to_a_process_that_has_not_heard_of_it(own):
    net = pickle.dumps(costcalc.load("own.yaml"))
    code = "import pickle, sys; print(pickle.load(sys.stdin.buffer).cost().macs)"
    environment = {"PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], input=net, env=environment, capture_output=True)
    assert (done.stdout, done.stderr) == (f"{MACS}\n".encode(), b"")


NOTEBOOK = """
import sys
sys.path[:0] = {path!r}
import costcalc
exec(open({own!r}).read())
found = costcalc.sweep("own.yaml", r="8:24:8", workers=2)
print(found.to_records()[0]["macs"])
from costcalc.torch_backend import MODULES, time_nets
MODULES["low_rank"] = builder()
(measurement,) = time_nets([costcalc.load("own.yaml")], device="cpu", seconds=0.01).measurements
print(measurement.status, measurement.message)
"""


def test_in_a_notebook_it_is_swept_in_the_one_process_that_knows_it(own):
    pytest.importorskip("torch")
    code = NOTEBOOK.format(path=sys.path, own=own.__file__)
    done = subprocess.run([sys.executable], input=code, capture_output=True, text=True)
    assert done.stdout.splitlines() == [
        str(MACS),
        "refused has an op that is defined in a notebook; write its class and its builder into a file to import",
    ], done.stderr


def test_the_classes_of_a_notebook_are_registered_where_they_arrive(own, monkeypatch):
    """cloudpickle sends a class of `__main__` as it is, and its module is not run again."""
    monkeypatch.setattr("costcalc.ops.base.CLASSES", {*CLASSES} - {own.LowRank})
    net = pickle.dumps(costcalc.load("own.yaml"))
    del ops.OPS["low_rank"]
    assert pickle.loads(net).cost().macs == MACS  # noqa: S301  it is ours
    assert ops.OPS.pop("low_rank") is own.LowRank


def test_a_class_that_a_cell_makes_again_is_the_one_that_specs_use(own):
    Path("own.yaml").write_text(own.SPEC.replace("low_rank: {features: 10, rank: k}", "low_rank"))
    assert "low_rank needs 'features'" in str(next(iter(costcalc.validate("own.yaml"))))

    class LowRank(own.LowRank):
        """The same with a default.   (…, in) -> (…, features)"""

        features: own.PositiveInt = 10

    LowRank.__module__, LowRank.__qualname__ = own.LowRank.__module__, own.LowRank.__qualname__
    ops.op(LowRank)
    assert costcalc.load("own.yaml").cost().macs == MACS
