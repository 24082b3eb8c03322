"""What Windows has and Linux lacks, by simulation: drive letters, backslashes, CRLF, byte-order marks, code pages."""

import ntpath
import os
import subprocess
import sys

import pytest
from support.terminals import PLAIN, ROOT

from costcalc.cli.app import run
from costcalc.importers.targets import is_import, is_onnx, runs_file
from costcalc.models.knob_texts import labelled, split_target

SPEC = "name: mine\ntitle: mine\nsource: me\ninput: [3, 8, 8]\nlayers:\n  - conv: {channels: 4, kernel: 3}\n"
MARK = b"\xef\xbb\xbf"


@pytest.mark.parametrize(
    ("target", "path", "given"),
    [
        (r"C:\nets\my.yaml", r"C:\nets\my.yaml", ""),
        (r"C:\nets\my.yaml@r=160", r"C:\nets\my.yaml", "r=160"),
        (r"C:\a@b\my.yaml", r"C:\a@b\my.yaml", ""),
        (r"C:\a@b\my.yaml@r=160,w=1/2", r"C:\a@b\my.yaml", "r=160,w=1/2"),
        (r"\\host\share\my.onnx@batch=8", r"\\host\share\my.onnx", "batch=8"),
    ],
)
def test_a_drive_is_part_of_a_path(target, path, given):
    assert split_target(target)[::2] == (path, given)
    assert labelled(target) == target
    assert is_onnx(target) == ("onnx" in target)
    assert not runs_file(target)
    assert ntpath.isabs(path)


def test_a_file_that_runs_is_split_at_the_last_colon(capsys):
    target = r"C:\nets\my.py:make_net"
    assert is_import(target) and runs_file(target)
    assert run(["show", target]) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith(r"error: C:\nets\my.py: no such Python file")


@pytest.mark.parametrize("mark", [b"", MARK])
def test_specs_and_projects_of_a_windows_editor_are_read(mark, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    project = '[tool.costcalc]\ntargets = ["mine.yaml"]\nbudgets = {macs = "1M"}\n'
    for name, text in (("mine.yaml", SPEC), ("pyproject.toml", project)):
        (tmp_path / name).write_bytes(mark + text.replace("\n", "\r\n").encode())
    assert run(["check"]) == 0, capsys.readouterr().err
    assert "3,888" in capsys.readouterr().out


@pytest.mark.parametrize("encoding", ["cp1252", "cp437", "ascii", "cp932"])
def test_files_and_pipes_are_utf_8_with_one_kind_of_newline_on_every_code_page(encoding, tmp_path):
    path = tmp_path / "a.txt"
    env = {**PLAIN, "PYTHONPATH": ROOT, "PYTHONUTF8": "0", "LC_ALL": "C", "PYTHONIOENCODING": encoding}
    words = [sys.executable, "-m", "costcalc", "compare", "inception_naive", "inception_bottleneck"]
    piped = subprocess.run(words, capture_output=True, env=env)
    written = subprocess.run([*words, "-f", "table", "-o", str(path)], capture_output=True, env=env)
    assert (piped.returncode, piped.stderr, written.returncode) == (0, b"", 0)
    assert path.read_bytes() == piped.stdout
    assert "÷9.68" in piped.stdout.decode() and b"\r" not in piped.stdout


def test_every_file_is_opened_with_an_encoding():
    """Without one, Windows reads and writes its own code page."""
    words = ["--preview", "--select", "PLW1514", "--no-cache", "--isolated", os.path.join(ROOT, "costcalc")]
    done = subprocess.run([sys.executable, "-m", "ruff", "check", *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
