"""What is held over a step: the highest moment is the exact peak, of each kind, and the picture shows these numbers."""

from dataclasses import replace

import pytest
from support import needed

import costcalc
from costcalc.analysis.training.memory_timeline import memory_timeline
from costcalc.chart import short_number
from costcalc.chart.draw_bands import MAX_STEPS, drawn_steps
from costcalc.cli.app import run

STEPS = [
    ("lenet5@batch=8", {}), ("resnet18@batch=4", {"optimizer": "adam"}),
    ("mobilenet_v2", {"optimizer": "momentum"}),
    ("resnet18@batch=8", {"checkpoint": ("conv2_x", "conv3_x")}),
    ("resnet18@batch=8", {"checkpoint": ("conv*_x",), "optimizer": "adamw"}),
    ("vgg11@batch=2", {"freeze": ("..conv4",)}), ("googlenet_torchvision@batch=2", {}),
]  # fmt: skip


def model_of(name, step):
    found = costcalc.load(name)
    return found.with_step(replace(found.step, **step))


@pytest.mark.parametrize(("name", "step"), STEPS)
def test_the_highest_moment_of_a_step_is_the_exact_peak(name, step):
    model = model_of(name, step)
    found, most = memory_timeline(model, train=True), costcalc.memory(model, train=True)
    assert found.peak.bytes == max(moment.bytes for moment in found.moments) == most.bytes
    assert found.peak.bytes == model.cost().total("train_peak_bytes")
    assert dict(zip(found.kinds, found.peak.parts, strict=True)) == most.parts
    assert (found.peak.layer, found.peak.phase) == (most.layer, most.phase)
    assert all(size >= 0 for moment in found.moments for size in moment.parts)


@pytest.mark.parametrize("name", ["lenet5", "resnet18@batch=4", "mobilenet_v2", "googlenet", "efficientnet_b0"])
def test_the_highest_moment_of_inference_is_the_exact_peak(name):
    model = costcalc.load(name)
    found, most = memory_timeline(model), costcalc.memory(model)
    assert found.peak.bytes == most.bytes == model.cost().total("memory_bytes")
    assert found.peak.layer == most.layer
    assert dict(zip(found.kinds, found.peak.parts, strict=True)) == most.parts


def test_a_step_goes_forward_and_back_through_the_same_rows():
    found = memory_timeline(model_of("resnet18@batch=8", {"checkpoint": ("conv3_x",)}), train=True)
    phases = list(dict.fromkeys(moment.phase for moment in found.moments))
    assert phases == ["forward", "loss", "backward", "recomputation"]
    chart = found.chart()
    assert [part.name for part in chart.parts] == ["forward", "loss", "backward"]
    names = [place.name for place in chart.places]
    assert names.count("conv3_x") == 2
    assert (chart.parts[0].start, chart.parts[-1].end) == (0, len(found.moments))
    assert all(one.end == other.start for one, other in zip(chart.places, chart.places[1:], strict=False))


def test_a_picture_shows_these_numbers():
    chart = costcalc.memory("resnet18@batch=4", train=True, optimizer="adam").timeline().chart()
    totals = [sum(values) for values in zip(*(band.values for band in chart.bands), strict=True)]
    assert totals[chart.highest.x] == chart.highest.y == max(totals)
    assert totals.index(max(totals)) == chart.highest.x
    assert chart.highest.name == f"{short_number(chart.highest.y)}B\nbackward of conv4_x.first.shortcut.projection.conv"
    assert f"{chart.highest.y:,} bytes" in chart.notes[0]


def test_the_highest_of_many_moments_is_drawn():
    totals = [i * 7919 % 10_007 for i in range(5 * MAX_STEPS + 1)]
    steps = drawn_steps(totals)
    assert len(steps) <= MAX_STEPS
    assert totals.index(max(totals)) in steps
    assert steps == sorted(steps)
    assert drawn_steps([3, 1, 2]) == [0, 1, 2]


def test_the_command_draws_or_lists_it(tmp_path, monkeypatch, capsys):
    needed.module("matplotlib", "report")
    monkeypatch.chdir(tmp_path)
    found = memory_timeline(model_of("lenet5@batch=8", {"optimizer": "adam"}), train=True)
    assert run(["memory", "lenet5@batch=8", "--train", "--optimizer", "adam", "-o", "memory.svg"]) == 0
    assert (tmp_path / "memory.svg").read_text() == found.chart().svg()
    assert run(["memory", "lenet5@batch=8", "--train", "--optimizer", "adam", "--timeline", "-f", "csv"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + len(found.moments)
    assert lines[1 + found.highest].endswith(f",{found.peak.bytes}")


def test_the_rows_that_are_chosen_for_a_budget_are_drawn(tmp_path, monkeypatch):
    needed.module("matplotlib", "report")
    monkeypatch.chdir(tmp_path)
    words = ["memory", "resnet18@batch=8", "--train", "--checkpoint", "auto", "--within", "270MB", "-o", "auto.svg"]
    assert run(words) == 0
    plan = costcalc.memory("resnet18@batch=8", train=True, checkpoint="auto", within="270MB")
    assert (tmp_path / "auto.svg").read_text() == memory_timeline(plan.model, train=True).chart().svg()
