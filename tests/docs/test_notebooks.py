"""The notebook of the documentation runs, and what it shows is there: also without matplotlib."""

import html.parser
import os

import pytest
from support import needed
from support.hostile_names import xss
from support.paths import ROOT

import costcalc
from costcalc.ops import Input, Linear

NOTEBOOK = ROOT / "docs" / "notebooks" / "networks.ipynb"


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """What each code cell shows, by mime type. In its kernel matplotlib cannot be imported."""
    nbformat, nbclient = needed.module("nbformat", "test"), needed.module("nbclient", "test")
    needed.module("ipykernel", "test")
    folder = tmp_path_factory.mktemp("without")
    (folder / "matplotlib.py").write_text("raise ImportError('not here')")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    assert not any(cell.get("outputs") for cell in notebook.cells)
    path = os.pathsep.join([str(folder), str(ROOT)])
    client = nbclient.NotebookClient(notebook, timeout=60, kernel_name="python3")
    client.execute(env={**os.environ, "PYTHONPATH": path})
    return [
        {kind: text for output in cell.outputs for kind, text in output.get("data", {}).items()}
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


def test_each_cell_shows_what_it_is_about(outputs):
    net, compared, formula, tree, drawing, sweep = outputs
    assert "<caption>inception_module: " in net["text/html"] and net["text/html"].count("<svg ") == 1
    assert compared["text/html"].count("<svg ") == 2 and "÷9.68" in compared["text/html"]
    assert "<math" in formula["text/html"]
    assert formula["text/latex"] == costcalc.formula("inception_bottleneck").latex
    assert "├─ ∥ branch 2" in tree["text/html"] and "█" in tree["text/html"]
    assert drawing["image/svg+xml"].startswith("<svg ")
    assert "<table>" in sweep["text/html"]


def test_ids_of_drawings_differ(outputs):
    class Ids(html.parser.HTMLParser):
        found = []

        def handle_starttag(self, tag, attrs):
            self.found += [value for name, value in attrs if name == "id"]

    Ids().feed("".join(one.get("text/html", "") for one in outputs))
    assert len(Ids.found) == len({*Ids.found}) > 0


def test_names_run_nothing():
    graph, x = costcalc.new_graph(), "x"
    costcalc.add(graph, x, Input((1, 8)))
    for name in xss(30):
        x = costcalc.add(graph, name.replace(".", "_"), Linear(8), x)
    net = costcalc.load(graph)
    shown = net._repr_html_() + costcalc.compare(net, "lenet5")._repr_html_() + net.tree()._repr_html_()

    class Tags(html.parser.HTMLParser):
        found, risky = set(), []

        def handle_starttag(self, tag, attrs):
            self.found.add(tag)
            self.risky += [(name, value) for name, value in attrs if name.startswith("on") or name in ("href", "src")]

    Tags().feed(shown)
    assert Tags.risky == []
    assert not Tags.found & {"script", "img", "iframe", "a", "body", "object", "foreignobject"}
