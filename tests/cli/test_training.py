"""Training on the command line: --train, memory, freeze."""

import json
import shlex

import pytest
from support import needed

import costcalc
from costcalc.cli.app import run


def printed(capsys, line):
    assert run(shlex.split(line)) == 0
    return capsys.readouterr().out


def test_show_and_compare_add_up(capsys):
    lines = printed(capsys, "show lenet5 --train -f csv").splitlines()
    keys, *rows = [line.split(",") for line in lines]
    assert keys[-5:] == ["macs", "input_gradient_macs", "weight_gradient_macs", "update_operations", "saved_bytes"]
    cost = costcalc.load("lenet5").cost()
    for key in keys[-5:]:
        assert sum(int(row[keys.index(key)]) for row in rows) == cost.total(key)
    lines = printed(capsys, "compare lenet5 alexnet --train --optimizer adam -f csv").splitlines()
    assert lines[0] == "target,params,trainable_params,macs,train_macs,saved_bytes,train_peak_bytes"
    assert "where the train MACs are" in printed(capsys, "compare vgg16 vgg16@freeze=conv4 --train")
    assert "where the params are" in printed(capsys, "compare vgg16 vgg11 --train --by params")


def test_memory_says_how_it_is_trained(capsys):
    found = json.loads(printed(capsys, "memory resnet18 --train --optimizer adam --freeze conv1,conv2_x -f json"))
    assert found["training"] == {
        "optimizer": "adam", "freeze": ["conv1", "conv2_x"], "freeze_statistics": False, "checkpoint": [],
    }  # fmt: skip
    assert found["bytes"] == sum(found["parts"].values())
    text = printed(capsys, "memory resnet18 --train --optimizer adam --within 2GB")
    assert "training: adam" in text
    assert "training" not in json.loads(printed(capsys, "memory resnet18 -f json"))


def test_what_fits_is_the_largest():
    found = costcalc.memory("resnet18", train=True, within="2GB")
    fits, more = (costcalc.memory(f"resnet18@batch={found.value + i}", train=True).bytes for i in range(2))
    assert fits <= 2 * 10**9 < more
    assert costcalc.memory("mobilenet_v2", within="100MB", free="r").knob == "r"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("memory resnet18 --train --within 1MB", "no batch up to 100000 of resnet18 keeps this budget"),
        ("memory resnet18 --optimizer adam", "are about a training step; add --train"),
        ("memory resnet18 --free r", "--free says what --within solves for"),
        ("memory lenet5 --within abc", "write --within 24GB"),
        ("show lenet5 --train --freeze conv9", "nothing to freeze is called 'conv9'"),
        ("show lenet5@freeze=conv2.bias --train", "nothing to freeze is called 'conv2.bias'"),
        ("show lenet5 --train --freeze conv2..conv1", "conv2..conv1 runs backwards"),
        ("show lenet5@freeze=fc5 --train", "nothing is left to train"),
        ("show lenet5 --train --optimizer adm", "unknown optimizer 'adm'; did you mean 'adam'?"),
        ("sweep lenet5 freeze=all --report a.html", "freeze is swept in tables alone"),
        ("show lenet5 --train --checkpoint conv9", "no row to checkpoint is called 'conv9'"),
        ("show lenet5 --train --checkpoint auto", "costcalc memory NET --train --checkpoint auto --within 24GB"),
        ("memory lenet5 --train --checkpoint auto", "add --within"),
        ("memory lenet5 --train --checkpoint auto --checkpoint conv1 --within 1MB", "leave out the others"),
        ("memory lenet5 --train --checkpoint auto --within 1MB --free r", "leave out --free"),
        ("memory lenet5 --train --checkpoint auto --within 1000", "no choice of rows keeps this budget"),
        ("memory lenet5 --checkpoint conv1", "are about a training step; add --train"),
        ("memory lenet5 --dtype mixed", "for inference give --dtype bfloat16"),
        ("show lenet5 --dtype activations=mixed", "unknown dtype 'mixed'"),
        ("show lenet5 --optimizer adam", "are about a training step; add --train, or --columns of training"),
        ("compare lenet5 alexnet --checkpoint conv1", "are about a training step; add --train"),
        ("show lenet5 --train --checkpoint ''", "checkpoint has an empty pattern"),
        ("show lenet5 --train --freeze ''", "freeze has an empty pattern"),
        ("show lenet5 --batch 2 --set batch=3", "--set batch stands twice"),
        ("scale lenet5 --free freeze --max macs=1M", "unknown knob 'freeze'"),
    ],
)
def test_what_is_refused(refused, line, message):
    if "--report" in line:
        needed.module("jinja2", "report")
    refused(line, message)


def test_a_step_is_checkpointed_and_mixed(capsys):
    line = "show lenet5 --train --checkpoint conv2,tanh2 --dtype mixed"
    text = printed(capsys, line)
    assert "training: sgd, checkpointed: conv2, tanh2" in text
    assert "in mixed precision" in text
    keys, *rows = [row.split(",") for row in printed(capsys, f"{line} -f csv").splitlines()]
    step = costcalc.TrainStep(checkpoint="conv2,tanh2")
    cost = costcalc.load("lenet5", dtype="mixed").with_step(step).cost()
    for key in ("recomputed_macs", "saved_bytes"):
        assert sum(int(row[keys.index(key)]) for row in rows) == cost.total(key)


def test_batch_is_a_knob_of_a_short_name(capsys):
    for command in ("show lenet5", "show lenet5 --train --optimizer adam --dtype mixed", "memory lenet5 --train"):
        assert printed(capsys, f"{command} --batch 32 -f csv") == printed(capsys, f"{command} --set batch=32 -f csv")
    assert "lenet5@batch=8" in printed(capsys, "compare lenet5 alexnet --batch 8")


def test_rows_are_chosen_for_a_budget(capsys):
    line = "memory resnet18 --set batch=16 --train --checkpoint auto --within 400MB"
    found = json.loads(printed(capsys, f"{line} -f json"))
    assert found["train_peak_bytes"] <= found["within"] == 400_000_000 < found["without"]
    assert found["training"]["checkpoint"] == found["rows"]
    assert "the least of all 256 choices" in printed(capsys, line)


def test_a_page_says_how_it_is_trained(capsys, tmp_path):
    needed.module("jinja2", "report")
    path = tmp_path / "page.html"
    grid = "r=64,128 batch=1,2 --metrics train_macs,saved_bytes"
    printed(capsys, f"sweep resnet18 {grid} --optimizer adam --checkpoint conv2_x --dtype mixed --report {path}")
    assert "training: adam, checkpointed: conv2_x." in path.read_text(encoding="utf-8")


def test_freeze_is_an_axis(capsys, tmp_path):
    line = "sweep lenet5 freeze=all batch=1,2 --metrics train_macs --where 'freeze == \"conv1\"' -f csv"
    assert len(printed(capsys, line).splitlines()) == 3
    needed.module("matplotlib", "report")
    printed(capsys, f"sweep lenet5 freeze=all --metrics train_macs --plot {tmp_path / 'a.svg'}")
    assert (tmp_path / "a.svg").exists()
