"""One table in every format: what its cells, documents and diagrams say."""

import json
import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

import costcalc
from costcalc import report
from costcalc.analysis.picture.network_sketch import network_sketch
from costcalc.errors import UnknownName, UsageError
from costcalc.ops import Conv, Input, ReLU
from costcalc.spec.library import entries
from costcalc.table import Column, Image, RelativeDifference, Table, cell

COLUMNS = (Column("name", "layer", "text"), Column("macs", "MACs"), Column("share", "share", "share", 1))


def table_of(*names, **about):
    rows = [{"name": name, "macs": 10**number, "share": 0.5} for number, name in enumerate(names)]
    return Table("a title", COLUMNS, rows, **about)


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (12443648, "int", "12,443,648"), (0, "int", "0"), (None, "int", ""), (True, "int", "True"),
        (2**100, "int", f"{2**100:,}"), (9.677, "ratio", "9.68×"), (Fraction(1, 3), "ratio", "0.33×"),
        (0.00123, "ratio", "0.00123×"), (0, "ratio", "0.00×"), (0.3521, "share", "35.2 %"), (0, "share", "0.0 %"),
        (1, "ratio", "1.00×"), (1.0004, "ratio", "1.0004×"), (0.9996, "ratio", "0.9996×"), (0.004, "real", "0.004"),
        (1 + Fraction(1, 10**12), "ratio", "1.000000…×"), (-0.0001, "real", "0.000"), (-1.5, "real", "-1.500"),
        (RelativeDifference(0.021, 7), "signed", "+2.1 %"),
        (RelativeDifference(-0.4, -7), "signed", "−40.0 %"), (0.0, "signed", "0.0 %"),
        (RelativeDifference(-1e-5, -1), "signed", "−1"),
        (RelativeDifference(1e-5, 1234), "signed", "+1,234"), (-1e-5, "signed", "> -0.1 %"),
        (0.0001, "share", "< 0.1 %"), (-0.0001, "share", "> -0.1 %"), (Image((1, 32, 28, 28)), "shape", "28×28×32"),
        ((1, 12, 256, 64), "shape", "12×256×64"), (Image((1, 8, 4, 28, 28)), "shape", "4×28×28×8"),
        ((1, 10), "shape", "10"), ((1,), "shape", "1"), ("1.5B", "figure", "1.5B"),
    ],
)  # fmt: skip
def test_cells(value, kind, text):
    assert cell(value, kind) == text


def test_numbers_of_other_libraries_are_numbers():
    import numpy
    import sympy

    assert cell(sympy.Integer(1000), "int") == cell(numpy.int64(1000), "int") == "1,000"
    assert cell(sympy.Symbol("n") * 2, "int") == "2*n"


def test_json_keeps_numbers_exact_and_letters_as_text():
    import sympy

    document = {
        "macs": 2**80, "w": Fraction(1, 2), "one": Fraction(1), "formula": sympy.Symbol("n") + 1, "shape": (1, 2),
        "none": None, "flag": True, "ratio": float("inf"), "size": sympy.Integer(7), "names": {"b", "a"}, 3: "é",
    }  # fmt: skip
    text = report.text([], document, "json")
    assert text.endswith("}\n")
    assert json.loads(text) == {
        "macs": 2**80, "w": 0.5, "one": 1.0, "formula": "n + 1", "shape": [1, 2], "none": None, "flag": True,
        "ratio": None, "size": 7, "names": ["a", "b"], "3": "é",
    }  # fmt: skip
    assert '"one": 1.0,' in text


def test_csv_has_keys_full_numbers_and_no_totals():
    text = report.text([table_of("a", "b", totals={"name": "total", "macs": 11}), table_of("c")], None, "csv")
    assert text == "name,macs,share\na,1,0.5\nb,10,0.5\n"


def test_a_csv_is_one_table_and_says_so(capsys):
    report.emit([table_of("a"), table_of("c")], None, format="csv")
    assert capsys.readouterr() == (
        "name,macs,share\na,1,0.5\n", "note: a CSV holds one table; -f json also has: a title\n"
    )  # fmt: skip


def test_markdown():
    text = report.text(
        [table_of("a|b", totals={"name": "total", "macs": 1}, notes=["1. first\n- second"])], None, "markdown"
    )
    assert text == (
        "**a title**\n\n| layer | MACs | share |\n| :--- | ---: | ---: |\n| a\\|b | 1 | 50.0 % |\n"
        "| **total** | **1** |  |\n\n- 1\\. first\n- \\- second\n"
    )


def test_latex():
    text = report.text([table_of("a_b & 50% {x}", totals={"name": "total", "macs": 1}, notes=["n"])], None, "latex")
    assert text.splitlines()[1:] == [
        r"\noindent\textbf{a title}\par\smallskip",
        r"\noindent\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
        r"\begin{tabular}{lrr}", r"\toprule", r"layer & MACs & share \\", r"\midrule",
        r"a\_b \& 50\% \{x\} & 1 & 50.0 \% \\", r"\midrule", r"total & 1 &  \\", r"\bottomrule", r"\end{tabular}}",
        r"\par\noindent{\footnotesize n\par}",
    ]  # fmt: skip


def test_rows_may_belong_to_the_one_above():
    rows = [{"name": "spec", "macs": 1}, {"name": "preset", "macs": 2, "indent": 1}]
    table = Table("", COLUMNS[:2], rows)
    assert report.text([table], None, "table") == "layer     MACs\nspec         1\n  preset     2\n"
    assert "\npreset,2\n" in report.text([table], None, "csv")


def test_the_format_is_the_suffix_unless_it_is_said():
    assert report.format_of(None, Path("a.CSV")) == "csv"
    assert report.format_of("json", Path("a.csv")) == "json"
    assert report.format_of(None, None) == report.format_of(None, Path("-")) == "table"
    with pytest.raises(UnknownName) as caught:
        report.format_of(None, Path("net.xls"))
    assert str(caught.value) == (
        "'net.xls' has the suffix '.xls'; "
        "use one of .txt .json .csv .md .markdown .tex .latex .mmd .mermaid .dot .gv, or give --format"
    )
    with pytest.raises(UnknownName, match="no suffix"):
        report.format_of(None, Path("net"))
    with pytest.raises(UnknownName, match="unknown format 'jsn'; did you mean 'json'"):
        report.format_of("jsn", None)


def test_only_one_network_is_drawn():
    with pytest.raises(UsageError, match="layers of one network; use them with `costcalc show`"):
        report.text([], [{"name": "x"}], "mermaid")


def test_repeats_are_drawn_once_and_joined():
    drawn = costcalc.load("resnet50").diagram("dot")
    nodes, edges = re.findall(r"^    (n\d+) \[", drawn, re.MULTILINE), re.findall(r"(n\d+) -> (n\d+)", drawn)
    assert {name for edge in edges for name in edge} == set(nodes)  # nothing stands apart
    assert 'label="more ×2"' in drawn


@pytest.mark.parametrize("name", [entry.name for entry in entries()])
def test_every_box_but_the_inputs_has_a_wire_in(name):
    net = costcalc.load(name)
    sketch = network_sketch(net.cost())
    inputs = {at for at, row in enumerate(net.cost().layers) if row.op.is_input}
    boxes = {f"n{number}" for number, box in enumerate(sketch.boxes, 1) if inputs.isdisjoint(box.layers)}
    for format, arrow in (("dot", "->"), ("mermaid", r"-->(?:\|[^|]*\|)?")):
        assert {*re.findall(rf"n\d+ {arrow} (n\d+)", report.text([], sketch, format))} == boxes


def test_a_diagram_folds_and_shows_another_metric():
    net = costcalc.load("resnet50")
    folded = net.diagram("mermaid", depth=1, shade="params")
    assert folded.count("fill:") == 6  # five stages and the linear layer
    assert "conv5_x<br/>" in folded and "14.96 M params #183; 58.6 %" in folded.replace(" · ", " #183; ")
    assert len(net.diagram("dot", depth=9, every_layer=True)) > 1.5 * len(net.diagram("dot"))
    with pytest.raises(UnknownName, match="unknown diagram 'svg'"):
        net.diagram("svg")


def test_labels_are_no_markdown():
    sketch = network_sketch(costcalc.load("lenet5").cost())
    for name, label in (
        ("1. x", "1#46; x"),
        ("+ x", "#43; x"),
        ("a + b", "a + b"),
        ("- x", "#45; x"),
        ("%%{init", "#37;%#123;init"),
    ):
        box = replace(sketch.boxes[0], title=name)
        assert f'"{label}"' in report.text([], replace(sketch, boxes=[box, *sketch.boxes[1:]]), "mermaid")


def test_blocks_are_frames_within_frames():
    graph = costcalc.new_graph()
    x = costcalc.add(graph, "x", Input((1, 3, 8, 8)))
    body = costcalc.new_graph()
    end = costcalc.add(body, "in", Input((1, 3, 8, 8)))
    for name in ("a.conv", "b.conv"):
        end = costcalc.add(body, name, Conv(3, 1), end)
    inner = costcalc.new_graph()
    costcalc.add(inner, "deep", costcalc.Repeat(body, 2), costcalc.add(inner, "in", Input((1, 3, 8, 8))))
    costcalc.add(inner, "relu", ReLU(), "deep")
    costcalc.add(graph, "stage", costcalc.Repeat(inner, 3), x)
    drawn = costcalc.load(graph).diagram(every_layer=True)
    assert [line.strip() for line in drawn.splitlines() if "subgraph" in line] == [
        'subgraph b1["stage ×3"]', 'subgraph b2["deep ×2"]',
    ]  # fmt: skip
    assert drawn.count("\n        end") + drawn.count("\n    end") == 2
