"""`costcalc formula`, and which knob and which block a cost hangs on."""

import csv
import io
import json
import re
import subprocess
import sys
from fractions import Fraction

import pytest
from support.formulas import SPECS, net_of

import costcalc
from costcalc import load
from costcalc.analysis.closed_form.elasticity import by_term, elasticities
from costcalc.cli import run
from costcalc.errors import CostcalcError, UnknownName
from costcalc.table import cell


@pytest.fixture
def say(capsys):
    def words(line):
        code = run(line.split())
        out, err = capsys.readouterr()
        return code, out, err

    return words


def test_text(say):
    code, out, err = say("formula alexnet_torchvision")
    assert (code, err) == (0, "")
    assert "MACs of alexnet_torchvision\n" in out
    assert "classifier  4,096·batch·(classes + 13,312)" in out
    assert "holds for r ≥ 63\n" in out
    assert "MACs of alexnet_torchvision, r = 16·k" in out
    assert "total       batch·(3,738,624·k² − 5,690,880·k + 4,096·classes + 56,994,496)" in out


def test_efficientnet(say):
    _, out, _ = say("formula efficientnet --metric macs")
    for part in ("ceil(4*d)", "round_to(192*w, 8)", "ceil(r/32)²", "holds for r ≥ 32", "efficientnet, r = 32·k"):
        assert part in out


def test_over(say):
    _, out, _ = say("formula conv_depthwise_separable --over conv_normal")
    assert "MACs  1/n_c' + 1/f²\n" in out
    _, out, _ = say("formula inception_bottleneck --over inception_naive")
    assert "MACs  b/c_in + b/(k²·c_out)\n" in out
    assert "b < k²·c_in·c_out/(c_in + k²·c_out) = 154.839 (4,800/31); b is 16" in out


def test_assume(say):
    _, out, _ = say("formula resnet50 --assume r%32==0")
    assert "MACs of resnet50, r a multiple of 32\n" in out
    assert "conv1    2,352·batch·r²\n" in out
    assert "ceil" not in out


def test_set_makes_numbers_of_knobs(say):
    _, out, _ = say("formula conv1x1 --set r=28 --set c_in=192")
    assert "conv   150,528·batch·c_out\n" in out


def test_json(say):
    _, out, _ = say("formula lenet5 --format json --elasticity --by-term")
    document = json.loads(out)
    assert document["metric"] == "macs"
    assert document["free"]["r"] == 32
    assert document["text"].startswith("batch·(25·c1·c_in·(r − 4)²")
    assert document["domain"][0]["least"] == 16
    assert document["python"].startswith("def floor(")
    assert document["latex"].startswith("\\begin{align*}")
    assert document["without_floors"]["given"] == ["r = 4·k"]
    assert [term["name"] for term in document["terms"]] == ["conv1", "conv2", "fc3", "fc4", "fc5"]
    assert sum(row["value"] for row in document["by_term"]) == load("lenet5").cost().macs
    assert {row["knob"] for row in document["elasticity"]} == {"r", "c_in", "c1", "c2", "classes", "batch"}


def test_two_lines_of_python_do_the_same(say):
    found = costcalc.formula("lenet5", assume=["r%4==0"])
    assert found.to_dict()["given"] == ["r a multiple of 4"]
    assert say("formula lenet5 --assume r%4==0 --python")[1] == found.python
    assert say("formula lenet5")[1] == f"{costcalc.formula('lenet5')}\n"


def test_tables_that_were_asked_for_stay_tables_in_latex(say):
    _, out, _ = say("formula lenet5 --elasticity --format latex")
    assert r"\begin{tabular}" in out


def test_numbers_are_numbers_for_programs_and_rounded_for_readers(say):
    _, out, _ = say("formula mobilenet_v1 --elasticity -f csv")
    rows = {row["knob"]: row for row in csv.DictReader(io.StringIO(out))}
    assert rows["classes"]["at"] == "1000"
    assert {key: float(rows["r"][key]) > 1.9 for key in ("elasticity", "doubled", "exponent")} == dict.fromkeys(
        ("elasticity", "doubled", "exponent"), True
    )
    _, out, _ = say("formula mobilenet_v1 --elasticity -f json")
    in_json = {row["knob"]: row for row in json.loads(out)["elasticity"]}
    assert (in_json["classes"]["at"], in_json["w"]["at"], in_json["batch"]["doubled"]) == (1000, 1, 2)
    assert in_json["r"]["elasticity"] == float(rows["r"]["elasticity"])
    _, out, _ = say("formula mobilenet_v1 --elasticity")
    assert re.search(r"^classes +1000 +0\.002 +1\.002× +0\.003$", out, re.MULTILINE)


def test_json_of_a_ratio(say):
    _, out, _ = say("formula inception_bottleneck --over inception_naive -f json")
    document = json.loads(out)
    assert document["value"] == {"numerator": 31, "denominator": 300, "decimal": 31 / 300}
    assert document["break_evens"][0]["text"] == "k²·c_in·c_out/(c_in + k²·c_out)"


def test_code_to_a_file_runs(say, tmp_path):
    assert say(f"formula mobilenet_v2 --python -o {tmp_path / 'macs.py'}") == (0, "", "")
    done = subprocess.run(
        [sys.executable, "-c", "import macs; print(macs.macs(w=1.4))"], cwd=tmp_path, capture_output=True, text=True
    )
    assert int(done.stdout) == load("mobilenet_v2_140_224").cost().macs


def test_latex_by_option_by_format_and_by_suffix(say, tmp_path):
    _, out, _ = say("formula conv_normal --latex")
    assert out.startswith("\\begin{align*}\n  \\mathrm{macs} &= ")
    assert say("formula conv_normal --format latex")[1] == out
    assert say(f"formula conv_normal -o {tmp_path / 'conv.tex'}")[0] == 0
    assert (tmp_path / "conv.tex").read_text() == out


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("formula lenet5 --metric parms", "error: unknown metric 'parms'; did you mean 'params'?\n"),
        ("formula lenet5 --assume r>3", "error: 'r>3' is no assumption; write r%32==0 for a formula in r, or r=32*k"),
        ("formula lenet --metric macs", "error: no spec or preset named 'lenet'"),
        ("formula residual_block --metric norm --over conv_normal", "error: conv_normal has no norm to compare with\n"),
    ],
)  # fmt: skip
def test_bad_input_is_named_on_stderr(say, line, message):
    code, out, err = say(line)
    assert (code, out) == (2, "")
    assert err.startswith(message)


# ---- which block


@pytest.mark.parametrize("name", SPECS)
@pytest.mark.parametrize("metric", ["macs", "params", "activations"])
def test_blocks_sum_to_the_total_the_largest_first(name, metric):
    table = by_term(net_of(name), metric).table()
    values = [row["value"] for row in table.rows]
    assert sum(values) == table.totals["value"] == net_of(name).cost().total(metric)
    assert values == sorted(values, reverse=True)
    assert sum(Fraction(row["share"]) for row in table.rows) == pytest.approx(1)


def test_blocks_of_a_preset_are_formulas_in_all_knobs():
    table = by_term(load("efficientnet_b3")).table()
    assert table.rows[0]["name"] == "stage6"
    assert table.rows[0]["value"] == 403_645_440
    assert "ceil(3*d)" in table.rows[0]["formula"]
    assert table.notes[0] == "at r = 300, d = 1.4, w = 1.2, classes = 1000, batch = 1"


# ---- which knob


def rows_of(target, metric="macs"):
    return {row["knob"]: row for row in elasticities(load(target), metric).to_records()}


def test_elasticity_of_a_monomial_is_its_exponent():
    rows = rows_of("inception_naive")
    assert {knob: row["elasticity"] for knob, row in rows.items()} == {
        "r": 2,
        "c_in": 1,
        "c_out": 1,
        "k": 2,
        "batch": 1,
    }


def test_efficientnet_is_close_to_d_w2_r2():
    rows = rows_of("efficientnet_b0")
    shown = {knob: cell(rows[knob]["elasticity"], "real") for knob in "rdw"}
    assert shown == {"r": "1.990", "d": "1.028", "w": "1.879"}


def test_the_relaxed_slope_is_that_of_exact_counts_far_out():
    """Roundings matter less the larger the net: there the secant meets the tangent."""
    here, more = (load(f"efficientnet@r={r},d=40,w=40").cost().macs for r in (22_400, 22_624))
    slope = (more / here - 1) / 0.01
    assert float(rows_of("efficientnet@r=22400,d=40,w=40")["r"]["elasticity"]) == pytest.approx(slope, rel=0.01)


@pytest.mark.parametrize("target", ["efficientnet_b2", "mobilenet_v2", "lenet5", "resnet50"])
def test_doubling_is_exact(target):
    net = load(target)
    for knob, row in rows_of(target).items():
        assert row["doubled"] * net.cost().macs == net.with_knobs(**{knob: 2 * net.values[knob]}).cost().macs


def test_a_knob_that_cannot_be_doubled_says_nothing():
    row = rows_of("lenet5_1998")["r"]
    assert row["doubled"] is None
    assert re.fullmatch(r"\d\.\d{3}", cell(row["elasticity"], "real"))


def test_a_cost_of_nothing_has_no_elasticity():
    with pytest.raises(CostcalcError, match="conv_normal has no norm"):
        elasticities(load("conv_normal"), "norm")


def test_an_unknown_metric_of_an_elasticity_is_named():
    with pytest.raises(UnknownName, match="unknown metric 'mac'"):
        elasticities(load("conv_normal"), "mac")


@pytest.mark.parametrize(
    ("words", "first", "second"),
    [
        ("--over conv1x1 --elasticity", "--over", "--elasticity"), ("--over conv1x1 --by-term", "--over", "--by-term"),
        ("--over conv1x1 --assume nonsense", "--over", "--assume"), ("--latex --python", "--python", "--latex"),
        ("--python --elasticity", "--python", "--elasticity"), ("--python -f json", "--python", "--format"),
        ("--latex --by-term", "--latex", "--by-term"), ("--latex -f json", "--latex", "--format"),
        ("--assume r%32==0 --elasticity", "--assume", "--elasticity"),
    ],
)  # fmt: skip
def test_options_that_make_no_sense_together_are_refused(say, words, first, second):
    message = f"error: {first} does not go with {second}; give one of them\n"
    assert say(f"formula conv_normal {words}") == (2, "", message)
