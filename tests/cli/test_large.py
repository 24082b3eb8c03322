"""Networks of very many layers: `show` writes them row by row, in memory and work in proportion to the layers."""

import cProfile
import json
import os
import subprocess
import sys

import pytest
from support.confined import calls
from support.hostile import LAYERS
from support.paths import TESTS
from support.sizes import size

import costcalc
from costcalc.cli.app import run

SIZE = size(10_000, 300_000)
BYTES_PER_LAYER = 2_000

CHILD = """
import os, sys
import costcalc
from costcalc import ops, report
from costcalc.cli.app import run
from support.confined import peak_megabytes

def counted(layers):
    if sys.argv[1] == "graph":
        graph = costcalc.new_graph(name="x")
        costcalc.add(graph, "relu0", ops.Input([3, 8, 8]))
        for i in range(layers):
            costcalc.add(graph, f"relu{i + 1}", ops.ReLU(), f"relu{i}")
        return costcalc.cost(graph)
    items = "  - relu\\n" * layers if sys.argv[1] == "spec" else f"  - repeat: {{times: {layers}, layers: [relu]}}\\n"
    with open("x.yaml", "w") as file:
        file.write("name: x\\ntitle: t\\nsource: s\\ninput: [3, 8, 8]\\nlayers:\\n" + items)
    net = costcalc.load("x.yaml", max_bytes=10**9, max_layers=10**9)
    return net.cost(unrolled=sys.argv[1] == "repeat")

def write(cost):
    for format in {*report.FORMATS} - {*report.DRAWINGS}:  # these fold
        report.emit([cost.table()], cost.streamed(), format=format)
    os.environ["FORCE_COLOR"] = "1"
    report.emit([cost.table()], cost.streamed())
    del os.environ["FORCE_COLOR"]

write(counted(20))  # imports are not part of a layer
before = peak_megabytes()
write(counted(int(sys.argv[2])))
print(peak_megabytes() - before, file=sys.stderr)
"""


@pytest.mark.sized
@pytest.mark.parametrize("made_of", ["spec", "repeat", "graph"])
def test_a_layer_takes_two_kilobytes_in_every_format(made_of, tmp_path):
    words = [sys.executable, "-c", CHILD, made_of, str(SIZE)]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS.parent), str(TESTS)])}
    ran = subprocess.run(words, cwd=tmp_path, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert ran.returncode == 0, ran.stderr
    assert int(ran.stderr) * 2**20 <= BYTES_PER_LAYER * SIZE


def work(layers, format, tmp_path):
    """The calls of functions that `show` of so many layers takes."""
    path = tmp_path / "x.yaml"
    path.write_text(LAYERS + "  - relu\n" * layers)
    with cProfile.Profile() as profile:
        assert run(["show", str(path), "-f", format]) == 0
    return calls(profile)


@pytest.mark.parametrize(
    ("format", "most"),
    [("table", 360), ("terminal", 440), ("json", 265), ("csv", 235), ("markdown", 300), ("latex", 345)],
)
def test_a_plain_layer_is_so_much_work(format, most, tmp_path, monkeypatch, capsys):
    if format == "terminal":
        monkeypatch.setenv("FORCE_COLOR", "1")
    format = format.replace("terminal", "table")
    work(10, format, tmp_path)  # imports
    few, many = (work(layers, format, tmp_path) for layers in (500, 1500))
    assert (many - few) / 1000 <= most


def test_a_large_document_is_the_one_that_python_gives(tmp_path, capsys):
    (tmp_path / "x.yaml").write_text(LAYERS + "  - relu\n  - conv: {channels: 3, kernel: 3, padding: 1}\n" * 40)
    assert run(["show", str(tmp_path / "x.yaml"), "-f", "json"]) == 0
    written = capsys.readouterr().out
    document = costcalc.load(str(tmp_path / "x.yaml")).cost().to_dict()
    assert written == json.dumps(document, indent=2, ensure_ascii=False) + "\n"
