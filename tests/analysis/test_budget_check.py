"""Budgets kept and broken: the value is the cost's, the verdict is arithmetic, and CI reads it."""

import csv
import io
import json

import pytest
from support.terminals import in_terminal

import costcalc
from costcalc.analysis.annotations import annotation
from costcalc.analysis.metric_names import why_not_whole
from costcalc.analysis.metrics import METRICS
from costcalc.cli.app import run
from costcalc.errors import UnknownName, UsageError
from costcalc.table.units import Units, read_units

WHOLE = [name for name, metric in METRICS.items() if not why_not_whole(metric)]


def check(*targets, **more):
    return costcalc.check(*targets, config=False, **more)


def test_every_metric_that_is_a_whole_number_takes_a_budget():
    net = costcalc.load("lenet5")
    values = {name: net.cost().total(name) for name in WHOLE}
    kept, broken = check(net, **values), check(net, **{name: value - 1 for name, value in values.items()})
    assert (kept.ok, len(kept.budgets), kept.broken) == (True, len(WHOLE), ())
    assert [each.value for each in kept.budgets] == [*values.values()]
    assert {each.over for each in broken.broken} == {1}
    assert len(broken.broken) == len(WHOLE)
    for each in kept.budgets:
        assert each.value + each.left == each.budget
    for each in broken.broken:
        assert each.value - each.over == each.budget


def test_broken_budgets_come_first_and_a_line_says_all(capsys):
    net = costcalc.load("lenet5")
    most = net.macs - 2_000
    assert run(f"check lenet5 --max params=1G --max macs={most}".split()) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "1 of 2 budgets is broken"
    assert lines[3].split()[:5] == ["lenet5", "macs", f"{net.macs:,}", f"{most:,}", "2,000"]
    assert str(check(net, macs=most).broken[0]) == f"lenet5: macs {net.macs:,} > {most:,}, over by 2,000 (0.5 %)"
    assert run(["check", "lenet5", "--max", f"macs={net.macs}"]) == 0
    assert capsys.readouterr().out.startswith("the budget is kept\n")


def test_every_format_says_the_same(capsys):
    words = ["check", "lenet5", "conv1x1", "--max", "macs=100K", "--max", "params=70K"]
    texts = {}
    for format in ("json", "csv", "markdown", "latex", "github"):
        assert run([*words, "-f", format]) == 1
        texts[format] = capsys.readouterr().out
    found = check("lenet5", "conv1x1", macs="100K", params="70K")
    document = json.loads(texts["json"])
    assert (document["ok"], document["against"]) == (False, None)
    assert [row["over"] for row in document["budgets"]] == [each.over for each in found.broken] + [0, 0]
    read = [*csv.DictReader(io.StringIO(texts["csv"]))]
    assert [int(row["value"]) for row in read] == [row["value"] for row in document["budgets"]]
    assert texts["markdown"].startswith("**2 of 4 budgets are broken**\n")
    errors = [line for line in texts["github"].splitlines() if line.startswith("::error ")]
    assert len(errors) == len(found.broken) == 2
    assert errors[0].endswith("(316.5 %25)")
    assert texts["github"].splitlines()[-1] == "2 of 4 budgets are broken"


def test_a_file_takes_any_format(tmp_path, capsys):
    for name, more in (("a.md", []), ("a.json", []), ("a.txt", ["-f", "github"])):
        assert run(["check", "lenet5", "--max", "macs=1", "-o", str(tmp_path / name), *more]) == 1
    assert capsys.readouterr().out == ""
    assert (tmp_path / "a.md").read_text().startswith("**the budget is broken**")
    assert (tmp_path / "a.txt").read_text().startswith("::error title=macs over budget::lenet5: macs 416,520 > 1")


def test_an_annotation_is_one_line_that_no_name_can_leave():
    hostile = "a::b,c\n::set-env name=x::y%\r\x1b[31m"
    line = annotation("error", hostile, hostile, hostile)
    head, _, message = line[2:].partition("::")
    assert "\n" not in line and "\r" not in line and "\x1b" not in line
    assert head.count(",") == 2 and head.count(":") == 0  # file, line and title
    assert message.startswith("a::b,c%0A::set-env name=x::y%25")
    assert annotation("notice", "x") == "::notice::x"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("check lenet5 --max macz=1", "unknown metric 'macz'; did you mean 'macs'?"),
        ("check lenet5 --max macs=16MB", "MB is a unit of bytes, and macs is no metric of bytes; write macs=400M"),
        ("check lenet5 --max macs=4g", "'macs=4g' is not a budget: there is no unit 'g', did you mean 'G'?"),
        ("check lenet5 --max peak_bytes=4kB", "there is no unit 'kB', did you mean 'KB'?; write peak_bytes=24GB"),
        ("check lenet5 --max macs=4Q", "'macs=4Q' is not a budget: there is no unit 'Q'; write macs=400M"),
        ("check lenet5 --max intensity=4", "intensity is a quotient, and this takes whole numbers"),
        ("check lenet5 --max seconds=4", "seconds is measured, not counted"),
        ("check lenet5 --max macs=4.5", "'macs=4.5' is not a budget: macs is a whole number; did you mean 4.5G?"),
        (
            "check lenet5 --max peak_bytes=1.5",
            "peak_bytes is a whole number; did you mean 1.5GB?",
        ),
        ("check lenet5 --max macs=1 --max macs=2", "macs has two budgets; give one"),
        ("check lenet5", "there is no budget to check; give one, as in --max macs=300M"),
        ("check --max macs=1", "there are no networks to check: no pyproject.toml here has [tool.costcalc]"),
        ("check lenet vg16 --max macs=1", "no spec or preset named 'vg16'; did you mean 'vgg16'?"),
        ("check lenet5 --max macs=1 -f githb", "unknown format 'githb'; did you mean 'github'?"),
        ("check lenet5 --max macs=1 -f dot", "mermaid and dot draw the layers of one network"),
        ("show lenet5 -f github", "unknown format 'github'"),
        ("check lenet5 --max macs=1 --units K,M", "units 'K,M': give one of counts and one of bytes"),
        ("check lenet5 --max macs=1 --units X", "unknown unit 'X'"),
        ("check lenet5 --max macs=1 --metrics macs", "metrics are what is compared; name a revision too"),
        ("check lenet5 --max macs=1 --freeze c1", "are about a training step; add a budget of one"),
        ("check lenet5 --max train_macs=1 --optimizer adm", "unknown optimizer 'adm'; did you mean 'adam'?"),
        ("check lenet5 --max macs=1 --config no.toml", "cannot read 'no.toml': there is no such file or folder"),
    ],
)
def test_bad_input(refused, tmp_path, monkeypatch, line, said):
    monkeypatch.chdir(tmp_path)
    refused(line, said)


def test_budgets_of_training_are_those_of_the_step():
    net = costcalc.load("lenet5").with_step(costcalc.TrainStep("adam"))
    peak = net.cost().total("train_peak_bytes")
    assert check("lenet5", optimizer="adam", train_peak_bytes=peak).ok
    assert not check("lenet5", optimizer="adam", train_peak_bytes=peak - 1).ok
    assert peak > costcalc.load("lenet5").cost().total("train_peak_bytes")
    assert run(f"check lenet5 --optimizer adam --max train_peak_bytes={peak} -o -".split()) == 0


def test_units_are_of_tables_and_values_stay_exact():
    found = check("resnet50", macs="4.2G", peak_bytes="16MiB", units="G,MiB")
    cells = [row.split() for row in str(found).splitlines()[3:5]]
    assert cells[0][2:6] == ["4.089", "G", "4.200", "G"]
    assert cells[1][2:6] == ["9.762", "MiB", "16.00", "MiB"]
    assert (cells[0][6:8], cells[1][6:8]) == (["0.1108", "G"], ["6.238", "MiB"])  # what is left
    assert " 6 " in str(check("lenet5", macs=416_514, units="M"))
    assert " 0.08918 G " in str(check("resnet50", macs="4G", units="G"))  # over by
    assert [row["value"] for row in found.to_records()] == [4_089_184_256, 10_235_904]
    assert found.to_csv().splitlines()[1].startswith("resnet50,macs,4089184256,4200000000,")
    with pytest.raises(UnknownName, match="unknown unit"):
        check("lenet5", macs=1, units="Z")


def test_only_metrics_that_can_have_a_budget_are_listed():
    with pytest.raises(UnknownName) as caught:
        check("lenet5", foo=1)
    listed = str(caught.value)
    assert "macs" in listed
    assert not any(name in listed for name in ("receptive_field", "jump", "stride", "paths", "seconds", "intensity"))


def test_units_are_read_and_chosen():
    assert read_units("auto") == Units("auto", "auto")
    assert read_units(" MiB , K") == Units("K", "MiB")
    auto = read_units("auto")
    assert auto.shown(9999, of_bytes=False).__class__ is int
    assert (auto.shown(10**4, of_bytes=False).unit, auto.shown(10**6, of_bytes=True).unit) == ("K", "KiB")
    for text in ("K,K", "B,KB"):
        with pytest.raises(UsageError):
            read_units(text)


def test_on_a_narrow_terminal_the_verdict_stays():
    text, code = in_terminal(80, "check", "resnet50", "--max", "macs=4G", "--max", "params=26M")
    assert code == 1
    assert max(map(len, text.splitlines())) <= 80
    assert all(each in text for each in ("4,089,184,256", "4,000,000,000", "89,184,256"))
