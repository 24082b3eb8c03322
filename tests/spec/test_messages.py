"""T10: broken specs and exactly what is said about them, all at once. Each file in broken/ ends in its messages."""

import json
import os
import re
import subprocess
import sys

import pytest
from support.paths import DATA

import costcalc
from costcalc.analysis.validate import validate_file

FOLDER = DATA / "broken"
BROKEN = sorted(FOLDER.glob("*.yaml"))
GOOD = "name: good\ntitle: t\nsource: s\ninput: [3, 8, 8]\nlayers:\n  - conv: {channels: 4, kernel: 3}\n"
USELESS = """\
name: useless
title: t
source: s
knobs:
  r: {default: 8, about: resolution}
  w: {default: 1, kind: real}
presets:
  resnet50: {r: 12}
  same: {about: nothing}
sizes:
  c: 2*r
  b: 4
inputs: {image: [3, r, r], text: [3]}
blocks:
  used(a, b=1): [linear: a]
  never: [relu]
layers:
  - used: {a: b, from: image}
"""


def run(*arguments):
    return subprocess.run([sys.executable, "-m", "costcalc", "validate", *map(str, arguments)], capture_output=True,
                          text=True, timeout=300, check=False)  # fmt: skip


def test_there_are_thirty():
    assert len(BROKEN) >= 30
    assert sum("layer" in path.read_text(encoding="utf-8") for path in BROKEN) >= 30


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_t10_the_messages_are_those_in_the_file(path):
    expected = [line[3:] for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#> ")]
    assert [str(problem).removeprefix(f"{path}:") for problem in costcalc.validate(path)] == expected
    assert expected


def test_t10_the_command_says_them_all_and_exits_with_2(tmp_path):
    good = tmp_path / "good.yaml"
    good.write_text(GOOD)
    ran = run(*BROKEN, good, tmp_path / "nowhere.yaml", tmp_path)
    problems = [str(problem) for path in BROKEN for problem in costcalc.validate(path)]
    assert ran.returncode == 2
    assert ran.stdout == f"{good}: ok (1 layer, 112 params, 3,888 MACs)\n"
    *said, missing, folder = ran.stderr.splitlines()
    assert said == problems
    assert missing == f"{tmp_path}/nowhere.yaml:1:1: cannot be read: there is no such file or folder"
    assert folder == f"{tmp_path}:1:1: cannot be read: it is a folder"


def test_a_spec_without_fault_is_ok(tmp_path):
    path = tmp_path / "good.yaml"
    path.write_text(GOOD)
    assert [*costcalc.validate(path)] == []
    ran = run(path)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_what_is_never_used_is_a_warning(tmp_path):
    path = tmp_path / "useless.yaml"
    path.write_text(USELESS)
    hint = "`costcalc show NAME` means that one; give yours another name, or use its path"
    warnings = [
        "6:3: warning: knob 'w' changes nothing; no expression reads it",
        f"8:3: warning: the library has a 'resnet50' too; {hint}",
        "9:3: warning: preset 'same' sets nothing",
        "11:6: warning: size 'c' is never read",
        "15:3: warning: block 'used' never reads its parameter 'b'",
        "16:3: warning: block 'never' is never used",
        "18:5: warning: input 'text' is never read; from: text reads it",
    ]
    ran = run(path)
    assert ran.stderr.splitlines() == [f"{path}:{warning}" for warning in warnings]
    assert (ran.returncode, ran.stdout) == (0, f"{path}: ok (1 layer, 36 params, 768 MACs)\n")
    assert all(problem.warning for problem in costcalc.validate(path))


def test_a_copy_of_a_spec_of_the_library_shadows_it(tmp_path):
    path = tmp_path / "vgg.yaml"
    path.write_text(GOOD.replace("good", "vgg"))
    (problem,) = costcalc.validate(path)
    assert str(problem).startswith(f"{path}:1:1: warning: the library has a 'vgg' too; ")


def test_every_spec_of_the_library_is_valid():
    from costcalc.spec.library import library_folder

    for path in library_folder().glob("*.yaml"):
        checked = validate_file(str(path))
        assert checked.problems == ()
        assert checked.line.startswith(f"{path}: ok (")


def test_a_hundred_problems_are_enough(tmp_path):
    path = tmp_path / "many.yaml"
    path.write_text(GOOD.replace("good", "many") + "  - rleu\n" * 1000)
    problems = costcalc.validate(path).problems
    assert len(problems) == 101
    assert str(problems[-1]) == "here checking stopped, after 100 problems; fix these first"
    wrong = [f"  - conv: {{name: a{i}, channels: 3, kernel: 9, from: input}}\n" for i in range(999)]
    path.write_text(GOOD.replace("good", "many") + "".join(wrong))
    assert len(costcalc.validate(path)) == 101


def test_published_blocks_are_looked_for_in_the_network_they_are_of(tmp_path):
    path = tmp_path / "good.yaml"
    figures = (
        "published:\n"
        "  - {metric: params, value: 112, block: conv, source: s}\n"
        "  - {metric: params, value: 112, block: body.relu, source: s}\n"
        "  - {metric: params, value: 112, block: body, at: {batch: 3}, source: s}\n"
        "  - {metric: params, value: 112, block: bdoy, at: {batch: 3}, source: s}\n"
    )
    path.write_text(GOOD + "  - repeat: {name: body, times: 2, layers: [relu]}\n" + figures)
    assert [str(problem) for problem in costcalc.validate(path)] == [
        f"{path}:12:5: there is no block 'bdoy'; did you mean 'body'?"
    ]


def test_a_preset_that_fails_is_named_and_the_others_go_on(tmp_path):
    path = tmp_path / "good.yaml"
    head = "knobs: {r: 8}\npresets: {small: {r: 2}, tiny: {r: 1}, large: {r: 99}}\n"
    path.write_text(GOOD.replace("input: [3, 8, 8]", f"{head}input: [3, r, r]"))
    assert [str(problem).removeprefix(f"{path}:") for problem in costcalc.validate(path)] == [
        "8:5: preset small: layer 'conv' (conv): a window of 3 does not fit into 2",
        "8:5: preset tiny: layer 'conv' (conv): a window of 3 does not fit into 1",
    ]
    assert validate_file(str(path)).line == ""


def test_a_broken_library_is_a_problem_of_its_own(tmp_path, monkeypatch):
    def broken():
        raise costcalc.SpecError([])

    monkeypatch.setattr("costcalc.spec.spec_warnings.entries", broken)
    path = tmp_path / "vgg.yaml"
    path.write_text(GOOD.replace("good", "vgg"))
    assert [*costcalc.validate(path)] == []


def test_the_command_in_this_process(tmp_path, capsys):
    from costcalc.cli import run as command

    path = tmp_path / "good.yaml"
    path.write_text(GOOD)
    assert command(["validate", str(path)]) == 0
    assert command(["validate", str(path), str(BROKEN[0])]) == 2
    assert command(["validate", str(path), "--max-bytes", "10"]) == 2
    assert command(["schema"]) == 0
    said = capsys.readouterr()
    assert said.out.count(": ok (1 layer, ") == 2
    assert f"{path}:1:1: more than 10 bytes; raise the limit with --max-bytes" in said.err


def test_a_file_that_cannot_be_read_is_a_problem(tmp_path):
    assert [str(problem) for problem in costcalc.validate("a\0b")] == ["a\0b:1:1: cannot be read: not a path"]


SLIPS = [  # where, and what is written there instead
    (r"(?<=- )(conv|relu6?|batch_norm|linear|max_pool|add)(?=[:\n])", r"x\1"),
    (r"(?<=[{ ])(name|from|kernel|channels|times|stride|padding|when)(?=:)", r"x\1"),
    (r"(?<=name: )\w+(?=,)", r"a-b"),
    (r"(?<=^  )\w+(?=: .*round_to)", r"x\g<0>"),
    (r"(?<=channels: )(\w+)(?=[,}])", r"x\1"),
    (r"(?<=kernel: )\d+", "0"),
    (r"(?<=times: )\w+", "-1"),
]


@pytest.mark.no_cover
@pytest.mark.parametrize("name", ["googlenet", "resnet", "efficientnet", "mobilenet_v2", "alexnet", "inception_module"])
def test_one_slip_makes_one_message(name, tmp_path):
    """What follows from an error is no error of its own."""
    from costcalc.spec.library import library_folder

    text = (library_folder() / f"{name}.yaml").read_text(encoding="utf-8").partition("\npublished:")[0]
    path = tmp_path / f"{name}.yaml"
    for slip, instead in SLIPS:
        found = [*re.finditer(slip, text, re.MULTILINE)]
        for match in found[:: len(found) // 4 + 1]:
            path.write_text(text[: match.start()] + match.expand(instead) + text[match.end() :], encoding="utf-8")
            problems = [problem for problem in costcalc.validate(path) if not problem.warning]
            in_text = "#" in text[: match.start()].split("\n")[-1] or "unknown name" in str(problems)  # a name has uses
            assert len({problem.place for problem in problems}) <= 1 or in_text, (match[0], [*map(str, problems)])


def test_what_is_wrong_is_looked_for_behind_switches_and_in_blocks_nobody_calls(tmp_path):
    path = tmp_path / "good.yaml"
    blocks = "blocks:\n  never(k): [conv: {channels: 0, kernel: k}]\nlayers:\n  - relu: {when: false}\n"
    text = GOOD.replace("layers:\n", f"{blocks}  - linear: {{features: 7/2, when: batch > 9}}\n")
    path.write_text(text)
    assert [str(problem).removeprefix(f"{path}:") for problem in costcalc.validate(path)] == [
        "6:31: conv: channels must be a whole number from 1 to 2^31, got 0",
        "9:24: 7/2 = 3.5 is not a whole number; linear: features must come out whole: choose other knobs or round it",
    ]


@pytest.mark.parametrize("name", ["resnet50", "resnet"])
def test_a_name_is_that_of_the_librarys_spec(name):
    ran = run(name)
    assert ran.returncode == 0
    assert "resnet.yaml: ok (" in ran.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="pipes")
def test_a_pipe_that_nobody_writes_is_refused_and_stdin_is_read(tmp_path):
    path = tmp_path / "pipe.yaml"
    os.mkfifo(path)
    ran = run(path)
    assert (ran.returncode, ran.stderr) == (2, f"{path}:1:1: cannot be read: it is a pipe or a device, not a file\n")
    command = [sys.executable, "-m", "costcalc", "show", "/dev/stdin"]
    ran = subprocess.run(command, input=GOOD, capture_output=True, text=True, timeout=300, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    ran = subprocess.run([*command[:3], "show", str(path)], capture_output=True, text=True, timeout=300, check=False)
    assert (ran.returncode, ran.stderr) == (2, f"error: cannot read '{path}': it is a pipe or a device, not a file\n")


def test_problems_as_records(tmp_path, capsys):
    from costcalc.cli import run as command

    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(GOOD)
    bad.write_text(GOOD.replace("good", "bad").replace("kernel", "kernle"))
    assert command(["validate", str(good), str(bad), "--format", "json"]) == 2
    said = capsys.readouterr()
    document = json.loads(said.out)
    assert (said.err, document["ok"]) == ("", False)
    assert document["files"][0] == {
        "file": str(good), "ok": True, "summary": "ok (1 layer, 112 params, 3,888 MACs)", "problems": [],
    }  # fmt: skip
    assert document["files"][1]["problems"] == [
        {"file": str(bad), "line": 6, "column": 25, "level": "error", "message": "unknown key in conv 'kernle'",
         "hint": "did you mean 'kernel'? conv has channels, kernel, stride, padding, dilation, groups, bias"},
    ]  # fmt: skip
    assert command(["validate", str(bad), "--format", "csv"]) == 2
    assert capsys.readouterr().out.startswith("file,line,column,level,message,hint\n")


@pytest.mark.parametrize("words", ["show", "explain", "compare ./good.yaml", "reconcile", "formula"])
def test_every_command_that_reads_a_file_takes_its_limit(words, tmp_path, capsys, monkeypatch):
    from costcalc.cli import run as command

    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.yaml").write_text(GOOD)
    assert command([*words.split(), "./good.yaml", "--max-bytes", "10"]) == 2
    assert "more than 10 bytes" in capsys.readouterr().err


def test_presets_of_a_spec_without_knobs_that_can_be_read(tmp_path):
    path = tmp_path / "good.yaml"
    path.write_text(GOOD.replace("input: [3, 8, 8]", "knobs: [r]\npresets: {small: {r: 4}}\ninput: [3, r, r]"))
    assert [str(problem).removeprefix(f"{path}:") for problem in costcalc.validate(path)] == [
        "4:8: knobs is a mapping, key: value; see `costcalc help specs`"
    ]
