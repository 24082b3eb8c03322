"""Names that want to be read as markup or terminal codes (T17, T18), and the same output everywhere (T37)."""

import csv
import html
import html.parser
import io
import json
import os
import re
import shutil
import subprocess
import sys
import unicodedata
from functools import cache

import pytest
from support.hostile_names import BIDI, ZERO_WIDTH, document_of, hostile_names, names_with_brackets, shown_as, table_of
from support.terminals import PLAIN, ROOT, in_terminal, piped

from costcalc import UnknownName, report
from costcalc.cli import app
from costcalc.table import Column, Table, visible
from costcalc.table.tex_signs import SIGNS

FORMATS = ("table", "json", "csv", "markdown", "latex", "mermaid", "dot")


def obeyed_or_hidden(text):
    """The characters that a terminal would obey or hide, but for the ends of lines."""
    hidden = set(ZERO_WIDTH + BIDI)
    return {
        c for c in set(text) - {"\n"} if c in hidden or unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
    }


# --- T18: terminal codes --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", FORMATS)
def test_no_code_leaves_in_any_format(format):
    names = hostile_names(5000)
    text = report.text([table_of(names)], shown_as(format, names), format)
    assert obeyed_or_hidden(text) == set()
    text.encode()  # no lone surrogates
    if format == "json":
        assert json.loads(text) == document_of(names)
    assert obeyed_or_hidden(table_of(names)._repr_html_()) == set()


def test_no_code_reaches_a_terminal():
    code = """
import sys; sys.path.insert(0, "tests")
from support.hostile_names import hostile_names, table_of
from costcalc import report
report.emit([table_of(hostile_names(5000))], None)
"""
    env = {"TERM": "dumb", "PYTHONPATH": os.pathsep.join([ROOT, os.path.join(ROOT, "tests")])}
    for width in (40, 100):
        printed, exit_code = in_terminal(width, command=[sys.executable, "-c", code], **env)
        assert (obeyed_or_hidden(printed), exit_code) == (set(), 0)


def test_no_code_leaves_in_an_error(monkeypatch, capsys):
    for name in hostile_names(5000):

        def fail(_, name=name):
            raise UnknownName(f"no {name} here")

        monkeypatch.setattr(app, "_invoke", fail)
        assert app.run([]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert obeyed_or_hidden(printed.err) == set()


@pytest.mark.parametrize(
    "words",
    [
        ["{}"], ["show", "{}"], ["show", "lenet5@{}=1"], ["show", "lenet5", "--{}"], ["show", "lenet5", "{}"],
        ["show", "./{}.yaml"], ["show", "lenet5", "--set", "{}"], ["show", "lenet5", "-f", "{}"],
        ["show", "lenet5", "--depth", "{}"], ["show", "lenet5", "-o", "/nowhere/{}.json"],
        ["show", "lenet5", "-o", "a.{}"],
    ],
)  # fmt: skip
def test_no_code_leaves_by_any_road(words, capsys):
    for name in [*hostile_names(12), "[/x]", "conv[relu]", "[bold]"]:
        code = app.run([word.replace("{}", name) for word in words])
        printed = capsys.readouterr()
        assert code in (2, 3), name
        assert printed.out == ""
        assert printed.err.startswith("error: ")
        assert obeyed_or_hidden(printed.err) == set()


def test_visible_is_for_the_invisible():
    assert visible("a\x1b\x9b\u202e\U000e0001b") == r"a\x1b\x9b\u202e\U000e0001b"
    assert visible("28×28 é 畳 · “x” 1\u00a0000") == "28×28 é 畳 · “x” 1\u00a0000"


# --- T17: markup ----------------------------------------------------------------------------------------------------


def names_printed(text, format, names):
    """The first column, read back as a reader of the format would see it."""
    lines = text.splitlines()
    if format == "json":
        return [layer["name"] for layer in json.loads(text)["layers"]]
    if format == "csv":
        return [row[0] for row in csv.reader(io.StringIO(text))][1:]
    if format == "markdown":
        cells = [re.match(r"\| ((?:\\.|[^\\|])*) \|", line)[1] for line in lines if line.startswith("| ")][2:-1]
        return [re.sub(r"\\([!-/:-@[-`{-~])", r"\1", text) for text in cells]
    if format == "latex":
        back = {text: chr(sign) for sign, text in SIGNS.items()}
        signs = re.compile("|".join(map(re.escape, sorted(back, key=len, reverse=True))))
        cells = [line.split(" & ")[0] for line in lines if line.endswith(r"\\")][1:-1]
        return [signs.sub(lambda sign: back[sign[0]], text) for text in cells]
    if format == "mermaid":
        labels = re.findall(r'^    n\d+\["(.*?)<br/>', text, re.MULTILINE)
        return [re.sub(r"#(\d+);", lambda sign: chr(int(sign[1])), label) for label in labels]
    if format == "dot":
        labels = re.findall(r'^    n\d+ \[label="((?:\\.|[^"\\])*?)\\n', text, re.MULTILINE)
        return [html.unescape(re.sub(r"\\(.)", r"\1", label)) for label in labels]
    start = 1 + next(i for i, line in enumerate(lines) if "MACs" in line)
    return [line[: len(name)] for name, line in zip(names, lines[start:])]


@pytest.mark.parametrize("format", FORMATS)
def test_markup_in_names_is_text(format):
    names = names_with_brackets()
    columns = (Column("name", "layer", "text"), Column("macs", "MACs"))
    table = Table("", columns, [{"name": name, "macs": 1} for name in names], {"name": "total", "macs": 1000})
    assert names_printed(report.text([table], shown_as(format, names), format), format, names) == names


def test_markup_in_names_is_text_on_a_terminal():
    code = """
import sys; sys.path.insert(0, "tests")
from support.hostile_names import names_with_brackets
from costcalc import report
from costcalc.table import *
rows = [{"name": name, "macs": 1} for name in names_with_brackets()]
report.emit([Table("[bold]title[/x]", (Column("name", "[/x]", "text"), Column("macs", "MACs")), rows)], None)
"""
    env = {"PYTHONPATH": os.pathsep.join([ROOT, os.path.join(ROOT, "tests")]), "TERM": "dumb"}
    printed, _ = in_terminal(200, command=[sys.executable, "-c", code], **env)
    title, _, header, _, *rows = printed.splitlines()
    assert title == "[bold]title[/x]"
    assert header.split() == ["[/x]", "MACs"]
    assert [line.rsplit(maxsplit=1)[0].rstrip() for line in rows] == names_with_brackets()


def test_markup_in_errors_is_text(capsys):
    assert "'conv[relu]'" in piped("show", "conv[relu]").stderr.decode()
    for name in ("[/x]", "[bold]", "[link=x]"):
        assert app.run(["show", name]) == 2
        assert f"'{name}'" in capsys.readouterr().err


# --- T37: the same output everywhere --------------------------------------------------------------------------------

EVERYTHING = """
import sys
from costcalc.cli.app import run
for words in (
    "list", "show resnet18", "show googlenet --depth 1", "show mobilenet_v2@w=0.5 -f json",
    *(f"show inception_module -f {format}" for format in ("table", "csv", "markdown", "latex", "mermaid", "dot")),
):
    assert run(words.split()) == 0
"""


@cache
def everything(python=sys.executable, **env):
    done = subprocess.run([python, "-c", EVERYTHING], capture_output=True, env={**PLAIN, "PYTHONPATH": ROOT, **env})
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def test_hash_seed_and_locale_change_nothing():
    locales = ("C", "C.UTF-8", "tr_TR.ISO-8859-9")
    outputs = {
        everything(
            PYTHONHASHSEED=str(seed),
            LC_ALL=locales[seed % 3],
            TZ=("UTC", "Asia/Tokyo")[seed % 2],
            PYTHONIOENCODING=("", "latin-1")[seed // 3],
        )
        for seed in range(6)  # each locale in each time zone
    }
    assert len(outputs) == 1
    assert "×".encode() in outputs.pop()


@pytest.mark.parametrize("version", ["3.12", "3.13", "3.14"])
def test_the_version_of_python_changes_nothing(version):
    """Runs on the packages of this Python, if such an interpreter is installed and can use them."""
    python = shutil.which(f"python{version}")
    packages = os.path.dirname(os.path.dirname(__import__("networkx").__file__))
    env = {"PYTHONPATH": os.pathsep.join([ROOT, packages]), "PYENV_VERSION": version}
    asks = [python, "-c", "import networkx, typer, yaml"]
    if not python or subprocess.run(asks, capture_output=True, env={**PLAIN, **env}).returncode:
        pytest.skip(f"Python {version} is not installed")
    assert everything(python, **env) == everything()
