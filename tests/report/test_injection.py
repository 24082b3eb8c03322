"""Names that want to be run: HTML, diagrams, spreadsheets (T19 to T21)."""

import csv
import html.parser
import io
import re
import subprocess

import pytest
from support import needed
from support.hostile_names import sketch_of, table_of, xss

from costcalc import report
from costcalc.table import Column, Table, visible

# --- T19 and T20: HTML and diagrams ---------------------------------------------------------------------------------


WHITE, FONT = '"#ffffff"', '"Helvetica"'


class Parsed(html.parser.HTMLParser):
    """The tags, attributes and text that a browser would find."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.texts = set(), set(), []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= set(attrs)

    def handle_data(self, data):
        self.texts.append(data)


def test_a_notebook_runs_nothing():
    table = table_of(xss())
    parsed = Parsed(table._repr_html_())
    assert parsed.tags == {"table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td", "p"}
    assert parsed.attributes == {("style", "text-align:left"), ("style", "text-align:right")}
    assert set(map(visible, xss())) <= set(parsed.texts)


def test_markdown_keeps_html_and_links_as_text():
    text = report.text([table_of(xss())], None, "markdown")
    assert not re.search(r"(?<!\\)<", text)
    assert not re.search(r"(?<!\\)\[", text)
    assert len([line for line in text.splitlines() if line.startswith("| ")]) == 203


@pytest.mark.parametrize(
    ("format", "node", "edge", "block", "frame"),
    [
        (
            "mermaid", r' {4}n(\d+)\["[^"\[\]`<>&]*<br/>[^"\[\]`<>&]*"\]',
            r' {4}n(\d+) -->\|"[^"\[\]`<>&|]*"\| n(\d+)',
            r' {4,}(subgraph b\d+\["[^"\[\]`<>&]*"\]|n\d+|end|style n\d+ fill:#[0-9a-f]{6},color:#111111'
            r"|accTitle: [^\"\[\]`<>&{}]*)", ["flowchart TD"],
        ),
        (
            "dot", r' {4}n(\d+) \[label="(?:\\.|[^"\\])*", fillcolor="#[0-9a-f]{6}"\];',
            r' {4}n(\d+) -> n(\d+) \[label="(?:\\.|[^"\\])*"\];',
            r' {4,}(subgraph cluster_\d+ { label="(?:\\.|[^"\\])*";|n\d+|}|label="(?:\\.|[^"\\])*"; labelloc=t;)',
            ["digraph network {", f"    fontname={FONT}; labeljust=l; edge [fontname={FONT}];",
             f"    node [shape=box, style=filled, fillcolor={WHITE}, fontname={FONT}];", "}"],
        ),
    ],
)  # fmt: skip
def test_a_diagram_has_the_nodes_and_edges_of_its_graph(format, node, edge, block, frame):
    names = xss()
    lines = report.text([], sketch_of(names), format).splitlines()
    nodes = [line for line in lines if re.fullmatch(node, line)]
    edges = [line for line in lines if re.fullmatch(edge, line)]
    assert (len(nodes), len(edges)) == (200, 199)
    blocks = [line for line in lines if re.fullmatch(block, line)]
    assert [line for line in lines if line not in {*nodes, *edges, *blocks}] == frame
    assert not any(line.strip().startswith("click") for line in lines)


def test_graphviz_reads_the_diagram():
    text = report.text([], sketch_of(xss()), "dot")
    done = subprocess.run(
        [needed.program("dot", "graphviz"), "-Tplain"], input=text, capture_output=True, text=True, check=True
    )
    assert len(re.findall(r"^node ", done.stdout, re.MULTILINE)) == 200


# --- T21: spreadsheets ----------------------------------------------------------------------------------------------

PAYLOADS = [
    "=1+1", "=cmd|' /C calc'!A0", "+1+1", "-1+1", "@SUM(1)", "\t=1", "\r=1", '=HYPERLINK("https://e.invalid")',
    "+cmd|x", "-2+3+cmd|x", "@x", "==", "=", "+", "-", "@", "=1,2", '="x"', "=1\n=2", "\r\n=1",
]  # fmt: skip


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_spreadsheet_runs_nothing(payload):
    columns = (Column(payload, "x", "text"), Column("saved", "saved"), Column("ratio", "ratio", "ratio"))
    table = Table("", columns, [{payload: payload, "saved": -5, "ratio": -0.5}])
    header, row = csv.reader(io.StringIO(report.text([table], None, "csv")))
    assert header == [f"'{visible(payload)}", "saved", "ratio"]
    assert row == [f"'{visible(payload)}", "-5", "-0.5"]  # numbers stay numbers
