"""Shells are told how a line may go on: as a shell asks, by environment variables, and in real shells."""

import os
import shutil
import stat
import subprocess
import sys

import pytest
import typer
from support.terminals import PLAIN, ROOT, piped

from costcalc.analysis.metrics import METRICS
from costcalc.cli import app, completed_values, completion, shell_scripts
from costcalc.errors import CostcalcError

BREAKS = " \t\n\"'@><=;|&(:"  # bash's, as it comes


def group_of(word):
    return typer.main.get_command(app._only(word))


def asked(line, shell="fish", **more):
    """The words that a shell is told, without what they mean."""
    told = completion.answer({completion.COMPLETE: shell, completion.LINE: f"costcalc {line}", **more}, group_of)
    return [row.partition("\t")[0] for row in told.splitlines()]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("sho", ["show"]), ("runs l", ["list"]), ("runs export x.csv -f ", ["csv", "json", "parquet"]),
        ("show lenet5", ["lenet5", "lenet5_1998"]), ("show torchv", ["torchvision:"]),
        ("show resnet50@sh", ["resnet50@shortcut="]),
        ("show resnet@plain3", ["resnet@plain34"]),
        ("show resnet@shortcut=", [f"resnet@shortcut={way}" for way in ("projection", "zero_pad", "none")]),
        ("show resnet@r=1,conv_bias=", ["resnet@r=1,conv_bias=true", "resnet@r=1,conv_bias=false"]),
        ("show resnet@plain34,conv_", ["resnet@plain34,conv_bias="]),
        ("show resnet50@r=160,r", []),
        ("show lenet5 --columns name,ma", ["name,macs", "name,macs_on_input"]),
        ("show lenet5 --columns=macs,ma", ["--columns=macs,macs_on_input"]),
        ("show lenet5 --set bat", ["batch="]), ("show lenet5 -f la", ["latex"]), ("show lenet5 -f do", ["dot"]),
        ("memory lenet5 -f do", []), ("check -f gi", ["github"]),
        ("export lenet5 -f ", ["yaml", "mermaid", "dot", "onnx"]),
        ("show lenet5 --units M,Mi", ["M,MiB"]), ("show lenet5 --dtype mi", ["mixed"]),
        ("show lenet5 --dtype weights=int8,", ["weights=int8,activations="]),
        ("show lenet5 --optimizer ada", ["adam", "adamw"]), ("time lenet5 --device cu", ["cuda", "cuda:0"]),
        ("compare resnet50 vgg16 --baseline ", ["resnet50", "vgg16"]),
        ("compare a b --by macs,peak", ["macs,peak_bytes"]),
        ("sweep efficientnet w=1.6,1.8,1.", ["w=1.6,1.8,1.1", "w=1.6,1.8,1.2", "w=1.6,1.8,1.4"]),
        ("sweep mobilenet_v1 r=1 --by -par", ["-params"]),
        ("sweep efficientnet --presets efficientnet_b0,a", ["efficientnet_b0,all"]),
        ("sweep lenet5 --where 'macs <= 4e6 and bat", ["macs <= 4e6 and batch"]), ("scale lenet5 --free ba", ["batch"]),
        ("check lenet5 --max peak", ["peak_bytes="]), ("formula lenet5 -m train_m", ["train_macs"]),
        ("reconcile augment:alexnet_", ["augment:alexnet_test"]), ("augment alexnet@cr", ["alexnet@crop="]),
        ("augment --step lenet5@ba", ["lenet5@batch="]),
        ("help exi", ["exit-codes"]), ("ops conv2", ["conv2d"]), ("new mine --like lenet5_", ["lenet5_1998"]),
        ("lecture 1", ["1", "10", "11", "12"]), ("show --dep", ["--depth"]), ("--ver", ["--version"]),
        ("--ops own.py show lenet5 --unr", ["--unroll"]), ("'sho", ["show"]),
    ],
)  # fmt: skip
def test_words_are_completed(line, words):
    assert asked(line) == words


def test_all_names_are_offered_with_what_they_mean():
    told = completion.answer({completion.COMPLETE: "zsh", completion.WORDS: "costcalc\nshow\nresnet@"}, group_of)
    assert "resnet@r=\tinput resolution in pixels\n" in told
    assert "resnet@resnet50\t50 layers\n" in told
    assert set(METRICS) < set(asked("show lenet5 --columns "))
    assert {"show", "check", "runs"} < set(asked(""))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("show resnet@blo", ["block="]), ("show resnet@block=ba", ["basic"]), ("show resnet@r=1,blo", ["1,block="]),
        ("check lenet5 --max=peak", ["peak_bytes="]), ("reconcile augment:alexnet_t", ["alexnet_test"]),
        ("show lenet5 --columns name,par", ["name,params"]), ("show 'resnet@blo", ["resnet@block="]),
    ],
)  # fmt: skip
def test_bash_gets_what_stands_behind_its_own_breaks(line, words):
    assert asked(line, "bash", **{completion.BREAKS: BREAKS}) == words


@pytest.mark.parametrize(
    "line",
    [
        "nosuch ", "show nosuch@", "show /dev/null@", "show a@b@", "show resnet@r=,=", "show \\", "show -- -",
        "show -o ", "runs no ", "show lenet5 lenet5 ", "show --no ", "show --columns=,,", "sweep lenet5 =", "sweep x =",
        "show ../../../../etc/passwd@", "show \x00@", "--ops ", "show lenet5 --dtype ,=,", f"show {'x' * 10_000}@",
    ],
)  # fmt: skip
def test_no_line_is_an_error(line):
    words, text, _ = completion._words({completion.LINE: f"costcalc {line}"})
    list(completion.candidates(words, text, group_of))  # in which nothing is suppressed


def test_an_environment_that_is_not_a_shells_is_no_error():
    for line in ({}, {completion.LINE: ""}, {completion.LINE: "costcalc show \"x'"}, {completion.WORDS: ""}):
        assert completion.answer({completion.COMPLETE: "bash", **line}, group_of) == ""


FREE = {  # values that costcalc cannot list: numbers, texts, files, and names of layers
    "--depth", "--freeze", "--checkpoint", "--input", "--assume-free", "--batch", "--output", "--caption", "--label",
    "--max-layers", "--max-bytes", "--store", "--assume", "--top", "--plot", "--report", "--workers", "--scheduler",
    "--alpha", "--beta", "--gamma", "--against", "--config", "--within", "--classes", "--images", "--epochs", "--views",
    "--head", "--freeze-until", "--rank", "--adapt", "--disk", "--rate", "--disk-rate", "--figure", "--threads",
    "--timeout", "--width", "--roofline",
}  # fmt: skip


def test_each_option_has_words_or_is_known_to_have_none():
    group = typer.main.get_command(app.app)
    commands = [*group.commands.values(), *group.commands["runs"].commands.values()]
    there = {option for command in commands for option in completion._with_values(command).values()}
    listed = {name for name in completed_values.SOURCES if name.startswith("--")}
    assert there == listed | FREE
    assert not listed & FREE


def test_a_completion_imports_nothing_heavy():
    code = """
import sys
from costcalc.cli import run
run([])
heavy = {"torch", "numpy", "sympy", "networkx", "rich", "matplotlib", "onnx", "pydantic", "asyncio", "pandas"}
print(sorted(heavy & {*sys.modules}), file=sys.stderr)
"""
    env = {**PLAIN, "PYTHONPATH": ROOT, completion.COMPLETE: "fish", completion.LINE: "costcalc show resnet@block="}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env)
    assert (done.stdout, done.stderr) == ("resnet@block=basic\t\nresnet@block=bottleneck\t\n", "[]\n")


# --- real shells ------------------------------------------------------------------------------------------------------


@pytest.fixture
def command(tmp_path):
    """`costcalc` among the commands of a shell whose home is an empty folder."""
    path = tmp_path / "bin" / "costcalc"
    path.parent.mkdir()
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m costcalc "$@"\n')
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return {
        **PLAIN,
        "PYTHONPATH": ROOT,
        "HOME": str(tmp_path),
        "PATH": f"{path.parent}{os.pathsep}{os.environ['PATH']}",
    }


def test_a_real_bash_is_answered(command):
    code = r"""
eval "$(costcalc --show-completion bash)"
ask() {
    COMP_LINE="$1"; COMP_POINT=${#1}; _costcalc_completion costcalc; echo "${COMPREPLY[*]}"
}
ask 'costcalc show resnet@blo'; ask 'costcalc show lenet5 --columns name,macs_'; complete -p costcalc
"""
    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, env=command)
    expected = "complete -o bashdefault -o default -F _costcalc_completion costcalc"
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["block=", "name,macs_on_input", expected]


@pytest.mark.skipif(not shutil.which("fish"), reason="no fish is here")
def test_a_real_fish_is_answered(command):
    code = "costcalc --show-completion fish | source; complete -C 'costcalc show resnet@blo'"
    done = subprocess.run(["fish", "-N", "-c", code], capture_output=True, text=True, env=command)
    assert done.stdout.startswith("resnet@block=\ttwo 3×3 convolutions")


@pytest.mark.skipif(not shutil.which("zsh"), reason="no zsh is here")
def test_a_real_zsh_reads_the_script(command):
    code = 'eval "$(costcalc --show-completion zsh)"; echo $_comps[costcalc]'
    done = subprocess.run(["zsh", "-f", "-c", code], capture_output=True, text=True, env=command)
    assert (done.stdout, done.stderr) == ("_costcalc_completion\n", "")


# --- switching it on --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shell", shell_scripts.PLACES)
def test_it_is_installed_once(shell, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    at, own, line = shell_scripts.PLACES[shell]
    if own:
        (tmp_path / own).write_bytes(b"alias l=ls # \xff")
    for _ in range(2):
        assert str(tmp_path / at) in shell_scripts.answer([shell_scripts.INSTALL, shell])
    assert (tmp_path / at).read_text(encoding="utf-8") == shell_scripts.script(shell)
    if own:
        assert (tmp_path / own).read_bytes() == b"alias l=ls # \xff\n" + line.encode() + b"\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--show-completion", "tcsh"], "unknown shell 'tcsh'; known: bash, fish, powershell, pwsh, zsh"),
        (["--show-completion=bash", "zsh"], "--show-completion takes the name of one shell: bash, zsh, fish"),
        (["--install-completion", "pwsh"], "add to $PROFILE: costcalc --show-completion pwsh | Out-String"),
    ],
)  # fmt: skip
def test_a_shell_that_is_not_known(words, message):
    with pytest.raises(CostcalcError) as caught:
        shell_scripts.answer(words)
    assert str(caught.value).startswith(message)


def test_the_command_line_asks_for_scripts():
    assert piped("--show-completion", "zsh").stdout.decode() == shell_scripts.ZSH
    assert piped("--show-completion", "tcsh").returncode == 2
    assert piped("-q", "--show-completion=bash").stdout.decode() == shell_scripts.BASH
