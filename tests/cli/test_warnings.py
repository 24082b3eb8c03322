"""Where warnings are said: once on stderr, in JSON, in Python and notebooks, by validate."""

import json
import pickle
from pathlib import Path

import pytest
from support import needed

import costcalc
from costcalc.analysis import cost
from costcalc.analysis.validate import validate_file
from costcalc.cli import run

CONV = "conv: {channels: 8, kernel: 3, padding: same}"
NOFLAT = (
    "layer 'linear' (linear) runs along the last axis of (8, 16, 16), the 16 positions, not along the 8 channels: "
    "170 params, and 20,490 with `flatten` before it; put `flatten` or `global_average_pool` before it"
    "; or say that it is meant, with meant: true"
)


@pytest.fixture
def spec(spec_file, tmp_path, monkeypatch):
    """Writes a spec of these layers into the current folder."""
    monkeypatch.chdir(tmp_path)
    return lambda *layers, **head: Path(spec_file(*layers, **head)).name


@pytest.fixture
def noflat(spec):
    spec("[3, r, r]", CONV, "relu", "max_pool: {kernel: 2, stride: 2}", "linear: 10", head="knobs: {r: 32}\n")
    return f"it.yaml:10:5: warning: {NOFLAT}\n"


def needs_torch(command):
    if command.startswith("verify"):
        needed.module("torch", "torch")


COMMANDS = [
    "show it.yaml", "show it.yaml --unroll --depth 1", "show it.yaml -f mermaid", "compare it.yaml lenet5",
    "compare it.yaml it.yaml@r=32", "compare it.yaml lenet5 --break-even batch", "explain it.yaml", "reconcile it.yaml",
    "formula it.yaml", "formula it.yaml --python", "sweep it.yaml r=32,64", "sweep it.yaml r=32,64 -f csv",
    "sweep it.yaml --explain-steps", "scale it.yaml --free r --max macs=241664",
    "sweep it.yaml --histogram macs r=32,64", "verify it.yaml",
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_that_counts_says_it_once_on_stderr(command, noflat, capsys):
    needs_torch(command)
    assert run(command.split()) == 0
    assert capsys.readouterr().err.replace("note: a CSV holds one table", "") == noflat


@pytest.mark.parametrize("command", [c for c in COMMANDS if "-f" not in c.split() and "--python" not in c])
def test_every_document_has_it(command, noflat, capsys):
    needs_torch(command)
    assert run([*command.split(), "-f", "json"]) == 0
    documented, *_ = json.loads(capsys.readouterr().out)["warnings"]
    assert documented["target"] == "it.yaml"
    assert documented["layer"] == "linear"
    assert documented["place"] == {"file": "it.yaml", "line": 10, "column": 5}
    assert f"{documented['message']}; {documented['hint']}" == NOFLAT


def test_a_document_without_one_has_no_list(capsys):
    assert run(["show", "lenet5", "-f", "json"]) == 0
    said = capsys.readouterr()
    assert "warnings" not in json.loads(said.out)
    assert said.err == ""


def test_the_command_after_it_has_forgotten(noflat, capsys):
    run(["show", "it.yaml"])
    run(["show", "lenet5"])
    assert capsys.readouterr().err == noflat


def test_a_sweep_past_a_default_that_is_impossible_says_nothing_of_it(spec, capsys):
    spec("[3, r, r]", "conv: {channels: 8, kernel: 7}", "flatten", "linear: 10", head="knobs: {r: 3}\n")
    assert run(["sweep", "it.yaml", "r=32,64"]) == 0
    assert capsys.readouterr().err == ""


FLAT = "flatten: {when: not bad}"
BAD = "knobs: {r: 32, bad: false}\npresets: {good: {r: 64}, worse: {bad: true, r: 48}}\n"
AT = "it.yaml:10:5: warning: layer 'linear' (linear) runs along the last axis of (8, {0}, {0}), the {0} positions"


@pytest.mark.parametrize(
    ("command", "side"),
    [
        ("sweep it.yaml bad=true,false r=8,16", 8),
        ("sweep it.yaml bad=true,false r=8,16 -f csv", 8),
        ("sweep it.yaml bad=true,false r=8,16 --histogram macs", 8),
        ("sweep it.yaml --presets good,worse", 48),
        ("sweep it.yaml@bad=true bad=false r=8,16", 0),
        ("sweep it.yaml@worse --presets good", 0),
        ("sweep it.yaml@bad=true --presets good", 64),
        ("sweep it.yaml@bad=true r=16,24,64", 16),
        ("scale it.yaml@bad=true --free r --max macs=100000", 18),  # (216 + 80)·18² = 95,904
        ("scale it.yaml@bad=true --free r --grid r=8,16 --max macs=100000", 8),
    ],
)
def test_sweeps_warn_of_their_points_and_not_of_the_network_as_it_is_set(command, side, spec, capsys):
    spec("[3, r, r]", CONV, FLAT, "linear: 10", head=BAD)
    assert run(command.split()) == 0
    said = [line for line in capsys.readouterr().err.splitlines() if "warning" in line]
    assert [line[: len(AT.format(side))] for line in said] == ([AT.format(side)] if side else [])
    if "-f" not in command.split():
        assert run([*command.split(), "-f", "json"]) == 0
        records = json.loads(capsys.readouterr().out).get("warnings", [])
        assert [record["layer"] for record in records] == ["linear"] * len(said)


def test_a_sweep_in_python_has_them(spec):
    path = spec("[3, r, r]", CONV, FLAT, "linear: 10", head=BAD)
    found = costcalc.sweep(path, bad=[False, True], r=[2, 8, 16])
    assert [str(problem)[: len(AT.format(2))] for problem in found.warnings] == [AT.format(2)]
    assert [record["layer"] for record in found.to_dict()["warnings"]] == ["linear"]
    assert "warning: layer &#x27;linear&#x27; (linear) runs along" in found._repr_html_()
    assert costcalc.sweep(path, r=[8, 16]).warnings == ()
    assert [problem.layer for problem in costcalc.sweep_presets(path).warnings] == ["linear"]


def test_many_are_cut(spec, capsys):
    layers = [f"linear: {{name: l{i}, features: 32, from: c{i}}}" for i in range(22)]
    convs = [f"conv: {{name: c{i}, channels: 8, kernel: 1, from: input}}" for i in range(22)]
    spec("[3, 32, 32]", *convs, *layers)
    assert run(["show", "it.yaml"]) == 0
    *said, last = capsys.readouterr().err.splitlines()
    assert len(said) == 20
    assert last == "and 2 more warnings; `costcalc validate` says all of a file"


def test_show_walks_once(noflat, monkeypatch):
    walks = []
    monkeypatch.setattr(cost, "walk", lambda graph, walk=cost.walk: walks.append(graph) or walk(graph))
    assert run(["show", "it.yaml"]) == 0
    assert len(walks) == 1


def test_python_and_notebooks_have_it(noflat):
    found = costcalc.load("it.yaml").cost()
    assert [str(problem) + "\n" for problem in found.warnings] == [noflat]
    assert costcalc.load("it.yaml").warnings == found.warnings
    assert "warning: layer &#x27;linear&#x27; (linear) runs along" in found._repr_html_()
    assert ", 1 in warnings>" in repr(found)
    assert [record["layer"] for record in found.to_dict()["warnings"]] == ["linear"]


RESULTS = {
    "compare": lambda path: costcalc.compare(path, "lenet5"),
    "formula": costcalc.formula,
    "reconcile": costcalc.reconcile,
    "next_steps": costcalc.next_steps,
    "scale": lambda path: costcalc.scale(path, "r", macs=241_664),
    "sweep": lambda path: costcalc.sweep(path, r=[32]),
}


@pytest.mark.parametrize("name", RESULTS)
def test_every_result_in_python_has_it(name, noflat):
    found = RESULTS[name]("it.yaml")
    assert [str(problem) + "\n" for problem in found.warnings] == [noflat]
    (record,) = found.to_dict()["warnings"]
    assert (record["target"], record["layer"]) == ("it.yaml", "linear")
    assert found._repr_html_().count("warning: layer &#x27;linear&#x27; (linear) runs along") == 1


def test_other_processes_are_not_sent_the_layers():
    net = costcalc.load("resnet50")
    before = len(pickle.dumps(net))
    assert net.cost().warnings == net.warnings == ()
    assert len(pickle.dumps(net)) == before


def test_validate_warns_and_strictly_exits_with_1(noflat, capsys):
    assert [str(problem) + "\n" for problem in costcalc.validate("it.yaml")] == [noflat]
    assert run(["validate", "it.yaml"]) == 0
    assert capsys.readouterr() == ("it.yaml: ok (4 layers, 394 params, 241,664 MACs)\n", noflat)
    assert run(["validate", "--strict", "it.yaml"]) == 1
    assert capsys.readouterr() == ("", noflat.replace("warning:", "error:"))
    assert run(["validate", "--strict", "it.yaml", "-f", "json"]) == 1
    document = json.loads(capsys.readouterr().out)
    (file,) = document["files"]
    assert (document["ok"], file["ok"], file["summary"]) == (False, False, "")
    assert [problem["level"] for problem in file["problems"]] == ["error"]
    assert run(["validate", "--strict", "nowhere.yaml", "it.yaml"]) == 2


def test_validate_looks_at_presets_too(spec):
    head = "knobs: {r: 32, flat: {default: true}}\npresets: {first: {flat: false}, second: {flat: false, r: 64}}\n"
    path = spec("[3, r, r]", CONV, "flatten: {when: flat}", "linear: 10", head=head)
    (problem,) = costcalc.validate(path)
    assert problem.message.startswith("preset first: layer 'linear' (linear) runs along the last axis of (8, 32, 32)")
    assert validate_file(path).ok


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ("linear: {features: 10, meant: 1}", "7:35: meant is true or false"),
        ("unit: {meant: true}", "7:12: meant goes with an op, not a block; say it of the layer inside"),
        (
            "group: {layers: [relu], meant: true}",
            "7:29: unknown key in group 'meant'; meant goes with an op; say it of the layer inside",
        ),
    ],
)
def test_meant_is_a_flag_of_an_op(layer, message, spec):
    path = spec("[3, 32, 32]", layer, head="blocks: {unit: [relu]}\n")
    errors = [str(problem).removeprefix(f"{path}:") for problem in costcalc.validate(path) if not problem.warning]
    assert errors == [message]
