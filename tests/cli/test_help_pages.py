"""`costcalc help`: every page is there, and every page that a message names exists."""

import re

import pytest
from support.paths import ROOT

from costcalc.cli.app import run
from costcalc.cli.help_pages import page, pages


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


@pytest.mark.parametrize("words", [["macs"], ["MACs"], ["peak", "bytes"], ["peak-bytes"], ["×"]])
def test_a_term_is_that_of_the_page_of_terms(words, capsys):
    assert run(["help", *words]) == 0
    name, _, meaning = capsys.readouterr().out.rstrip("\n").partition(": ")
    row = f" | {meaning} |"
    assert words[0].casefold() in name.casefold().replace(" ", "-") and row in page("terms")


def test_help_of_a_command_is_its_own(capsys):
    run(["sweep", "--help"])
    own = capsys.readouterr().out
    assert run(["help", "sweep"]) == 0
    assert capsys.readouterr().out == own and "--histogram" in own
