"""Names that want to be run, in a page and in its pictures (T19): text stays text, and nothing leads outside."""

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import networkx as nx
import pytest
from support import needed
from support.browser import errors, requested
from support.hostile_names import xss
from support.moved_pages import moved
from support.sizes import size

import costcalc
from costcalc.chart import Axis, Curves, Group, HeatMap, Line, Mark, Scatter
from costcalc.dims import size_symbol
from costcalc.net import Net
from costcalc.report.page.page import sweep_page
from costcalc.spec.spec_architecture import SpecArchitecture
from costcalc.spec.spec_tree import Preset
from costcalc.table import visible

NAMES = [
    *xss(194),
    "{{ 7 * 7 }}",
    "{% raw %}",
    "$\\frac{$",
    "\x00\x1b[31m\u202e",
    "${alert(1)}",
    "</script><script>alert(1)</script>",
]


def hostile_net():
    """A network of which every text that a spec may hold, and many that it may not, wants to be run."""
    net = costcalc.load("mobilenet_v2")
    knobs = {name: replace(knob, about=" ".join(NAMES[i::9])) for i, (name, knob) in enumerate(net.knobs.items())}
    presets = {name: Preset(name, {"w": 1 + i % 2, "r": 96 + 32 * (i % 5)}, name) for i, name in enumerate(NAMES)}
    every = " ".join(NAMES)
    about = {"name": NAMES[0], "title": every, "source": every, "about": every, "published": ()}
    spec = replace(net.architecture.spec, knobs=knobs, presets=presets, **about)
    return Net(SpecArchitecture(spec), {}, NAMES[-1])


class Tree(HTMLParser):
    """The elements, attributes and texts that a browser would find."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.texts = [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.texts.append(data.strip())


@pytest.fixture(scope="module")
def html():
    needed.module("matplotlib", "report")
    needed.module("jinja2", "report")
    return sweep_page(hostile_net()).html()


def test_a_hostile_page_has_the_elements_of_its_template(html):
    tree, plain = Tree(html), Tree(sweep_page(costcalc.load("mobilenet_v2")).html())
    scripts = [attributes for tag, attributes in tree.elements if tag == "script"]
    assert scripts == [{"type": "application/json", "id": "data"}, {}]
    assert {tag for tag, _ in tree.elements} <= {tag for tag, _ in plain.elements}
    assert {name for _, attributes in tree.elements for name in attributes} <= {
        name for _, attributes in plain.elements for name in attributes
    }
    assert not [name for _, attributes in tree.elements for name in attributes if name.startswith("on")]
    assert set(map(visible, NAMES)) - {visible(" ")} <= set(tree.texts) | {" ".join(t.split()) for t in tree.texts}


def hostile_graph(names):
    """A model whose layers have these names, with a knob."""
    graph = nx.DiGraph(name=names[0])
    graph.add_node(names[0], op=costcalc.ops.Input((1, 3, 8 * size_symbol("s"), 8)), inputs=())
    for before, name in pairwise(names):
        graph.add_node(name, op=costcalc.ops.Conv2d(channels=4, kernel=1), inputs=(before,))
        graph.add_edge(before, name)
    return costcalc.model(graph, {"s": {"default": 1, "about": NAMES[3]}}, title=NAMES[5], source=NAMES[7])


def test_hostile_layers_in_drawings_bars_and_tables_are_text(driver, tmp_path):
    nets = [hostile_graph([name for name in NAMES[start::4] if "\0" not in name]) for start in (0, 1)]
    pages = [costcalc.page(nets[0], every_layer=True, depth=1), costcalc.page(*nets)]
    plain = {tag for tag, _ in Tree(costcalc.page("inception_naive", "inception_bottleneck").html()).elements}
    for page in pages:
        html = page.html()
        tree = Tree(html)
        assert {tag for tag, _ in tree.elements} <= plain | {"details", "summary", "fieldset", "legend"}
        assert not [name for _, attributes in tree.elements for name in attributes if name.startswith("on")]
        for net in nets[: len(page.views)]:
            hovers = [text for text in tree.texts if ": " in text and "params" in text]
            assert len(hovers) >= min(len(net.cost().layers), 20)
        (tmp_path / "page.html").write_text(html, encoding="utf-8")
        driver.get((tmp_path / "page.html").as_uri())
        moved(driver, [[2]])
        assert errors(driver) == []
        assert driver.execute_script("return document.scripts.length") == 2
        assert driver.execute_script("return document.getElementById('total-0-0').textContent") not in ("", "–")


def test_nothing_leads_outside(html):
    links = [
        value
        for _, attributes in Tree(html).elements
        for name, value in attributes.items()
        if name in ("href", "src", "xlink:href", "action", "data", "srcset", "poster", "formaction", "background")
    ]
    assert links
    assert all(re.match(r"#|data:image/png;base64,", link) for link in links)
    assert all(inside.startswith("#") for inside in re.findall(r"style=\"[^\"]*url\(([^)]*)\)", html))
    assert "@import" not in html[html.index("<style>") : html.index("</style>")]


def test_the_policy_names_the_one_script(html):
    ((_, policy),) = [(t, a) for t, a in Tree(html).elements if a.get("http-equiv") == "Content-Security-Policy"]
    script = re.search(r"<script>(.*?)</script>", html, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy["content"] == (
        f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-{digest}'"
    )
    assert not re.search(r"\beval\b|new Function|innerHTML|document\.write|setTimeout\(['\"]", script)


def test_a_browser_runs_nothing_of_it(html, driver, tmp_path):
    (tmp_path / "page.html").write_text(html, encoding="utf-8")
    driver.get((tmp_path / "page.html").as_uri())
    assert errors(driver) == []
    assert requested(driver) == [(tmp_path / "page.html").as_uri()]
    assert driver.execute_script("return document.scripts.length") == 2
    shown = driver.execute_script("return [...document.querySelectorAll('#settings option')].map((o) => o.textContent)")
    assert shown == [visible(name) for name in (NAMES[-1], *NAMES[:-1])]
    assert driver.execute_script("return document.getElementById('total-0-0').textContent") != ""


@pytest.mark.no_cover
@pytest.mark.sized
@pytest.mark.parametrize("name", size(NAMES[::28], NAMES[::7]))
def test_a_picture_runs_nothing(name):
    needed.module("matplotlib", "report")
    from xml.etree import ElementTree

    axis = Axis(name, name)
    charts = (
        Curves(name, axis, ((axis, (Line(name, (1, 2), (3, 4)), Line(name, (1, 2), (3, 4), True))),)),
        HeatMap(name, axis, axis, axis, (1, 2), (3, 4), ((1, 2), (3, None)), (Mark(1, 3, name),)),
        Scatter(name, axis, axis, (Group(name, (Mark(1, 2, name),)), Group(f"_{name}", (Mark(1, 2),), "rings"))),
    )
    for chart in charts:
        tree = ElementTree.fromstring(chart.svg())
        tags = {element.tag.rpartition("}")[2] for element in tree.iter()}
        assert tags <= {
            "svg",
            "defs",
            "style",
            "g",
            "path",
            "text",
            "use",
            "clipPath",
            "rect",
            "image",
            "pattern",
            "linearGradient",
            "tspan",
        }
        assert not [a for element in tree.iter() for a in element.attrib if a.startswith("on")]
        written = " ".join("".join(element.itertext()) for element in tree.iter() if element.tag.endswith("}text"))
        assert visible(name).split()[0] in written
