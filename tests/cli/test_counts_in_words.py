"""A number with a noun: one is one, many are many."""

import pytest
from support.records import record

import costcalc
from costcalc.cli.app import run
from costcalc.store import Store
from costcalc.text import plural

ONE = "name: one\ntitle: t\nsource: s\nknobs: {r: 1}\ninput: [1, 1, r]\nlayers: [conv: {channels: 1, kernel: 1}]\n"


@pytest.mark.parametrize(("count", "words"), [(0, "0 copies"), (1, "1 copy"), (2, "2 copies"), (1234, "1,234 copies")])
def test_a_count_and_its_noun(count, words):
    assert plural(count, "copy", "copies") == words
    assert plural(count, "point") == words.replace("copies", "points").replace("copy", "point")


@pytest.mark.parametrize(
    ("line", "one"),
    [
        ("validate one.yaml", "ok (1 layer, 2 params, 1 MAC)"),
        ("show one.yaml", "params: 1 weight, 1 bias, 0 normalisation"),
        ("sweep one.yaml r=1", "1 of 1 point\n"),
        ("sweep one.yaml r=1,2,3 --where macs>2", "\n2 do not meet the condition"),
        ("sweep one.yaml r=1,2 --where macs>1", "\n1 does not meet the condition"),
        ("scale one.yaml --free r,batch --max macs=1 --grid r=1:3:1 --grid batch=1:3:1", "1 of 9 points has macs ≤ 1"),
        ("compare one.yaml one.yaml --break-even r=1:1:1", "looked at: 1 value of r"),
        ("runs list", " 1 thread "),
    ],
)
def test_commands_say_one(line, one, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "one.yaml").write_text(ONE)
    monkeypatch.setenv("COSTCALC_STORE", str(tmp_path / "lab.db"))
    monkeypatch.setenv("COLUMNS", "300")
    Store(tmp_path / "lab.db").add(record(settings={"threads": 1}))
    assert run(line.split()) == 0
    assert one in capsys.readouterr().out


def test_results_say_one(tmp_path):
    (tmp_path / "one.yaml").write_text(ONE)
    net = costcalc.load(str(tmp_path / "one.yaml"))
    for result, one in (
        (net.cost().table(), "1 row>"),
        (costcalc.sweep(net, r=[1]), "1 of 1 point>"),
        (costcalc.sweep(net, r=[1]).table(), "1 row>"),
    ):
        assert one in repr(result)
    assert costcalc.sweep(net, r=[1, 2]).table(1).notes[0].startswith("1 more point: ")
