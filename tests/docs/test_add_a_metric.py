"""docs/add_a_metric.md is walked: its entry is added to a copy of costcalc, and every command there has the metric."""

import os
import re
import shlex
import shutil
import subprocess
import sys

import pytest
from support.pages import blocks
from support.paths import ROOT

ENTRY, COMMANDS = blocks((ROOT / "docs" / "add_a_metric.md").read_text(encoding="utf-8"), "text")
FIGURES = """
name: figures
title: A network whose written bytes were published
source: made up for this test
input: [1, 4, 4]
layers: [conv: {channels: 2, kernel: 1}]
published:
  - {metric: written_bytes, value: "128", source: by hand}
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("copy")
    for name in ("costcalc", "specs"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    path = folder / "costcalc" / "analysis" / "metrics.py"
    before, found, after = path.read_text(encoding="utf-8").partition("METRICS: dict[str, Metric] = {\n")
    inside, end, rest = after.partition("\n}")
    assert found and end
    path.write_text(f"{before}{found}{inside}\n{ENTRY.rstrip()}{end}{rest}", encoding="utf-8")
    (folder / "figures.yaml").write_text(FIGURES)
    return folder


def run(folder, command):
    environment = {**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "200"}
    words = [sys.executable, "-m", "costcalc", *shlex.split(command)[1:]]
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("command", COMMANDS.strip().splitlines())
def test_every_command_has_the_metric(copy, command):
    code, out, err = run(copy, command)
    assert code == 0, err
    page = copy / "lenet5.html"
    said = page.read_text(encoding="utf-8") if "--report" in command else out
    assert re.search("written[ _]bytes", said)


def test_it_counts_what_it_says(copy):
    assert "written bytes" not in run(ROOT, "costcalc sweep lenet5 batch=2 --metrics macs")[1]
    assert run(copy, "costcalc sweep lenet5 batch=2 --metrics written_bytes,activations -f csv")[1].split() == [
        "batch,written_bytes,activations", "2,116816,29204",
    ]  # fmt: skip
    assert "written_bytes" in run(copy, "costcalc sweep --help")[1]
