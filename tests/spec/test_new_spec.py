"""`costcalc new`: each spec and preset under a new name is the same network, and a file is never overwritten."""

import pytest

import costcalc
from costcalc.cli.app import run
from costcalc.errors import UsageError
from costcalc.spec.library import entries
from costcalc.spec.new_spec import new_spec


@pytest.mark.parametrize("name", [entry.name for entry in entries()])
def test_it_is_the_same_network(name):
    made, model = costcalc.load(new_spec("mine", name)), costcalc.load(name)
    assert made.values == model.values
    assert (made.name, made.macs, made.params) == ("mine", model.macs, model.params)
    assert not made.presets and not made.published


def test_the_small_one_has_no_warning():
    text = new_spec("mine")
    assert text.startswith("# yaml-language-server: $schema=costcalc.schema.json\n")
    net = costcalc.load(text)
    assert not net.warnings and {*net.knobs} == {"r", "c", "classes", "batch"}
    assert net.macs == 6_340_928


def test_knobs_that_are_set_are_the_defaults():
    assert (
        costcalc.load(new_spec("mine", "mobilenet_v1@w=0.5,r=160")).macs
        == costcalc.load("mobilenet_v1@w=0.5,r=160").macs
    )
    with pytest.raises(UsageError, match="'my net' is no name"):
        new_spec("my net")


def test_the_command_writes_a_file_once(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(["new", "mine", "--like", "resnet18"]) == 0
    written = (tmp_path / "mine.yaml").read_bytes()
    assert run(["new", "mine"]) == 2
    assert "there is a file 'mine.yaml' already" in capsys.readouterr().err
    assert (tmp_path / "mine.yaml").read_bytes() == written
    assert run(["new", "mine", "--like", "resnet51"]) == 2
    assert run(["new", "other", "-o", "-"]) == 0
    assert "name: other\n" in capsys.readouterr().out
