"""The command line without a process of its own: the same roads as in test_cli.py, seen by the coverage report."""

import re
import sys

import pytest
from support import needed
from support.terminals import ROOT

import costcalc
from costcalc import report
from costcalc.cli import app
from costcalc.report import terminal
from costcalc.table import Column, Table


def run(capsys, *words):
    code = app.run(list(words))
    printed = capsys.readouterr()
    return code, printed.out, printed.err


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("--version", f"costcalc {costcalc.__version__}"), ("", r"Usage: costcalc \[OPTIONS\] COMMAND .*"),
        ("list", r"conv1x1 +spec +5 +A 1×1 convolution.*"), ("show conv1x1", r"conv +conv +28×28×192 .* 4,816,896 .*"),
        ("show conv1x1 --depth 1 -f json", '    "macs": 4816896,'),
        ("show conv1x1 --set batch=2", r"total +6,144 +9,633,792 .*"),
        ("compare conv_normal conv_depthwise_separable -f json", r'  "costcalc_version": ".*",'),
        ("explain conv1x1 --set batch=2 -f markdown", r"\| conv \| MACs \| .*2·.* \| 9,633,792 \|"),
        ("reconcile lenet5 -f latex", r"lenet5: params & 60K & 62K & 61,706 & .*"),
        ("show conv1x1 -f mermaid", r'    n1 -->\|"28×28×192"\| n2'),
        ("show conv1x1 -f dot", r'    n1 -> n2 \[label="28×28×192"\];'),
        ("schema", '  "title": ".*",'), ("show --max-layers 10 conv1x1", r"total +6,144 +4,816,896 .*"),
        ("formula conv1x1 --set r=28", r"conv +784·batch·c_in·c_out"),
        ("validate specs/conv1x1.yaml", r"specs/conv1x1\.yaml: ok .*"),
    ],
)  # fmt: skip
def test_commands(capsys, monkeypatch, words, line):
    """Each prints, among others, a line with what was asked for."""
    monkeypatch.chdir(ROOT)
    code, out, err = run(capsys, *words.split())
    assert (code, err) == (0, "")
    assert re.search(rf"^{line}$", out, re.MULTILINE), out


@pytest.mark.parametrize(
    "words", ["shw", "conv1x1", "zzz", "--vesion", "show conv1x1 --depth 0", "show", "show a b", "list -f x"]
)
def test_bad_input(capsys, words):
    code, out, err = run(capsys, *words.split())
    assert (code, out) == (2, "")
    assert err.startswith("error: ")


def test_a_file_and_a_missing_folder(capsys, tmp_path):
    assert run(capsys, "show", "conv1x1", "-o", str(tmp_path / "a.csv")) == (0, "", "")
    assert (tmp_path / "a.csv").read_text().startswith("name,op,")
    assert run(capsys, "show", "conv1x1", "-o", str(tmp_path / "b" / "a.csv"))[0] == 3


def test_a_reader_who_leaves(capsys, monkeypatch):
    def leave(_):
        raise BrokenPipeError

    monkeypatch.setattr(app, "_invoke", leave)
    monkeypatch.setattr(app, "discard_output", lambda code: code)
    assert run(capsys, "list")[0] == 0


def test_colours_without_a_terminal(capsys, monkeypatch):
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    code, out, err = run(capsys, "show", "conv1x1")
    assert (code, err) == (0, "")
    assert "\x1b[1mconv1x1: " in out
    assert "6,144" in out


def test_no_stdout_at_all(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    assert not terminal.is_used()
    with pytest.raises(OSError, match="standard output is closed"):
        report.put("text")


def test_a_table_in_pandas():
    pandas = needed.module("pandas", "pandas")
    table = Table("", (Column("name", "layer", "text"), Column("macs", "MACs")), [{"name": "conv", "macs": 2**70}])
    assert isinstance(table.to_pandas(), pandas.DataFrame)
    assert table.to_pandas()["macs"][0] == 2**70
    assert table.to_records() == [{"name": "conv", "macs": 2**70}]


def test_help_names_what_is_given(capsys):
    """No `<int range>`, no `<str>`, no name of a parameter of ours."""
    for command in app.COMMANDS:
        _, out, _ = run(capsys, command.__name__.rstrip("_"), "--help")
        usage, options = out.split("\n\n")[0], out.partition("Options:")[2]
        assert not re.search(r"<\w+|targets|…", usage)
        assert not re.search(r"<\w+", options)
