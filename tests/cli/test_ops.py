"""`costcalc ops`: the ops and their fields, read off their classes."""

import json

import pytest
from support.paths import ROOT

from costcalc.analysis.op_catalog import describe_all_ops, describe_op, markdown, op_names
from costcalc.cli import run
from costcalc.ops import OPS, fields

PAGE = ROOT / "docs" / "specs.md"


def test_every_op_has_its_shapes_and_all_of_its_fields():
    assert op_names() == sorted({*OPS} - {"input"})
    for op in describe_all_ops():
        assert "->" in op["shapes"]
        assert [field["field"] for field in op["fields"]] == [*OPS[op["op"]].__dataclass_fields__]


def test_fields_have_kinds_and_defaults():
    assert describe_op("linear")["fields"] == [
        {
            "field": "features",
            "takes": "a whole number",
            "needed": True,
            "default": None,
            "synonyms": ["out_features", "units"],
        },
        {"field": "bias", "takes": "true or false", "needed": False, "default": True, "synonyms": ["use_bias"]},
    ]
    assert describe_op("transpose")["needs"] == ["refused: order … does not name each of … axes once"]
    assert describe_op("add")["needs"][0] == "At least two inputs; from the last, each axis equal or 1"


@pytest.mark.parametrize("name", fields.kind_names())
def test_every_kind_of_field_has_an_example_that_it_takes(name):
    (kind,) = getattr(fields, name).__metadata__
    assert kind.check(kind.example("n"), "n") is not None


def test_the_command(capsys):
    assert run(["ops"]) == 0
    table = capsys.readouterr().out
    assert all(f"\n{name} " in table for name in op_names())
    assert run(["ops", "conv"]) == 0
    assert "kernel    a whole number, or one for each axis" in capsys.readouterr().out
    assert run(["ops", "conv", "-f", "json"]) == 0
    assert [op["op"] for op in json.loads(capsys.readouterr().out)["ops"]] == ["conv"]


@pytest.mark.parametrize("name", ["cnv", "input"])
def test_an_op_that_does_not_exist(capsys, name):
    assert run(["ops", name]) == 2
    assert capsys.readouterr().err.startswith(f"error: unknown op {name!r}; ")


def test_the_page_lists_every_op():
    """COSTCALC_UPDATE_DOCS=1 writes the table of today, in test_docs.py."""
    assert markdown() in PAGE.read_text(encoding="utf-8")
