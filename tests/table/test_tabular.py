"""Tables show themselves: as text, records, frames, CSV, Markdown, LaTeX, files and in notebooks."""

import json

import pytest

from costcalc import report
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
