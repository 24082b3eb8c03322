"""docs/python.md names all that costcalc offers, all that it offers is there, and docs import nothing below it."""

import ast
import doctest
import re
from pathlib import Path

import pytest
from support import needed
from support.pages import PAGES, blocks

import costcalc
from costcalc.result import Result

PAGE = next(page for page in PAGES if page.name == "python.md").read_text(encoding="utf-8")
ABOVE, TORCH = PAGE.split("\n## torch\n")


def named(text):
    """Names in the tables of a page, and names of results."""
    rows = "\n".join(line for line in text.splitlines() if line.startswith("| "))
    return {*re.findall(r"`([A-Za-z_]+)`", rows)}


def test_the_page_has_all_public_names():
    names = named(ABOVE) | {*re.findall(r"`(Result|Validation)`", ABOVE)}
    assert names - {"warnings"} == {*costcalc.__all__}


def test_the_page_has_all_names_of_torch_backend():
    needed.module("torch", "torch")
    from costcalc import torch_backend

    assert named(TORCH) == {*torch_backend.__all__}


@pytest.mark.parametrize("name", costcalc.__all__)
def test_each_name_is_there(name):
    value = getattr(costcalc, name)
    assert getattr(value, "__name__", "").rpartition(".")[2] == name
    assert value.__doc__


def test_results_of_the_core_are_public():
    shown = {cls for cls in subclasses(Result) if "torch_backend" not in cls.__module__ and not cls.__abstractmethods__}
    hidden = {cls.__name__ for cls in shown if getattr(costcalc, cls.__name__, None) is not cls}
    assert hidden <= {"FormulaTables", "RunComparison"}  # the command's own; and costcalc.store's


def subclasses(cls):
    """All classes below a class."""
    for one in cls.__subclasses__():
        yield one
        yield from subclasses(one)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_docs_import_nothing_below_the_public_modules(page):
    source = "\n".join(blocks(page.read_text(encoding="utf-8"), "python"))
    code = "".join(example.source for example in doctest.DocTestParser().get_examples(source))
    for node in ast.walk(ast.parse(code)):
        match node:
            case ast.Import():
                modules = [name.name for name in node.names]
            case ast.ImportFrom():
                modules = [str(node.module)]
                if node.module == "costcalc":
                    assert {name.name for name in node.names} <= {*costcalc.__all__}
            case _:
                continue
        for module in modules:
            assert not module.startswith("costcalc.") or module == "costcalc.torch_backend", page.name


def test_checkers_read_the_list_that_the_package_reads():
    stub = ast.parse((Path(costcalc.__file__).parent / "__init__.pyi").read_text(encoding="utf-8"))
    names = [name for node in stub.body if isinstance(node, ast.ImportFrom) for name in node.names]
    assert [name.asname for name in names] == [name.name for name in names] == [*costcalc.MODULES]
