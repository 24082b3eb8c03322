"""Rows that go to a file as they are made: the same as if all had been there at once, however large the grid."""

import csv
import io
import json
import os
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
from support import needed
from support.sizes import size
from support.streams import AXES, SMALL, wanted
from support.terminals import PLAIN, ROOT, piped

import costcalc
from costcalc import report
from costcalc.analysis.sweep.chunks import compute_chunk, points_for
from costcalc.analysis.sweep.grid import Grid
from costcalc.analysis.sweep.points import Points
from costcalc.analysis.sweep.state import SweepState
from costcalc.analysis.sweep.sweep import sweep
from costcalc.cli.app import run
from costcalc.errors import MissingExtra, UnknownName, UsageError
from costcalc.sweep_files.row_formats import CsvFormat
from costcalc.sweep_files.write import write
from costcalc.table import Column, Table

SIZE = size(1, 4)
SWEPT = dict(text.split("=", 1) for text in AXES)
BEYOND = {"target": "resnet50", "axes": ["r=224,16777216,1073741824", "batch=1,3,2147483648"]}  # past words, past 2^100


CASES = [
    ({}, (17, 3)), ({}, (40, 40)), ({}, (10**6, 100)), (BEYOND, (1, 1)), (BEYOND, (4, 2)), (BEYOND, (9, 9)),
    ({"where": "macs < 1e5"}, (17, 3)), ({"where": "macs < 1e5"}, (10**6, 100)), ({"where": "macs < 0"}, (40, 40)),
]  # fmt: skip


@pytest.mark.parametrize(("given", "points"), CASES)
def test_a_csv_is_that_of_all_points_at_once(tmp_path, given, points):
    here = wanted(tmp_path / "a.csv", points=points, **given)
    whole = sweep(here.model, here.grid, here.query)
    found = write(here)
    assert (tmp_path / "a.csv").read_text() == report.text([whole.table()], {}, "csv")
    assert (found.rows, found.notes) == (len(whole), tuple(whole.how_many()))


@pytest.mark.parametrize(("given", "points"), CASES)
def test_a_parquet_file_has_every_number(tmp_path, given, points):
    parquet = needed.module("pyarrow.parquet", "parquet")
    here = wanted(tmp_path / "a.parquet", points=points, **given)
    whole = sweep(here.model, here.grid, here.query)
    write(here)
    read = parquet.read_table(tmp_path / "a.parquet")
    assert read.column_names == [*whole.columns]
    for name, values in whole.columns.items():
        is_float = str(read.schema.field(name).type) == "double"
        assert read[name].to_pylist() == [float(value) if is_float else value for value in values.tolist()]
    whole.to_parquet(tmp_path / "b.parquet")
    assert parquet.read_table(tmp_path / "b.parquet").equals(read)


def test_the_types_of_parquet_columns():
    needed.module("pyarrow", "parquet")
    found = costcalc.sweep("resnet50", r=[224, 2**30], batch=[1, 2**31])
    types = {field.name: str(field.type) for field in found.to_arrow().schema}
    assert types == {"r": "int64", "batch": "int64", "params": "int64", "weight_bytes": "int64",
                     "macs": "decimal128(38, 0)", "elementwise": "decimal128(38, 0)",
                     "activations": "decimal128(38, 0)"}  # fmt: skip
    from costcalc.analysis.sweep.arrow import arrow_table, common_schema

    def kinds(*values):
        return [str(arrow_table(Points({"n": np.array([v], dtype=object)}), {}).schema.field("n").type) for v in values]

    assert kinds(1, 2**63 - 1, 2**63, 10**38 - 1, 10**38, Fraction(1, 3)) == [
        "int64", "int64", "decimal128(38, 0)", "decimal128(38, 0)", "string", "double",
    ]  # fmt: skip
    tables = [arrow_table(Points({"n": np.array([v], dtype=object)}), {}) for v in (7, 2**70, 10**40)]
    for count, expected in ((1, [7]), (2, [7, 2**70]), (3, ["7", str(2**70), str(10**40)])):
        schema = common_schema(table.schema for table in tables[:count])
        cells = [table.cast(schema)["n"].to_pylist()[0] for table in tables[:count]]
        assert cells == expected


def test_a_column_of_ratios_is_written_as_a_table_writes_it():
    """Metrics need not be whole."""
    column, values = Column("x", "x", "real"), [Fraction(1, 3), 2, Fraction(7, 2), 2**70]
    rows, points = CsvFormat((column,), {}), Points({"x": np.array(values, dtype=object)})
    at_once = report.text([Table("", [column], [{"x": value} for value in values])], {}, "csv")
    assert rows.head() + rows.piece(points) == at_once.encode()


def test_what_a_journal_keeps_of_points_is_exact():
    here = wanted("", **BEYOND)
    part = compute_chunk(here.task(None), here.grid)
    columns = {**part.points.columns, "x": np.array([Fraction(1, 3)] * 9, dtype=object), "y": np.ones(9)}
    state = SweepState([Points(columns)], 3, "why", 4, 5)
    again = SweepState.from_json(json.loads(json.dumps(state.to_json())))
    assert (again.invalid, again.reason, again.refused, again.rows) == (3, "why", 4, 5)
    for name, column in state.points.columns.items():
        assert again.points.columns[name].dtype == column.dtype
        assert again.points.columns[name].tolist() == column.tolist()
    assert SweepState.from_json({}) == SweepState()


# ---- the command


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A grid that does not fit, as a file."""
    path = tmp_path_factory.mktemp("large") / "a.csv"
    done = piped("sweep", "lenet5", "batch=1:520:1", "classes=2:1001:1", "-o", str(path))
    assert (done.returncode, done.stdout) == (0, b"")
    assert done.stderr.decode() == f"{path}: 520,000 of 520,000 points\n"
    return path


def test_a_grid_that_does_not_fit_goes_to_a_file(large):
    with open(large) as file:
        rows = list(csv.DictReader(file))
    assert [(int(row["batch"]), int(row["classes"])) for row in rows] == [
        (batch, classes) for batch in range(1, 521) for classes in range(2, 1002)
    ]
    for at in (0, 1, 262_143, 262_144, 519_999):
        cost = costcalc.load("lenet5", batch=int(rows[at]["batch"]), classes=int(rows[at]["classes"])).cost()
        assert (int(rows[at]["macs"]), int(rows[at]["params"])) == (cost.macs, cost.params)
    assert os.listdir(large.parent) == ["a.csv"]


def test_a_pipe_gets_the_same(large):
    for words in (["-f", "csv"], ["-f", "csv", "-o", "/dev/stdout"], ["-f", "csv", "-o", "-", "--workers", "2"]):
        done = piped("sweep", "lenet5", "batch=1:520:1", "classes=2:1001:1", *words)
        assert (done.returncode, done.stdout == large.read_bytes()) == (0, True)


def test_parquet_of_a_grid_that_does_not_fit(large, tmp_path):
    parquet = needed.module("pyarrow.parquet", "parquet")
    path = tmp_path / "a.parquet"
    written = costcalc.write_sweep("lenet5", path, batch=range(1, 521), classes=range(2, 1002))
    assert repr(written) == f"<costcalc.WrittenSweep '{path}': 520,000 of 520,000 points>"
    lines = large.read_text().splitlines()
    read = parquet.read_table(path)
    assert lines[0].split(",") == read.column_names
    columns = [column.to_pylist() for column in read.columns]
    assert [",".join(map(str, row)) for row in zip(*columns, strict=True)] == lines[1:]


def test_a_reader_that_has_seen_enough_is_no_error():
    command = [sys.executable, "-m", "costcalc", "sweep", "lenet5", "batch=1:520:1", "classes=2:1001:1", "-f", "csv"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**PLAIN, "PYTHONPATH": ROOT}
    )
    assert process.stdout.readline().startswith(b"batch,classes,params")
    process.stdout.close()
    assert (process.stderr.read().decode().split(":")[-1].strip()[-6:], process.wait()) in (("points", 0), ("", 0))


@pytest.mark.sized
@pytest.mark.parametrize(
    "words",
    [
        f"lenet5 batch=1:{600 * SIZE}:1 classes=2:1001:1",  # more rows than a sweep may keep: 750 MB where it did
        f"efficientnet r=64:2063:1 w=1:{1 + SIZE}:0.001 --top 3",  # all layers cost otherwise at each point: 550 MB
    ],
)
def test_memory_stays_small(words, tmp_path):
    code = (
        "import sys; from costcalc.cli import run; from support import confined\n"
        "code = run(['sweep', *sys.argv[1:], '--workers', '1'])\n"
        "print(confined.peak_megabytes()); sys.exit(code)"
    )
    path = os.pathsep.join([ROOT, os.path.join(ROOT, "tests")])
    given = [sys.executable, "-c", code, *words.split(), "-o", str(tmp_path / "a.csv")]
    done = subprocess.run(given, capture_output=True, text=True, env={**PLAIN, "PYTHONPATH": path})
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 400


def test_a_block_has_fewer_points_where_layers_cost_otherwise_at_each():
    net, some, many = costcalc.load("efficientnet"), tuple(range(32, 192)), tuple(range(32, 2032))
    assert points_for(net, Grid({"r": some, "d": some, "w": some}))[0] == 2**22  # d says how often layers are repeated
    assert points_for(net, Grid({"r": many, "w": many}))[0] == 2**20
    assert points_for(net, Grid({"batch": some, "r": some, "w": some}))[0] == 2**20
    assert points_for(net, Grid({"r": many[:1000], "w": many[:1000]}))[0] == 2**22  # one block
    assert points_for(net, Grid({"r": many[:500], "d": many[:1000], "w": many[:1000]}))[0] == 500 * 10**6 // 64
    assert points_for(net, Grid({"r": many, "d": many, "w": many}))[0] == 2**24


def test_a_condition_that_differs_between_chunks_is_none_within_them(tmp_path):
    path = tmp_path / "deeper.yaml"
    path.write_text(
        "name: deeper\ntitle: deeper\nsource: here\nknobs: {r: 8, d: 1, c: 4}\ninput: [3, r, r]\nlayers:\n"
        "  - conv: {channels: c, kernel: 1}\n  - conv: {channels: c, kernel: 1, when: d > 1}\n"
    )
    many = range(1, 2001)
    most = 2000**3 * (3 + 2000)
    found = costcalc.sweep(str(path), d=[1, 2], r=many, c=many, metrics="macs", where=f"macs >= {most}")
    assert found.to_records() == [{"d": 2, "r": 2000, "c": 2000, "macs": most}]


def test_a_pipe_gets_nothing_where_no_point_is_possible(monkeypatch, capsys, tmp_path):
    """As a file does."""
    monkeypatch.setattr("costcalc.sweep_files.write.MAX_ROWS_IN_MEMORY", 1)
    assert run(["sweep", SMALL, "r=1,2", "-f", "csv"]) == 2
    out, err = capsys.readouterr()
    assert (out, "all points are invalid: a window of 3 does not fit" in err) == ("", True)
    assert run(["sweep", SMALL, "r=8,9", "--where", "macs < 0", "-f", "csv"]) == 0
    assert capsys.readouterr().out.startswith("r,params,")


def test_a_front_of_costs_alone_is_warned_of_however_it_is_made(monkeypatch, capsys, tmp_path):
    words = ["sweep", SMALL, "r=8,9", "--pareto", "macs", "-o", str(tmp_path / "a.csv")]
    errors = set()
    for most in (500_000, 1):
        monkeypatch.setattr("costcalc.sweep_files.write.MAX_ROWS_IN_MEMORY", most)
        assert run(words) == 0
        errors.add(capsys.readouterr().err)
    (error,) = errors
    assert "--pareto minimises only; add something to maximise, as in --pareto macs,r" in error


def test_a_small_sweep_needs_no_journal(tmp_path, capsys):
    assert run(["sweep", SMALL, *AXES, "-o", str(tmp_path / "a.csv")]) == 0
    assert run(["sweep", SMALL, *AXES, "-f", "csv"]) == 0
    out, err = capsys.readouterr()
    assert ((tmp_path / "a.csv").read_text(), "") == (out, err)
    assert len([*csv.reader(io.StringIO(out))]) == 631
    assert os.listdir(tmp_path) == ["a.csv"]


@pytest.mark.parametrize("suffix", ["csv", "json", "md", "tex", "txt"])
def test_a_choice_made_chunk_by_chunk_is_written_in_any_format(tmp_path, suffix):
    here = wanted(tmp_path / f"a.{suffix}", pareto="r,d,w")
    write(here)
    whole = sweep(here.model, here.grid, here.query)
    format = report.format_of(None, here.path)
    assert here.path.read_text() == report.text([whole.table()], whole.to_dict(), format)


@pytest.mark.parametrize(
    ("words", "message", "code"),
    [
        ("-o a.foo", "'a.foo' has the suffix '.foo'; use one of", 2),
        ("-o a.parquet -f foo", "unknown format 'foo'", 2),
        ("-o missing/a.csv --resume", "there is no folder", 3), ("-o missing/a.parquet", "there is no folder", 3),
        ("-f csv -o / --resume", "it is a folder", 3),
    ],
)  # fmt: skip
def test_where_nothing_can_be_written(capsys, monkeypatch, tmp_path, words, message, code):
    needed.module("pyarrow", "parquet")
    monkeypatch.chdir(tmp_path)
    assert run(["sweep", "lenet5", "batch=1,2", *words.split()]) == code
    assert message in capsys.readouterr().err
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    "words",
    ["r=8,9,10 --fit", "--presets all", "--explain-steps", "r=8,9 --histogram macs", "r=8,9 --fit --plot p.svg"],
)
def test_parquet_holds_points_alone(capsys, monkeypatch, tmp_path, words):
    """Which is said before anything is counted or drawn."""
    if "--plot" in words:
        needed.module("matplotlib", "report")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.chdir(tmp_path)
    for name in ("fit.fit", "sweep.sweep_model", "sweep.histogram_model"):
        monkeypatch.setattr(f"costcalc.analysis.sweep.{name}", None)
    for name in ("presets.sweep_presets", "next_change.next_steps"):
        monkeypatch.setattr(f"costcalc.analysis.scaling.{name}", None)
    assert run(["sweep", SMALL, *words.split(), "-o", "x.parquet"]) == 2
    assert capsys.readouterr().err.startswith("error: 'x.parquet' has the suffix '.parquet'; use one of")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("q=1,2", "unknown knob 'q'"), ("r=8,9 --where nope", "nope"),
        ("r=8,9 --metrics nope", "unknown metric 'nope'"),
        ("r=8,9 --metrics seconds --resume", "a sweep file cannot have `seconds`"),
        ("r=8,9 --workers 0", "--workers must be"),
        ("r=8,9 --executor nope", "unknown executor 'nope'"), ("r=8,9 --metrics seconds --where nope", "nope"),
        ("r=8,9 --metrics seconds --executor nope", "unknown executor 'nope'"), ("", "nothing to sweep over"),
    ],
)  # fmt: skip
def test_a_mistake_is_said_before_a_missing_pyarrow(monkeypatch, tmp_path, capsys, words, message):
    if "seconds" in words:
        needed.module("torch", "torch")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.chdir(tmp_path)
    store = ["--store", "runs.db"] * ("seconds" in words and "--resume" not in words)
    assert run(["sweep", SMALL, *words.split(), *store, "-o", "x.parquet"]) == 2
    assert message in capsys.readouterr().err
    assert "x.parquet" not in os.listdir(tmp_path)


def test_parquet_needs_its_extra(monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    for more in ([], ["--resume"]):
        assert run(["sweep", SMALL, *AXES, *more, "-o", str(tmp_path / "a.parquet")]) == 3
        assert capsys.readouterr().err == "error: Parquet files need pyarrow: pip install 'costcalc[parquet]'\n"
        assert os.listdir(tmp_path) == []
    with pytest.raises(MissingExtra):
        costcalc.sweep(SMALL, **SWEPT).to_parquet(tmp_path / "a.parquet")


def test_python_says_what_it_cannot_write(tmp_path):
    with pytest.raises(UnknownName, match="has no suffix"):
        costcalc.write_sweep("lenet5", tmp_path / "a", batch=[1])
    with pytest.raises(UsageError, match="only a CSV or Parquet file"):
        costcalc.write_sweep("lenet5", tmp_path / "a.md", batch=[1], resume=True)
    with pytest.raises(UsageError, match=r"600,000 points are too many to be kept.*-o FILE.csv or .parquet"):
        costcalc.write_sweep("lenet5", tmp_path / "a.json", batch=range(1, 601), classes=range(2, 1002))
