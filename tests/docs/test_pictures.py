"""The pictures of the docs are what the commands beside them draw today."""

import re
import shlex
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from support import needed
from support.pages import PAGES, UPDATE, blocks
from support.paths import ROOT

from costcalc.cli.app import run

needed.module("matplotlib", "report")
SHOWN = {name for page in PAGES for name in re.findall(r"pictures/(\w+\.svg)", page.read_text(encoding="utf-8"))}
COMMANDS = {
    file: words[1:]
    for page in PAGES
    for block in blocks(page.read_text(encoding="utf-8"), "console")
    for words in [shlex.split(line[2:]) for line in block.splitlines() if line.startswith("$ ")]
    for option, file in pairwise(words)
    if option == "--plot" or (option == "-o" and file in SHOWN)
}


def content(svg):
    """What is written in a picture, and where its marks are, to the point."""
    tree = ElementTree.fromstring(svg)
    texts = ["".join(e.itertext()).strip() for e in tree.iter() if e.tag.endswith("}text")]
    marks = [(round(float(e.get("x"))), round(float(e.get("y")))) for e in tree.iter() if e.tag.endswith("}use")]
    return {*texts}, marks  # along a line matplotlib writes a number as often, and in the order, that suits it


def test_every_picture_has_its_command():
    assert SHOWN == set(COMMANDS) == {path.name for path in (ROOT / "docs" / "pictures").iterdir()}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_picture_is_that_of_today(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(COMMANDS[name]) == 0
    kept = ROOT / "docs" / "pictures" / name
    if UPDATE:
        kept.write_bytes((tmp_path / name).read_bytes())
        return
    (texts, marks), (now, there) = content(kept.read_text(encoding="utf-8")), content((tmp_path / name).read_text())
    assert now == texts
    assert len(there) == len(marks)
    assert all(abs(a - c) <= 2 and abs(b - d) <= 2 for (a, b), (c, d) in zip(there, marks, strict=True))
