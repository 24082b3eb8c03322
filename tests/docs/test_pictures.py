"""The pictures of the docs are what the commands beside them draw today."""

import json
import re
import shlex
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from support import needed
from support.pages import PAGES, UPDATE, blocks
from support.paths import ROOT

from costcalc.cli.app import run
from costcalc.store import Record
from costcalc.store.roofline_of_run import roofline_of_run

needed.module("matplotlib", "report")
MEASURED = {"roofline.svg": ROOT / "tests" / "data" / "mobilenet_v2_run.json"}  # a command times anew; this is its run


def pictures_of(words):
    """The SVG files that a command writes, of which the docs show some."""
    named = [after for option, after in pairwise(words) if option in ("--plot", "-o") and after.endswith(".svg")]
    return dict.fromkeys(named, words[1:])


SHOWN = {name for page in PAGES for name in re.findall(r"pictures/(\w+\.svg)", page.read_text(encoding="utf-8"))}
COMMANDS = {
    name: command
    for page in PAGES
    for block in blocks(page.read_text(encoding="utf-8"), "console")
    for line in block.splitlines()
    if line.startswith("$ ")
    for name, command in pictures_of(shlex.split(line[2:])).items()
    if name in SHOWN
}


def content(svg):
    """What is written in a picture, and where its marks are, to the point."""
    tree = ElementTree.fromstring(svg)
    texts = ["".join(e.itertext()).strip() for e in tree.iter() if e.tag.endswith("}text")]
    marks = [(round(float(e.get("x"))), round(float(e.get("y")))) for e in tree.iter() if e.tag.endswith("}use")]
    return {*texts}, marks  # along a line matplotlib writes a number as often, and in the order, that suits it


def test_every_picture_has_its_command():
    assert SHOWN == {*COMMANDS, *MEASURED} == {path.name for path in (ROOT / "docs" / "pictures").iterdir()}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_picture_is_that_of_today(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(COMMANDS[name]) == 0
    check(name, (tmp_path / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", MEASURED)
def test_a_picture_of_a_measurement_is_that_of_its_run(name):
    run_there = json.loads(MEASURED[name].read_text(encoding="utf-8"))
    check(name, roofline_of_run(Record(**run_there)).svg())


def check(name, svg):
    """The picture of the docs has these texts, and marks at these places."""
    kept = ROOT / "docs" / "pictures" / name
    if UPDATE:
        kept.write_text(svg, encoding="utf-8", newline="\n")
        return
    (texts, marks), (now, there) = content(kept.read_text(encoding="utf-8")), content(svg)
    assert now == texts
    assert len(there) == len(marks)
    assert all(abs(a - c) <= 2 and abs(b - d) <= 2 for (a, b), (c, d) in zip(there, marks, strict=True))
