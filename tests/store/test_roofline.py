"""A roofline shows the layers and ceilings that a run has in the store, and says how to measure those it lacks."""

import json
from xml.etree import ElementTree

import pytest
from support import needed

from costcalc.chart.draw_roofline import KINDS, by_kind, largest
from costcalc.cli.app import run
from costcalc.errors import UsageError
from costcalc.store import Record, Store
from costcalc.store.export import export_rows
from costcalc.store.roofline_of_run import roofline_of_run

LAYERS = [  # name, op, macs, bytes, seconds
    ("conv1", "conv", 8_000_000, 1_000_000, 0.004), ("bn1", "batch_norm", 0, 2_000_000, 0.001),
    ("conv2", "depthwise", 1_000_000, 2_000_000, 0.002), ("flatten", "flatten", 0, 0, 0.0),
    ("fc", "linear", 2_000_000, 8_000_000, 0.003),
]  # fmt: skip


def record(timed=LAYERS, **result):
    found = [
        {"name": name, "op": op, "macs": macs, "bytes": moved, "forward": seconds, "backward": 0.0}
        for name, op, macs, moved, seconds in timed
    ]
    measured = {"seconds": 0.011, "layers": found, "ceilings": {"macs_per_second": 1e11, "bytes_per_second": 1e10}}
    settings = {"mode": "infer", "engine": "eager", "dtype": "float32", "batch": 2, "threads": 1}
    about = {"environment": {"device": "A device"}, "started_at": "2026-11-29T12:00:00.000+00:00"}
    return Record("my_net", "g", "d", settings, result={**measured, **result}, **about)


def test_layers_stand_where_they_were_measured():
    chart = roofline_of_run(record())
    assert [(layer.name, layer.kind) for layer in chart.layers] == [
        ("conv1", "conv"), ("conv2", "depthwise"), ("fc", "linear"),
    ]  # fmt: skip
    assert [layer.intensity for layer in chart.layers] == [8, 0.5, 0.25]
    assert [layer.rate for layer in chart.layers] == pytest.approx([2e9, 5e8, 2e9 / 3])
    assert (chart.whole.macs, chart.whole.bytes, chart.whole.seconds) == (11_000_000, 13_000_000, pytest.approx(0.01))
    assert [chart.ceiling(x) for x in (1, 10, 100)] == [1e10, 1e11, 1e11]
    assert chart.title == "my_net on A device"
    assert chart.notes[0] == "not drawn: 2 layers without MACs, 10.0 % of the time: batch_norm, flatten"
    assert "infer, eager, float32, batch 2, 1 thread" in chart.notes[2]
    assert [layer.name for layer in largest(chart)] == ["conv1", "fc", "conv2"]
    assert [*by_kind(chart)] == ["conv", "linear", "depthwise"]


def test_more_kinds_than_marks_are_taken_together():
    layers = [(f"l{i}", f"kind{i}", 10**6, 10**6, 0.001 * (20 - i)) for i in range(12)]
    chart = roofline_of_run(record(layers))
    assert [*by_kind(chart)] == [f"kind{i}" for i in range(len(KINDS) - 1)] + ["others"]
    assert sum(map(len, by_kind(chart).values())) == 12


def test_noise_is_said():
    notes = roofline_of_run(record(noisy=["two groups of times"], layers_other_cores=1.5)).notes
    assert notes[-2:] == ("noisy: two groups of times", "other processes used 1.5 cores while layers were timed")


@pytest.mark.parametrize(
    ("result", "message"),
    [
        ({"layers": None}, "has the whole network alone; `costcalc time my_net --per-layer` measures its layers"),
        ({"ceilings": None}, "has the whole network alone"),
        ({"layers": [{"name": "x"}]}, "are not understood"),
        ({"layers": "abc"}, "are not understood"),
        ({"ceilings": {"macs_per_second": 0, "bytes_per_second": 1}}, "no layer of run"),
        ({"layers": [{"name": "x", "op": "relu", "macs": 0, "bytes": 4, "forward": 1.0}]}, "no layer of run"),
    ],
)
def test_a_run_without_layers_says_how_to_get_them(result, message):
    with pytest.raises(UsageError, match=message):
        roofline_of_run(record(**result))


def test_the_command_draws_it_from_the_store_without_torch(tmp_path, monkeypatch, capsys):
    needed.module("matplotlib", "report")
    monkeypatch.chdir(tmp_path)
    store = Store(tmp_path / "s.db")
    kept, without = store.add(record()), store.add(record([]))
    words = ["runs", "show", "1", "--store", "s.db"]
    assert run([*words, "--roofline", "roof.svg"]) == 0
    svg = (tmp_path / "roof.svg").read_text()
    assert svg == roofline_of_run(kept).svg()
    texts = {"".join(e.itertext()) for e in ElementTree.fromstring(svg).iter() if e.tag.endswith("}text")}
    assert texts >= {"conv1", "conv2", "fc", "100 GMAC/s", "10 GB/s", "the whole network", "conv (1)"}
    assert "result: layers       5: --roofline FILE.svg draws them" in capsys.readouterr().out
    assert run([*words, "-f", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["result"]["layers"][0]["macs"] == 8_000_000
    assert run(["runs", "show", str(without.id), "--store", "s.db", "--roofline", "no.svg"]) == 2
    assert not (tmp_path / "no.svg").exists()
    assert "`costcalc time my_net --per-layer` measures its layers" in capsys.readouterr().err
    assert export_rows([kept])[0]["result.ceilings.macs_per_second"] == 1e11
