"""What is printed: adds up, equals the exact value in every format and width, and is the same every day."""

import csv
import io
import json
import os
import random
import re

import pytest
from rich.cells import cell_len
from support.paths import DATA
from support.terminals import in_terminal, piped

import costcalc
from costcalc import report
from costcalc.cli.app import run
from costcalc.spec.library import entries
from costcalc.table import Column, Table, cell
from costcalc.table.aligned import NARROW, fit, lines, text_width

GOLDEN = DATA / "golden"
SPECS = [entry.name for entry in entries() if entry.kind == "spec"]
# --- golden files: COSTCALC_UPDATE_GOLDEN=1 writes today's output; read the diff ------------------------------------


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("show_lenet5.txt", "show lenet5"),
        ("show_residual_block.md", "show residual_block -f markdown"),
        ("show_conv_depthwise_separable.tex", "show conv_depthwise_separable -f latex"),
        ("show_lenet5.csv", "show lenet5 -f csv"),
        ("show_conv1x1.json", "show conv1x1 -f json"),
        ("show_residual_block.mmd", "show residual_block -f mermaid"),
        ("show_residual_block.dot", "show residual_block -f dot"),
        ("show_mobilenet_v1_depth_1.txt", "show mobilenet_v1@w=0.5,r=160 --depth 1"),
    ],
)
def test_golden(file, words, capsys):
    code = run(words.split())
    out, err = capsys.readouterr()
    assert (err, code) == ("", 0)
    printed = re.sub(r'("costcalc_version": )".*"', r'\1"…"', out)
    if os.environ.get("COSTCALC_UPDATE_GOLDEN"):
        (GOLDEN / file).write_text(printed, encoding="utf-8")
    assert printed == (GOLDEN / file).read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [20, 40, 60, 80, 120])
def test_golden_on_terminals(width):
    printed, code = in_terminal(width, "show", "lenet5")
    file = GOLDEN / f"show_lenet5_{width}_columns.txt"
    if os.environ.get("COSTCALC_UPDATE_GOLDEN"):
        file.write_text(printed, encoding="utf-8")
    assert (printed, code) == (file.read_text(encoding="utf-8"), 0)


def test_the_list_starts_with_its_header():
    lines = piped("list").stdout.decode().splitlines()
    assert re.fullmatch(r"name +kind +lecture +what it is", lines[0])
    assert re.fullmatch(r"lenet5 +spec +1 +LeNet-5 as .*", lines[1])
    by_lecture = sorted(entries(), key=lambda entry: entry.lecture)
    assert [re.split("  +", line.strip())[0] for line in lines[1:-2]] == [entry.name for entry in by_lecture]
    assert lines[-1].startswith("lectures: 1 LeNet-5, 2 AlexNet, 3 VGG")


# --- the column that is printed adds up -----------------------------------------------------------------------------


def split(line, separator, closing=0):
    return [part.strip() for part in line.split(separator)][closing : -closing or None]


def number(text):
    return int(re.sub(r"[*,]", "", text))


def printed_macs(text, format):
    """The MACs of the rows and, except in CSV, of the total, read from what is printed."""
    if format == "csv":
        return [int(row["macs"]) for row in csv.DictReader(io.StringIO(text))], None
    if format == "json":
        read = json.loads(text)
        return [layer["macs"] for layer in read["layers"]], read["totals"]["macs"]
    if format == "table":
        header, *rows = text.split("\n\n")[1].splitlines()
        end = header.index("MACs") + len("MACs")
        found = [number(row[:end].split()[-1]) for row in rows]
    elif format == "markdown":
        header, _, *rows = [split(line, "|", 1) for line in text.splitlines() if line.startswith("|")]
        found = [number(row[header.index("MACs")]) for row in rows]
    else:
        header, *rows = [split(line.removesuffix(r"\\"), " & ") for line in text.splitlines() if line.endswith(r"\\")]
        found = [number(row[header.index("MACs")]) for row in rows]
    return found[:-1], found[-1]


@pytest.mark.no_cover
@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("format", ["table", "json", "csv", "markdown", "latex"])
@pytest.mark.parametrize("depth", [None, 1])
def test_the_printed_macs_add_up(spec, format, depth):
    cost = costcalc.load(spec).cost()
    rows, total = printed_macs(report.text([cost.table(depth)], cost.to_dict(), format), format)
    assert sum(rows) == cost.macs
    assert total in (cost.macs, None)


# --- widths: columns go, digits stay (T22) --------------------------------------------------------------------------


def random_table(dice):
    kinds = [dice.choice(["int", "int", "text", "share"]) for _ in range(dice.randint(1, 9))]
    columns = [Column("name", "layer", "text"), Column("k0", "macs")]
    columns += [
        Column(f"k{i}", "column " + "x" * dice.randint(0, 9), kind, dice.randint(0, 5))
        for i, kind in enumerate(kinds, 1)
    ]
    values = {
        "int": lambda: dice.randint(0, 10 ** dice.randint(1, 24)),
        "text": lambda: " ".join("abcdefghij"[: dice.randint(1, 10)] for _ in range(dice.randint(1, 12))),
        "share": dice.random,
    }
    rows = [
        {"name": "n" * dice.randint(1, 40), **{c.key: values[c.kind]() for c in columns[1:]}}
        for _ in range(dice.randint(1, 12))
    ]
    totals = {"name": "total", **{c.key: sum(row[c.key] for row in rows) for c in columns if c.kind == "int"}}
    return Table("random", columns, rows, dice.choice([None, totals]), ["a note of several words"])


@pytest.mark.no_cover
@pytest.mark.parametrize("seed", range(30))
def test_every_number_is_whole_at_every_width(seed):
    table = random_table(random.Random(seed))
    rows = [*table.rows, *([table.totals] if table.totals else [])]
    exact = {cell(row.get(c.key), c.kind) for row in rows for c in table.columns if c.kind != "text"}
    needed = [cell(row[c.key], c.kind) for row in rows for c in table.columns if c.kind == "int" and c.rank == 0]
    for width in range(20, 201):
        printed = ["".join(part for part, _ in line) for line in lines([table], width, "─")]
        body = "\n".join(line for line in printed if "hidden at" not in line and " columns: " not in line)
        found = re.findall(r"(?:< )?\d[\d,.]*(?: %)?", body.split("hidden")[0])
        assert set(found) <= exact, width
        assert all(found.count(text) >= needed.count(text) for text in needed), width


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_lines_fit_the_terminal(width):
    for name in ("resnet50", "googlenet", "efficientnet"):
        cost = costcalc.load(name).cost()
        for line in lines([cost.table(), cost.table(1)], width, "─"):
            assert text_width("".join(part for part, _ in line)) <= width


def test_what_is_hidden_is_said():
    columns = (Column("name", "layer", "text"), Column("macs", "MACs"), Column("share", "share", "share", 1))
    table = Table("", columns, [{"name": "conv", "macs": 10, "share": 0.5}])
    printed = "\n".join("".join(part for part, _ in line) for line in lines([table], 14))
    assert printed.endswith("hidden at 14\n  columns:\n  share; -f\n  csv shows\n  all")


def test_sentences_are_wrapped_before_columns_are_dropped():
    told = Table(
        "", (Column("a", "a", "text"), Column("b", "b", "text", 1)), [{"a": "x", "b": "one two three four " * 5}]
    )
    printed = ["".join(part for part, _ in line).rstrip() for line in lines([told], 40)]
    assert printed == ["a  b", "x  one two three four one two three four", "   one two three four one two three four",
                       "   one two three four"]  # fmt: skip


def test_columns_that_were_asked_for_stay_and_names_are_broken():
    wanted = "name,out,params,macs,peak_bytes,receptive_field"
    table = costcalc.load("resnet50").cost().table(depth=1, columns=wanted)
    grid = fit(table.columns, [table.texts(row) for row in table.rows], [table.texts(table.totals)], 84)
    assert grid.hidden == [] and grid.folds
    grid = fit(table.columns, [table.texts(row) for row in table.rows], [table.texts(table.totals)], 60)
    assert grid.shown == [0, 1, 2, 3]


def test_wide_signs_take_two_columns():
    assert (text_width("conv"), text_width("畳み込み"), text_width("é"), text_width("28×28")) == (4, 8, 1, 5)


def test_signs_that_are_measured_without_rich_are_as_wide_as_rich_says():
    narrow = [chr(number) for number in range(32, 0x3000) if NARROW.fullmatch(chr(number))]
    assert set("×·²³−≤≥→…–ηπфé") <= set(narrow)
    assert [sign for sign in narrow if cell_len(sign) != 1] == []


def test_a_family_takes_as_many_columns_as_rich_says():
    assert text_width("👩‍👩‍👧 ×") == cell_len("👩‍👩‍👧 ×")


def test_a_pipe_gets_everything_and_no_colours():
    done = piped("show", "resnet50", "--depth", "1", COLUMNS="20").stdout.decode()
    assert "4,089,184,256" in done
    assert "hidden" not in done
    assert "\x1b" not in done
    assert "─" not in done


def test_colours_come_and_go():
    assert "\x1b[1" in in_terminal(80, "list", TERM="xterm-256color")[0]
    assert "\x1b[1;36m" not in in_terminal(80, "list", TERM="xterm-256color", NO_COLOR="1")[0]
    assert "\x1b" not in in_terminal(80, "list", TERM="dumb")[0]
    assert b"\x1b[1;36m" in piped("list", FORCE_COLOR="1", TERM="xterm-256color").stdout
