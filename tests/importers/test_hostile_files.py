"""Hostile files (T14, T15): refused in one line or counted, whatever the bytes; no memory, no other file, no signal.

More mutants are tried at night (tests/nightly/hostile_files.py).
"""

import json

import pytest
from support import needed
from support.confined import confined

needed.module("onnx", "onnx")

from support.hostile_files import BAD_TENSORS, GOOD_TENSORS, TENSORS, changed_models, crafted, header, mutants, seeds  # noqa: E402

import costcalc  # noqa: E402
from costcalc.errors import CostcalcError  # noqa: E402

MAX_MEGABYTES = 250  # with the package onnx, which takes 100


def test_crafted_files_and_mutants_of_onnx(tmp_path):
    """The child has no stray exception, and opens no other file."""
    known = {**{f"good {i}": seed for i, seed in enumerate(seeds())}, **crafted()}
    cases = [*known.values(), *mutants(seeds(), 60, seed=1), *changed_models(seeds(), 60, seed=3)]
    found = confined("onnx", cases, megabytes=MAX_MEGABYTES, cwd=tmp_path, profiled=False)
    kinds = dict(zip(known, (one.kind for one in found)))
    assert [name for name, kind in kinds.items() if kind == "ok"] == [
        "good 0", "good 1", "good 2", "a huge range",
    ]  # fmt: skip
    assert all("\n" not in one.text and len(one.text) < 2000 for one in found), [one.text for one in found]


def test_headers_of_tensors(tmp_path):
    """What is not refused is what the library of the format reads."""
    cases = [GOOD_TENSORS, *BAD_TENSORS.values(), *mutants([GOOD_TENSORS], 1000, seed=2)]
    found = confined("safetensors", cases, megabytes=MAX_MEGABYTES, cwd=tmp_path, profiled=False)
    assert [one.kind for one in found[: 1 + len(BAD_TENSORS)]] == ["ok", *["refused"] * len(BAD_TENSORS)]
    assert all("\n" not in one.text for one in found)
    accepted = [(case, one.text) for case, one in zip(cases, found) if one.kind == "ok"]
    assert 20 < len(accepted) < 1000
    library = needed.module("safetensors", "zoo")
    for case, said in accepted:
        theirs = library.deserialize(case)
        assert said == f"{sum(count(entry['shape']) for _, entry in theirs):,} params"


def count(shape):
    """The numbers of a tensor."""
    found = 1
    for size in shape:
        found *= size
    return found


def test_a_table_of_tensors(tmp_path):
    path = tmp_path / "net.safetensors"
    path.write_bytes(GOOD_TENSORS)
    table = costcalc.tensors(path)
    assert (table.params, table.bytes) == (6 + 3 + 1, 24 + 6 + 8)
    assert [(row["name"], row["shape"], row["dtype"], row["params"], row["bytes"]) for row in table.table().rows] == [
        ("a.bias", "3", "BF16", 3, 6), ("a.weight", "2×3", "F32", 6, 24), ("n", "1", "I64", 1, 8),
    ]  # fmt: skip
    assert table.to_dict()["tensors"][1]["shape"] == [2, 3]
    blocks = costcalc.tensors(path, depth=1)
    assert [(row["name"], row["tensors"], row["params"]) for row in blocks.table().rows] == [("a", 2, 9), ("n", 1, 1)]
    assert blocks.to_dict()["blocks"][0]["bytes"] == 30
    assert "types: 3 BF16, 6 F32, 1 I64" in str(table)


def test_names_are_in_the_order_of_their_numbers(tmp_path):
    path = tmp_path / "net.safetensors"
    names = ["layers.10.w", "layers.9.w", "layers.9.b", "a", "9"]
    entry = {"dtype": "U8", "shape": [0], "data_offsets": [0, 0]}
    path.write_bytes(header(dict.fromkeys(names, entry)))
    assert [tensor.name for tensor in costcalc.tensors(path).tensors] == [
        "9", "a", "layers.9.b", "layers.9.w", "layers.10.w",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("show t.safetensors --train", "--train: a .safetensors file has tensors and no layers"),
        ("memory t.safetensors", "has tensors and no layers; `costcalc show` lists them"),
        ("show none.safetensors", "there is no file 'none.safetensors'"),
        ("show t.safetensors --columns nme", "did you mean 'name'?"),
        ("show bad.safetensors", "'bad.safetensors' is no safetensors file, or damaged: its header would have"),
        ("show t.safetensors -f dot", "use them with `costcalc show`"),
    ],
)
def test_what_a_file_of_tensors_cannot_is_said(words, said, tmp_path, capsys, monkeypatch):
    from costcalc.cli.app import run

    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.safetensors").write_bytes(GOOD_TENSORS)
    (tmp_path / "bad.safetensors").write_bytes(GOOD_TENSORS[:40])
    assert run(words.split()) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("format", ["table", "csv", "json", "markdown", "latex"])
def test_every_format_has_all_tensors(format, tmp_path, capsys):
    from costcalc.cli.app import run

    path = tmp_path / "t.safetensors"
    path.write_bytes(GOOD_TENSORS)
    assert run(["show", str(path), "-f", format]) == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in TENSORS if name != "__metadata__")
    if format == "json":
        assert json.loads(printed)["totals"] == {"tensors": 3, "params": 10, "bytes": 38}


def test_depth_is_at_least_one(tmp_path):
    (tmp_path / "t.safetensors").write_bytes(GOOD_TENSORS)
    with pytest.raises(CostcalcError, match="depth is at least 1"):
        costcalc.tensors(tmp_path / "t.safetensors", depth=0)
