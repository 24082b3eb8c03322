"""Mermaid itself draws what is written for it: every spec, and names that want to be read as its own words.

Mermaid comes from npm: `npm install --prefix FOLDER mermaid`, and COSTCALC_MERMAID=FOLDER.
"""

import os
from pathlib import Path

import pytest
from support.browser import chromium, errors
from support.hostile_names import hostile_names, names_with_brackets, sketch_of, xss

import costcalc
from costcalc import report
from costcalc.spec.library import entries

SPECS = [entry.name for entry in entries() if entry.kind == "spec"]
FOLDER = os.environ.get("COSTCALC_MERMAID", "")
SCRIPT = Path(FOLDER, "node_modules", "mermaid", "dist", "mermaid.min.js")
DRAW = """
const done = arguments[arguments.length - 1];
mermaid.initialize({startOnLoad: false, securityLevel: "strict", maxTextSize: 1e6, maxEdges: 1e5});
mermaid.render("it", arguments[0])
    .then(found => {
        const svg = new DOMParser().parseFromString(found.svg, "text/html");
        done([svg.querySelectorAll("g.node").length, svg.querySelectorAll("script, img, a").length]);
    })
    .catch(error => done(String(error)));
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """A page with Mermaid."""
    if not FOLDER or not SCRIPT.is_file():
        pytest.skip("Mermaid is not there; npm install --prefix FOLDER mermaid, and COSTCALC_MERMAID=FOLDER")
    driver = chromium(tmp_path_factory.mktemp("profile"))
    file = tmp_path_factory.mktemp("page") / "page.html"
    file.write_text(f"<body></body><script src='{SCRIPT.as_uri()}'></script>")
    driver.get(file.as_uri())
    driver.set_script_timeout(120)
    yield driver
    driver.quit()


@pytest.mark.parametrize("name", SPECS)
def test_every_spec_is_drawn(page, name):
    net = costcalc.load(name)
    assert page.execute_async_script(DRAW, net.diagram()) == [len(net.tree().sketch.boxes), 0]
    assert errors(page) == []


@pytest.mark.parametrize("names", [xss, hostile_names, names_with_brackets])
def test_names_are_text(page, names):
    text = report.text([], sketch_of(names(100)), "mermaid")
    assert page.execute_async_script(DRAW, text) == [100, 0]
