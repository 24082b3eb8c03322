"""Counts and bytes in units, one for each column; the values stay exact."""

import json
from fractions import Fraction

import pytest

import costcalc
from costcalc.cli.app import run
from costcalc.dims import size_symbol
from costcalc.errors import UnknownName, UsageError
from costcalc.table import COUNT, IN_BYTES, Column, Table
from costcalc.table.units import OF_BYTES, OF_COUNTS, Units, in_units, read_units


def shown(values, units, measure=COUNT, **more):
    table = Table("", [Column("x", "x", measure=measure)], [{"x": value} for value in values], **more)
    made = in_units(table, read_units(units))
    return made.columns[0].title, [text for row in made.rows for text in made.texts(row)]


@pytest.mark.parametrize(
    ("units", "values", "title", "texts"),
    [
        ("M", [4_089_184_256, 2_048_000, 40_000, 0, None], "x (M)", ["4,089.2", "2.0", "< 0.1", "0", ""]),
        ("G", [4_089_184_256, 2_048_000, -2], "x (G)", ["4.089", "0.002", "> -0.001"]),
        ("auto", [25_557_032, 9_999], "x (M)", ["25.56", "0.01"]),
        ("auto", [9_999, 3], "x", ["9,999", "3"]),
        ("auto", [10_000, 3], "x (K)", ["10.00", "< 0.01"]),
        ("auto", [10**16], "x (T)", ["10,000.0"]),
        ("none", [10**16], "x", ["10,000,000,000,000,000"]),
        ("MiB", [10**7], "x", ["10,000,000"]),
        ("K", [Fraction(12345, 10)], "x (K)", ["1.234"]),
    ],
)
def test_a_column_of_counts(units, values, title, texts):
    assert shown(values, units) == (title, texts)


def test_a_column_of_bytes():
    assert shown([10_235_904], "auto", IN_BYTES) == ("x (MiB)", ["9.762"])
    assert shown([10_235_904], "MB", IN_BYTES) == ("x (MB)", ["10.24"])
    assert shown([10_235_904], "B", IN_BYTES) == ("x (B)", ["10,235,904"])
    assert shown([10_235_904], "M", IN_BYTES) == ("x", ["10,235,904"])


def test_totals_choose_the_unit_too_and_symbols_stay():
    totals = {"x": 3 * 10**6}
    assert shown([10**6] * 3, "auto", totals=totals) == ("x (M)", ["1.000"] * 3)
    assert shown([size_symbol("n")], "M") == ("x (M)", ["n"])


@pytest.mark.parametrize("unit", [*OF_COUNTS, *OF_BYTES])
def test_what_is_shown_is_the_value_to_the_last_decimal(unit):
    sizes = {**OF_BYTES, **OF_COUNTS}
    values = [10**i + 7 * 10 ** (i // 2) for i in range(14)]
    _, texts = shown(values, unit, COUNT if unit in OF_COUNTS else IN_BYTES)
    for value, text in zip(values, texts):
        decimals = len(text.partition(".")[2])
        if text[0] != "<":
            assert abs(Fraction(text.replace(",", "")) * sizes[unit] - value) * 2 <= Fraction(sizes[unit], 10**decimals)


def test_columns_that_are_compared_have_one_unit():
    _, breakdown = costcalc.compare("resnet50", "mobilenet_v2").in_units("auto").tables()
    titles = {column.key: column.title for column in breakdown.columns}
    assert titles["first_cost"] == titles["second_cost"] == "MACs (G)" and titles["saved"] == "saved (G)"


def test_read_units():
    assert read_units("M,MiB") == read_units("MiB, M") == Units("M", "MiB")
    assert read_units("auto") == Units("auto", "auto")
    assert read_units("KB") == Units("none", "KB")
    with pytest.raises(UnknownName, match="unknown unit 'Mb'"):
        read_units("Mb")
    with pytest.raises(UsageError, match="units 'M,K': give one of counts and one of bytes"):
        read_units("M,K")


def test_the_command(capsys):
    assert run(["show", "resnet50", "--depth", "1", "--units", "M", "--columns", "name,macs,peak_bytes"]) == 0
    out = capsys.readouterr().out
    assert "MACs (M)" in out and "4,089.2" in out and "10,235,904" in out
    assert run(["show", "resnet50", "--units", "M", "-f", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["totals"]["macs"] == 4_089_184_256
    assert run(["compare", "vgg16", "resnet50", "--units", "auto", "-f", "csv"]) == 0
    assert "15470264320" in capsys.readouterr().out
    assert str(costcalc.compare("vgg16", "resnet50").in_units("auto")).count("(G)") == 4


def test_a_latex_table_floats_with_a_caption_and_a_label(capsys):
    text = costcalc.load("lenet5").cost().to_latex(caption="50 % of #1", label="tab:lenet5")
    assert text.startswith("% needs ")
    assert "\n\\begin{table}[htbp]\n\\centering\n\\caption{50 \\% of \\#1}\n\\label{tab:lenet5}\n" in text
    assert text.count("\\end{table}") == text.count("\\end{tabular}") == 1
    assert "textbf" not in text
    with pytest.raises(UsageError, match="a label has letters, digits and"):
        costcalc.load("lenet5").cost().to_latex(label="tab:{lenet 5}")
    assert run(["show", "lenet5", "--caption", "LeNet", "-f", "latex"]) == 0
    assert "\\caption{LeNet}" in capsys.readouterr().out
    assert run(["ops"]) == 0  # the next command of a process knows nothing of it
    assert run(["show", "lenet5", "--label", "tab:a"]) == 2
    assert "--caption and --label are of LaTeX; add -f latex, or -o FILE.tex" in capsys.readouterr().err
