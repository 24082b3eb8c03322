"""Tables show themselves: as text, records, frames, CSV, Markdown, LaTeX, files and in notebooks."""

import json
import re

import pytest

import costcalc
from costcalc import report
from costcalc.dims import size_symbol
from costcalc.errors import UnknownName
from costcalc.table import Column, Table

TABLE = Table(
    "a net", (Column("name", "layer", "text"), Column("macs", "MACs")), [{"name": "conv", "macs": 12_345}],
    {"name": "total", "macs": 12_345}, ["a note"],
)  # fmt: skip


def test_a_table_prints_as_the_command_prints_it():
    assert f"{TABLE}\n" == report.text([TABLE], None, "table")
    assert str(TABLE).splitlines()[2:4] == ["layer    MACs", "conv   12,345"]


def test_the_other_formats_are_those_of_the_command():
    made = {"csv": TABLE.to_csv(), "markdown": TABLE.to_markdown(), "latex": TABLE.to_latex()}
    assert made == {format: report.text([TABLE], None, format) for format in made}


@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a.md", "a.tex", "a.json"])
def test_a_table_is_saved_in_the_format_of_the_suffix(tmp_path, name):
    TABLE.save(tmp_path / name)
    text = (tmp_path / name).read_text(encoding="utf-8")
    assert "conv" in text
    if name == "a.json":
        assert json.loads(text)["rows"] == TABLE.to_records() == [{"name": "conv", "macs": 12_345}]


def test_a_table_is_not_saved_under_another_suffix(tmp_path):
    with pytest.raises(UnknownName, match=r"'.docx'; use one of .txt .json .csv .md"):
        TABLE.save(tmp_path / "a.docx")
    assert [*tmp_path.iterdir()] == []


def test_letters_are_formulas_for_readers_and_the_grammar_of_specs_for_programs():
    n, c = size_symbol("n"), size_symbol("c")
    cost = costcalc.load("residual_block", r=n, c=c, k=size_symbol("k")).cost()
    first, *_ = cost.tables()[0].rows
    assert cost.tables()[0].texts(first)[2:6] == ["n×n×c", "n×n×c", "c²·k²", "c²·k²·n²"]
    assert cost.to_csv().splitlines()[1].startswith("conv1,conv,cxnxn,cxnxn,c**2*k**2,c**2*k**2*n**2,0,c*n**2")
    assert cost.to_records()[1]["macs"] == c**2 * size_symbol("k") ** 2 * n**2
    readable = str(cost), cost.to_markdown(), cost.to_latex(), cost._repr_html_(), str(cost.in_units("M"))
    assert not [text for text in readable if re.search(r"\w[\\*]*\*\w", text)]
    assert "params: 2·c²·k² weights, 0 biases, 4·c normalisation" in str(cost)
