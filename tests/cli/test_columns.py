"""--columns and --dtype: any metric, in any order, in every command that counts."""

import json
import shlex

import pytest
from support import needed

import costcalc
from costcalc.cli.app import run


def csv(capsys, command):
    assert run([*shlex.split(command), "-f", "csv"]) == 0
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(
    ("command", "columns"),
    [
        ("show lenet5", "macs,name,peak_bytes,input_shape,activations_in_place"),
        ("show lenet5 --depth 1", "widest,name,flops,output,share"),
        ("show resnet50 --unroll", "traffic_bytes,name"),
        ("compare lenet5 alexnet", "intensity,target,connections"),
        ("formula lenet5", "formula,name"),
        ("formula lenet5 --by-term", "share,value"),
        ("sweep lenet5 batch=1,2", "buffers,batch,norm"),
        ("sweep efficientnet --presets b0,b1", "activations_in_place,preset"),
        ("scale mobilenet_v2 --free w --max macs=300M", "flops,w,what,intensity"),
        ("scale efficientnet --free r,w --max macs=400M --top 3", "w,macs,r,peak_bytes"),
        ("scale efficientnet --compound phi=1", "macs,d,w,flops"),
        ("reconcile lenet5", "verdict,what"),
    ],
)
def test_these_columns_in_this_order(capsys, command, columns):
    lines = csv(capsys, f"{command} --columns {columns}")
    assert lines[0] == columns
    assert len(lines) > 1


def test_rows_and_totals_are_those_of_python(capsys):
    cost = costcalc.load("lenet5").cost()
    lines = csv(capsys, "show lenet5 --columns peak_bytes,macs")
    assert lines[1:] == [f"{cost.value('peak_bytes', i)},{row.macs}" for i, row in enumerate(cost.layers) if i]


def test_what_a_row_lacks_is_counted_at_its_knobs(capsys):
    lines = csv(capsys, "scale mobilenet_v2 --free w --max macs=300M --columns w,activations_in_place")
    for line in lines[1:]:
        w, count = line.split(",")
        assert costcalc.load("mobilenet_v2", w=w).cost().total("activations_in_place") == int(count)


def test_python_selects_the_same_columns(capsys):
    lines = csv(capsys, "scale mobilenet_v2 --free w --max macs=300M --columns w,peak_bytes,macs")
    found = costcalc.select(costcalc.scale("mobilenet_v2", "w", macs="300M"), "w,peak_bytes,macs")
    assert found.to_csv().splitlines() == lines
    swept = costcalc.sweep("lenet5", batch="1:3:1", metrics="macs,buffers")
    assert costcalc.select(swept, ["buffers", "batch"]).to_csv() == "buffers,batch\n0,1\n0,2\n0,3\n"
    with pytest.raises(costcalc.UsageError, match="params is not a column of this table"):
        costcalc.select(swept, "params")


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("show lenet5 --columns name,maks", "unknown column 'maks'; did you mean 'macs'?"),
        ("show lenet5 --columns name,name", "column name is there twice"),
        ("show lenet5 --columns seconds", "seconds is measured, not counted"),
        ("formula lenet5 --columns macs", "macs is not a column of this table; `--metric` says"),
        ("reconcile lenet5 --columns macs", "macs is not a column of this table; a spec says under"),
        ("scale lenet5 --free batch --max macs=1M --columns seconds", "seconds is measured, not counted"),
        ("formula lenet5 --python --columns name", "--python does not go with --columns"),
        ("compare lenet5 alexnet --dtype float17", "unknown dtype 'float17'"),
    ],
)
def test_what_is_refused(refused, command, message):
    refused(command, message)


def test_files_of_any_length_have_the_columns_too(tmp_path, capsys):
    needed.module("pyarrow", "parquet")
    import pyarrow.parquet

    for name in ("a.csv", "a.parquet"):
        words = f"sweep lenet5 batch=1:9:1 --columns flops,batch -o {tmp_path / name} --restart"
        assert run(shlex.split(words)) == 0
    flops = [2 * costcalc.load("lenet5", batch=n).macs for n in range(1, 10)]
    assert (tmp_path / "a.csv").read_text().split() == ["flops,batch", *(f"{n},{i}" for i, n in enumerate(flops, 1))]
    table = pyarrow.parquet.read_table(tmp_path / "a.parquet")
    assert (table.column_names, table["flops"].to_pylist()) == (["flops", "batch"], flops)


@pytest.mark.parametrize(
    "command",
    [
        "show lenet5 --columns weight_bytes", "compare lenet5 lenet5_1998 --by weight_bytes --columns weight_bytes",
        "sweep lenet5 batch=1 --metrics weight_bytes", "formula lenet5 --metric weight_bytes",
    ],
)  # fmt: skip
def test_bytes_are_of_the_dtype(capsys, command):
    def numbers(dtype):
        assert run([*shlex.split(command), "-f", "json", "--dtype", dtype]) == 0
        found = json.loads(capsys.readouterr().out)
        if "targets" in found:
            return found["targets"][0]["totals"]["weight_bytes"]
        return found["totals"]["weight_bytes"] if "totals" in found else found.get("text") or found["rows"][0]

    full, half = numbers("float32"), numbers("weights=float16")
    if isinstance(full, str):
        assert full != half
    else:
        of = (lambda row: row["weight_bytes"]) if isinstance(full, dict) else int
        assert of(full) == 2 * of(half) == 4 * costcalc.load("lenet5").params
