"""The JSON of every command is what its schema says, and what the schema has once stays."""

import csv
import io
import json
import os
import re
import shlex

import jsonschema
import pytest
from support import needed
from support.documents import ANY, OPEN, SCHEMA, validator
from support.paths import TESTS

import costcalc
from costcalc.analysis.metrics import METRICS
from costcalc.cli.app import run
from costcalc.report.document_schema import keys
from costcalc.report.documents import DOCUMENTS
from costcalc.table.json_csv import json_pieces

GOLDEN = TESTS / "data" / "golden" / "json_keys.txt"
COMMANDS = {
    "list": "list", "info lenet5": "info", "info resnet50": "info", "show lenet5": "show",
    "show lenet5 --depth 1 --columns name,macs,receptive_field,intensity,train_macs": "show",
    "show lenet5 --dtype int8": "show", "compare conv_normal conv_depthwise_separable": "compare",
    "compare lenet5 conv1x1 alexnet_torchvision --by params,macs --columns target,top1,seconds,paths,ratio": "compare",
    "compare lenet5 mobilenet_v1 --break-even r=32:64:1": "compare_break_even",
    "compare lenet5 lenet5 --break-even r=32:64:1": "compare_break_even",
    "formula lenet5 --metric params": "formula", "formula lenet5 --elasticity": "formula",
    "formula lenet5 --by-term": "formula", "formula mobilenet_v1": "formula",
    "sweep lenet5 r=28:40:4": "sweep", "sweep mobilenet_v1 r=32,64 w=0.5,1 --metrics macs,seconds,intensity": "sweep",
    "sweep lenet5 r=28:40:4 --fit": "sweep_fit", "sweep lenet5 r=28:40:4 --histogram macs": "sweep_histogram",
    "sweep vgg --presets vgg11,vgg13": "sweep_presets", "scale lenet5 --free r --max macs=1M": "scale",
    "scale lenet5 --grid r=28:32:4 --grid c1=3,6 --max macs=1M": "scale_grid",
    "scale efficientnet --compound phi=1": "scale_compound", "check lenet5 --max macs=1M": "check",
    "check lenet5 --max macs=1K": "check", "memory lenet5": "memory", "memory lenet5 --train": "memory",
    "memory lenet5 --train --within 1MB": "scale",
    "memory lenet5 --train --checkpoint auto --within 1MB": "memory_checkpoint",
    "transfer lenet5 --classes 3": "transfer",
    "augment": "augment_list", "augment alexnet": "augment", "augment alexnet --step lenet5 --rate 100": "augment",
    "explain lenet5": "explain", "reconcile lenet5": "reconcile", "reconcile augment:alexnet": "reconcile",
    "reconcile vgg16 --figure 15237608": "reconcile_figure", "lecture 6": "lecture", "ops conv": "ops", "ops": "ops",
    "validate specs/lenet5.yaml": "validate", "validate nowhere.yaml": "validate",
}  # fmt: skip


@pytest.mark.parametrize("words", COMMANDS)
def test_a_command_prints_json_of_the_schema_and_plain_csv(words, capsys):
    assert run([*shlex.split(words), "-f", "json"]) in (0, 1, 2)
    document = json.loads(capsys.readouterr().out)
    validator(COMMANDS[words]).validate(document)
    OPEN.validate({**document, "added": 1})  # what later releases add
    assert run([*shlex.split(words), "-f", "csv"]) in (0, 1, 2)
    check_cells(capsys.readouterr().out)


def test_a_missing_key_and_another_type_are_found():
    document = costcalc.compare("conv_normal", "conv_depthwise_separable").to_dict()
    for change in ({"by": 3}, {"targets": None}, {"baseline": None}, {"pairs": [{}]}):
        assert not OPEN.is_valid(json.loads("".join(json_pieces({**document, **change}))))
    assert not ANY.is_valid({key: value for key, value in document.items() if key != "by"})


def test_it_is_a_schema_with_every_metric(capsys):
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert [*SCHEMA["$defs"]["metrics"]["properties"]] == [*METRICS]
    assert run(["schema", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == SCHEMA
    assert run(["schema", "--json", "--augment"]) == 2
    assert set(COMMANDS.values()) <= {*DOCUMENTS}


def test_what_it_has_once_stays():
    """A key that goes, or changes its type, breaks the programs of readers: raise schema_version instead."""
    now = {*keys()}
    if os.environ.get("COSTCALC_UPDATE_GOLDEN"):
        GOLDEN.write_text("".join(f"{line}\n" for line in sorted(now)), encoding="utf-8")
    kept = {*GOLDEN.read_text(encoding="utf-8").splitlines()}
    assert not kept - now, "these went"
    assert not now - kept, "add these: COSTCALC_UPDATE_GOLDEN=1 python -m pytest tests/report/test_document_schema.py"


GROUPED = re.compile(r"-?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?")
WITH_UNIT = re.compile(r"-?[0-9.,]+ ?(%|[KMGTB]|[KMGT]i?B|ms|s|×)")


def check_cells(text):
    """Each cell of a CSV is plain, and pandas reads numbers as numbers."""
    header, *rows = csv.reader(io.StringIO(text))
    assert len({*header}) == len(header) and all(re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", name) for name in header)
    assert all(len(row) == len(header) for row in rows)
    for row in rows:
        for name, cell in zip(header, row, strict=True):
            assert not GROUPED.fullmatch(cell) and not WITH_UNIT.fullmatch(cell), (name, cell)
            assert cell not in ("–", "?", "None", "nan", "True", "False"), (name, cell)
            assert not ("shape" in name and "×" in cell)
    pandas = needed.module("pandas", "pandas")
    frame = pandas.read_csv(io.StringIO(text))
    for name in {*header} & {*METRICS} - {"receptive_field", "stride", "jump"}:
        assert frame[name].isna().all() or pandas.api.types.is_numeric_dtype(frame[name]), name
