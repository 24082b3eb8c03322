"""No command opens a connection: each runs, to its end, where every connection and every look-up of a name fails."""

import json
import os
import subprocess
import sys

import pytest
from support import needed
from support.paths import ROOT, TESTS

from costcalc.cli import app
from costcalc.report import FORMATS

RUN = """
import json, shlex, sys
from costcalc.cli import run
codes = {line: run(shlex.split(line)) for line in json.loads(sys.argv[1])}
print(json.dumps(codes), file=sys.stderr)
"""
PROBE = """
import socket, subprocess, sys
for reach in (lambda: socket.create_connection(("127.0.0.1", 9), 1), lambda: socket.getaddrinfo("localhost", 80),
              lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"", ("127.0.0.1", 9))):
    try:
        reach()
    except PermissionError as error:
        print(error)
sys.stdout.flush()
a, b = socket.socketpair()
if sys.argv[1] != "last":
    sys.exit(subprocess.run([sys.executable, "-c", sys.argv[2], "last"]).returncode)
"""

SHORT = """
from costcalc.torch_backend import measure
measure.QUICK_SECONDS, measure.TURN_SECONDS, measure.LOAD_SECONDS = 0.02, 0.005, 0.01
"""

COUNTS = [
    "list", *(f"list -f {format}" for format in FORMATS if format not in ("mermaid", "dot")),
    "show lenet5", *(f"show lenet5 -f {format}" for format in FORMATS), "show resnet50 --depth 1 -o a.tex",
    "show resnet50 -o b.svg",
    "compare conv_normal conv_depthwise_separable --by macs", "compare conv_normal conv1x1 --algebra",
    "compare lenet5 mobilenet_v1 --break-even r=32:64:1",
    "formula lenet5 --metric params", "formula lenet5 --python", "formula lenet5 --latex",
    "formula lenet5 --elasticity",
    "sweep lenet5 r=28:40:4 -o a.csv", "sweep lenet5 r=28:40:4 --fit", "sweep lenet5 r=28:40:4 --histogram macs",
    "sweep mobilenet_v1 r=32:128:1 w=0.25:1:0.01 --where 'macs > 0' --workers 2 --top 3", "sweep resnet --presets all",
    "scale mobilenet_v2@r=192 --free w --max macs=300M", "memory lenet5 --train --within 1MB",
    "check lenet5 --max macs=1M --max train_peak_bytes=16MB", "check lenet5 --max macs=1M -f github",
    "transfer lenet5 --classes 3 --within 1MB", "transfer lenet5 --classes 3 --rate 100 --disk-rate 1MB -f json",
    "lecture 6", "lecture -f json", "reconcile vgg16 --figure 15237608",
    "augment", "augment alexnet@crop=227 --step alexnet --rate 100 -o a.md",
    "explain lenet5", "info resnet", "info resnet --yaml", "reconcile lenet5", "reconcile augment:alexnet",
    "export lenet5", "export lenet5 -o a.yaml", "export resnet50 -o a.dot",
    "validate specs/lenet5.yaml", "validate specs/augment/lecture.yaml", "ops", "ops conv",
    "schema", "schema --augment", "schema --json", "help", "help terms", "new mine --like resnet50", "new small -o -",
]  # fmt: skip
PICTURES = [
    "sweep lenet5 r=28:40:4 --plot a.svg",
    "sweep lenet5 r=28:40:4 --plot a.png",
    "sweep lenet5 r=28:40:4 --report a.html",
    "show lenet5 -o b.png",
    "show lenet5 -o b.pdf --style volumes",
    "site conv1x1 -o public",
]
TORCH = [
    "devices", "verify lenet5", "transfer lenet5 --classes 3 --images 8 --batch 4 --time --quick --disk-rate 1GB",
    "time conv1x1 --quick --store runs.db", "runs list --store runs.db",
    "runs show 1 --store runs.db", "runs compare 1 1 --force --store runs.db", "runs export runs.csv --store runs.db",
]  # fmt: skip
VISION = ["augment resnet_cifar --time --quick --step lenet5 --rate 100 --workers 1",
          "show hf:config.json@tokens=8 --depth 1"]  # fmt: skip

CONFIG = {"model_type": "gpt2", "n_layer": 1, "n_embd": 8, "n_head": 2, "vocab_size": 10}


def offline(folder, code, *words):
    """What a Python program ended with, in a folder that has the specs; and what connections it tried."""
    log = folder / "tried"
    path = os.pathsep.join(map(str, (TESTS / "support" / "offline", ROOT)))
    env = {
        **os.environ,
        "PYTHONPATH": path,
        "OFFLINE_LOG": str(log),
        "OMP_NUM_THREADS": "1",
        "COSTCALC_STORE": str(folder / "own.db"),
    }
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, env=env, cwd=folder)
    return done, log.read_text() if log.exists() else ""


@pytest.mark.parametrize(
    ("lines", "extra", "modules"),
    [
        (COUNTS, "", ()),
        (PICTURES, "report", ("jinja2", "matplotlib")),
        (TORCH, "torch", ("torch", "psutil")),
        (VISION, "torch,vision,hf", ("torch", "psutil", "torchvision", "transformers")),
    ],
)
def test_no_command_opens_a_connection(tmp_path, lines, extra, modules):
    for name in modules:
        needed.module(name, extra)
    (tmp_path / "specs").symlink_to(ROOT / "specs")
    (tmp_path / "config.json").write_text(json.dumps(CONFIG), encoding="utf-8")
    code = SHORT * ("torch" in modules) + RUN
    done, tried = offline(tmp_path, code, json.dumps(lines))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stderr.splitlines()[-1]) == dict.fromkeys(lines, 0), done.stderr
    assert tried == ""


def test_every_command_is_run_here():
    run = {tuple(line.split()[: 1 + line.startswith("runs ")]) for line in (*COUNTS, *PICTURES, *TORCH)}
    own = [(command.__name__.rstrip("_"),) for command in app.COMMANDS]
    kept = [("runs", command.__name__.rstrip("_")) for command in app.RUNS]
    assert run == {*own, *kept}


def test_connections_do_fail_here_and_in_children(tmp_path):
    done, tried = offline(tmp_path, PROBE, "first", PROBE)
    assert (done.returncode, done.stdout.count("no network here: ")) == (0, 6), done.stderr
    assert tried.count("\n") == 6
