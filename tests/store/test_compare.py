"""What may be compared with what (T36), what is said of it, and what other programs get."""

import csv
import io
import itertools
import json
import sys
from dataclasses import replace

import pytest
from support import needed
from support.records import RECORD, record

from costcalc import report
from costcalc.cli.app import run
from costcalc.errors import MissingExtra
from costcalc.report.parquet import parquet_bytes
from costcalc.store import Store, UnlikeRuns, compare, export_rows
from costcalc.store.export import TIMM
from costcalc.table import measured


def numbered(id, **changes):
    return replace(record(**changes), id=id)


# --- T36: unlike runs -----------------------------------------------------------------------------------------------

UNLIKE = {
    "mode": ("infer", "train"), "batch": (32, 1), "dtype": ("float32", "bfloat16"), "engine": ("eager", "compile"),
    "channels_last": (True, False), "threads": (2, 8), "tf32": (False, True), "device": ("cpu-4f2a", "gpu-77aa"),
}  # fmt: skip


def taken(id, values):
    """A run taken with these settings, and on this device."""
    settings = {key: value for key, value in values.items() if key != "device"}
    return replace(RECORD, id=id, device=values.get("device", "?"), settings=settings)


@pytest.mark.parametrize("keys", [*itertools.combinations(UNLIKE, 1), *itertools.combinations(UNLIKE, 2)])
def test_unlike_runs_are_refused_and_every_difference_named(keys):
    one = taken(1, {key: pair[0] for key, pair in UNLIKE.items()})
    other = taken(2, {key: pair[key in keys] for key, pair in UNLIKE.items()})
    for first, second in ((one, other), (other, one)):
        with pytest.raises(UnlikeRuns) as caught:
            compare(first, second)
        message = str(caught.value)
        assert [key for key in UNLIKE if f"{key} (" in message] == [key for key in UNLIKE if key in keys]
        forced = compare(first, second, force=True)
        assert {difference.key for difference in forced.unlike} == set(keys)
        assert forced.verdict == "inconclusive: the runs are unlike"
    assert compare(one, one).unlike == compare(other, other).unlike == ()


def test_a_run_of_another_version_of_graphs_is_no_baseline():
    old = replace(numbered(1), graph_hash="a1" * 32)  # before hashes told their version
    for runs in ((old, numbered(2)), (numbered(2), old)):
        with pytest.raises(UnlikeRuns) as caught:
            compare(*runs)
        assert str(caught.value) == (
            "run 1 is of another version of costcalc, whose hashes of layer graphs say nothing now: it may be another "
            "network; measure again, or --force compares it anyway"
        )
        assert compare(*runs, force=True).ratio == 1


def test_the_message_names_both_values():
    with pytest.raises(UnlikeRuns) as caught:
        compare(numbered(1), numbered(2, settings={"batch": 1, "tf32": True}, device="gpu"))
    assert str(caught.value) == (
        "runs 1 and 2 are unlike in device (cpu-4f2a and gpu), batch (32 and 1), tf32 (false and true); "
        "--force compares them anyway"
    )


@pytest.mark.parametrize("change", [{"threads": None}, {"tf32": 0}, {"batch": 32.0}, {"fuse": None}])
def test_a_missing_setting_or_one_of_another_kind_is_a_difference(change):
    with pytest.raises(UnlikeRuns):
        compare(numbered(1), numbered(2, settings=change))


def test_other_networks_may_be_compared():
    assert compare(numbered(1), numbered(2, target="vgg16", graph_hash="2:" + "c3" * 32)).ratio == 1


def test_a_noisy_run_is_no_baseline():
    noisy, calm = numbered(1, result={"noisy": ["load", "drift"]}), numbered(2, seconds=0.1)
    with pytest.raises(UnlikeRuns) as caught:
        compare(noisy, calm)
    assert str(caught.value) == "run 1 is too noisy to be a baseline (load, drift); measure again, or --force"
    assert compare(noisy, calm, force=True).verdict == "inconclusive: run 1 is noisy"
    assert compare(calm, noisy).verdict == "inconclusive: run 1 is noisy"
    assert "run 1 is noisy: load, drift" in compare(calm, noisy).table().notes


@pytest.mark.parametrize("seconds", [None, 0, -1, "fast", True])
def test_a_run_without_a_time_cannot_be_compared_even_by_force(seconds):
    with pytest.raises(UnlikeRuns, match=r"^run 2 has no median time$"):
        compare(numbered(1), numbered(2, result={"seconds": seconds}), force=True)


@pytest.mark.parametrize(
    ("seconds", "ratio", "apart", "verdict"),
    [
        (0.25, 2, True, "run 2 is 2.00 times faster than run 1: the 95 % intervals of the medians are apart"),
        (1.0, 0.5, True, "run 1 is 2.00 times faster than run 2: the 95 % intervals of the medians are apart"),
        (0.499, 0.5 / 0.499, False, "inconclusive: the 95 % intervals of the medians overlap"),
        (0.5, 1, False, "inconclusive: the 95 % intervals of the medians overlap"),
    ],
)
def test_faster_is_said_only_when_the_intervals_are_apart(seconds, ratio, apart, verdict):
    found = compare(numbered(1), numbered(2, seconds=seconds))
    assert (found.ratio, found.intervals_disjoint, found.verdict) == (ratio, apart, verdict)


def test_intervals_that_touch_overlap_and_missing_ones_say_nothing():
    touching = numbered(2, result={"seconds": 0.53, "seconds_low": 0.51, "seconds_high": 0.55})
    assert compare(numbered(1), touching).intervals_disjoint is False
    unknown = compare(numbered(1), numbered(2, result={"seconds": 0.1, "seconds_low": None}))
    assert unknown.intervals_disjoint is None
    assert unknown.verdict.endswith("the 95 % intervals of the medians are not known")


def test_other_versions_are_told_and_other_loads_are_not():
    other = numbered(
        2, environment={"versions": {"torch": "2.4"}, "load_before": 0.2, "gpu_clock_mhz": 1, "cpu_mhz": 2}
    )
    found = compare(numbered(1), other)
    assert found.table().notes[1:] == ["also differs: versions ({'torch': '2.9'} and {'torch': '2.4'})"]


@pytest.mark.parametrize(
    ("number", "text"),
    [(0.0123456, "0.01235"), (1.5, "1.500"), (12.3456, "12.35"), (999.96, "1,000.0"), (12345.6, "12,346"), (0, "0"),
     (123456789, "123,456,789"), (float("inf"), "inf"), (-0.5, "-0.5000")],
)  # fmt: skip
def test_measured_numbers_have_four_digits(number, text):
    assert measured(number) == text


# --- what other programs get ----------------------------------------------------------------------------------------


def test_timms_columns_are_first_and_in_its_units():
    (row,) = export_rows([RECORD])
    assert list(row)[:8] == [
        "model", "infer_samples_per_sec", "infer_step_time", "infer_batch_size", "infer_img_size", "infer_gmacs",
        "infer_macts", "param_count",
    ]  # fmt: skip
    # resnet50 in timm's results/benchmark-infer-*.csv: img_size 224, param_count 25.56, gmacs 4.11 (4.09 without the
    # zero-padded stride of its variant), macts 11.11; 32 images in half a second are 64 in one
    assert [row[name] for name in list(row)[:5]] == ["resnet50", 64.0, 500.0, 32, 224]
    assert [round(row[name], 2) for name in list(row)[5:8]] == [4.09, 11.11, 25.56]


def test_a_training_step_has_timms_parts():
    parts = {"forward_seconds": 0.1, "backward_seconds": 0.3, "optimizer_seconds": 0.1}
    (row,) = export_rows([record(settings={"mode": "train"}, result=parts)])
    found = {name: value for name, value in row.items() if name.startswith(("train_", "infer_"))}
    assert found == {
        "train_samples_per_sec": 64.0, "train_step_time": 500.0, "train_fwd_time": 100.0, "train_bwd_time": 300.0,
        "train_opt_time": 100.0, "train_batch_size": 32, "train_img_size": 224,
    }  # fmt: skip
    assert set(found) < set(TIMM)


def test_our_columns_follow_flat():
    (row,) = export_rows([record(result={"noisy": ["load", "drift"]})])
    assert (
        list(row)[8:13] == ["run", "started_at", "device", "graph_hash", "noisy"][:0] or row["noisy"] == "load; drift"
    )
    assert row["settings.dtype"] == "float32"
    assert row["environment.versions.torch"] == "2.9"
    assert row["result.input_shape"] == "[32, 3, 224, 224]"
    assert row["result.macs"] == 32 * 4_089_184_256


@pytest.mark.parametrize(
    "change",
    [
        {"settings": {"mode": "dream"}},
        {"settings": {"batch": 0}},
        {"settings": {"batch": "all"}},
        {"result": {"seconds": 0}},
    ],
)
def test_what_is_not_known_is_left_out(change):
    (row,) = export_rows([record(**change)])
    assert "infer_samples_per_sec" not in row


def test_all_rows_have_the_same_columns():
    rows = export_rows([RECORD, record(settings={"more": 1}), record(settings={"mode": "train"})])
    assert len({tuple(row) for row in rows}) == 1
    assert [row["settings.more"] for row in rows] == [None, 1, None]


ODD = [
    RECORD,
    record(target="=cmd|' /C calc'!A0", settings={"note": "@SUM(1)", "threads": "auto"}),
    record(target="naïve 畳 \x1b[31m", result={"macs": 10**30, "samples": 2.5}, environment={"driver": "\ud800"}),
]


def filled(tmp_path, records):
    path = str(tmp_path / "runs.db")
    for each in records:
        Store(path).add(each)
    return path


def test_export_as_csv_runs_no_formula(tmp_path, capsys):
    path = filled(tmp_path, ODD)
    assert run(["runs", "export", str(tmp_path / "out.csv"), "--store", path]) == 0
    assert run(["runs", "export", "-", "--store", path]) == 0
    text = (tmp_path / "out.csv").read_text(encoding="utf-8")
    assert capsys.readouterr().out == text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["model"] for row in rows] == ["resnet50", "'=cmd|' /C calc'!A0", "naïve 畳 \\x1b[31m"]
    assert [row["settings.note"] for row in rows] == ["", "'@SUM(1)", ""]
    assert [row["result.macs"] for row in rows] == ["130853896192", "130853896192", str(10**30)]


def test_export_as_json(tmp_path):
    path = filled(tmp_path, ODD)
    assert run(["runs", "export", str(tmp_path / "out.json"), "--store", path]) == 0
    rows = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert [row["result.macs"] for row in rows] == [32 * 4_089_184_256] * 2 + [10**30]
    assert rows == export_rows(Store(path).rows())


def test_export_as_parquet_comes_back(tmp_path):
    parquet = needed.module("pyarrow.parquet", "parquet")
    path = filled(tmp_path, ODD)
    assert run(["runs", "export", str(tmp_path / "out.parquet"), "--store", path]) == 0
    rows = parquet.read_table(tmp_path / "out.parquet").to_pylist()
    assert [row["model"] for row in rows] == [each.target for each in ODD]
    assert [row["infer_step_time"] for row in rows] == [500.0] * 3
    assert [row["id"] for row in rows] == [1, 2, 3]
    assert [row["settings.threads"] for row in rows] == ["2", '"auto"', "2"]  # of two kinds, so as JSON
    assert [row["result.macs"] for row in rows] == ["130853896192", "130853896192", str(10**30)]
    assert [row["settings.tf32"] for row in rows] == [False] * 3
    assert parquet.read_table(io.BytesIO(parquet_bytes([]))).num_rows == 0


def test_without_pyarrow_the_extra_is_named_after_mistakes(monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert run(["runs", "export", str(tmp_path / "x.parquet"), "--store", str(tmp_path / "none.db")]) == 2
    assert "nothing is written" in capsys.readouterr().err
    with pytest.raises(MissingExtra) as caught:
        parquet_bytes([])
    assert (str(caught.value), caught.value.exit_code) == (
        "Parquet files need pyarrow: pip install 'costcalc[parquet]'",
        3,
    )


def test_a_comparison_is_shown_in_every_format():
    found = compare(numbered(1), numbered(2, seconds=0.25))
    for format in ("table", "csv", "markdown", "latex"):
        assert "resnet50" in report.text([found.table()], found.to_dict(), format)
    assert json.loads(report.text([], found.to_dict(), "json"))["ratio"] == 2
