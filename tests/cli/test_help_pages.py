"""`costcalc help`: every page is there, and every page that a message names exists."""

import re

import pytest
from support.paths import ROOT

from costcalc.cli.app import run
from costcalc.cli.help_pages import pages


def test_without_a_name_all_pages_are_listed(capsys):
    assert run(["help"]) == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert listed == [*pages()]
    assert {"terms", "specs", "formats", "exit-codes"} <= {*listed}


@pytest.mark.parametrize("name", ["terms", "exit-codes", "exit_codes", "Specs"])
def test_a_page_is_that_of_the_docs(name, capsys):
    assert run(["help", name]) == 0
    file = ROOT / "docs" / f"{name.casefold().replace('-', '_')}.md"
    assert capsys.readouterr().out == file.read_text(encoding="utf-8")


def test_an_unknown_page_has_a_near_one(capsys):
    assert run(["help", "trems"]) == 2
    assert capsys.readouterr().err == "error: unknown page 'trems'; did you mean 'terms'?\n"


def test_messages_name_pages_that_exist():
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "costcalc").rglob("*.py")]
    named = {name for text in texts for name in re.findall(r"costcalc help ([a-z-]+)", text)}
    assert {"specs", "add-an-op", "augmentation"} <= named <= {*pages()}


def test_exit_codes_are_those_of_the_page():
    page = (ROOT / "docs" / "exit_codes.md").read_text(encoding="utf-8")
    head = (ROOT / "costcalc" / "cli" / "app.py").read_text(encoding="utf-8")
    said = re.search(r"Exit codes: (.*)\.", head)[1]
    assert re.findall(r"(?m)^\| (\d+) \|", page) == re.findall(r"\d+", said)
