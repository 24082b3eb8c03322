"""`time --train` takes the step that is counted: its loss and targets, its optimizer, what is frozen, its precision."""

import pytest
from support import needed
from support.sizes import size

torch = needed.module("torch", "torch")

import costcalc  # noqa: E402
from costcalc.cli.app import run  # noqa: E402
from costcalc.dims import elements  # noqa: E402
from costcalc.store import Store, UnlikeRuns, compare  # noqa: E402
from costcalc.torch_backend import time_nets  # noqa: E402
from costcalc.torch_backend.measure import Measurement  # noqa: E402
from costcalc.torch_backend.peak import measured_peak  # noqa: E402
from costcalc.torch_backend.runner import Runner  # noqa: E402
from costcalc.torch_backend.settings import BadSetting, Settings  # noqa: E402
from costcalc.torch_backend.torch_step import cross_entropy, make_targets, output_shapes  # noqa: E402
from costcalc.train_step import OPTIMIZERS, TrainStep  # noqa: E402


def runner(target, **settings):
    net = costcalc.load(target)
    return Runner(net.graph(), Settings(batch=net.values["batch"], train=True, **settings))


@pytest.mark.usefixtures("short_turns")
def test_runs_say_how_they_were_trained_and_like_is_compared_with_like(tmp_path, capsys):
    path = str(tmp_path / "runs.db")
    words = ["time", "lenet5", "--train", "--quick", "--device", "cpu", "--store", path]
    for more in ([], ["--freeze", "..conv2"], ["--optimizer", "adam"], ["--freeze", "..conv2", "--freeze-statistics"]):
        assert run([*words, *more]) == 0
    assert run([word for word in words if word != "--train"]) == 0
    plain, frozen, adam, statistics, inference = Store(path).rows()
    asked = [
        (run.settings["optimizer"], run.settings["freeze_statistics"]) for run in (plain, frozen, adam, statistics)
    ]
    assert asked == [("sgd", False), ("sgd", False), ("adam", False), ("sgd", True)]
    assert {run.settings["loss"] for run in (plain, frozen, adam)} == {"cross-entropy"}
    assert not {"optimizer", "freeze_statistics", "loss"} & inference.settings.keys()
    assert frozen.target == "lenet5, frozen: ..conv2"
    assert plain.graph_hash == adam.graph_hash == inference.graph_hash != frozen.graph_hash == statistics.graph_hash
    assert (plain.run, frozen.run) == (1, 1)
    assert compare(plain, frozen, force=bool(plain.noisy)).unlike == ()
    with pytest.raises(UnlikeRuns, match="optimizer"):
        compare(plain, adam)


@pytest.mark.usefixtures("short_turns")
def test_networks_that_are_frozen_in_other_ways_are_timed_in_turns():
    groups = []
    nets = [costcalc.load("lenet5"), costcalc.load("lenet5@freeze=conv2")]
    time_nets(nets, device="cpu", seconds=0.001, train=True, finished=groups.append)
    assert [[one.target for one in group.measurements] for group in groups] == [["lenet5", "lenet5@freeze=conv2"]]
    whole, part = groups[0].measurements
    assert part.step_macs == costcalc.load("lenet5@freeze=conv2").cost().total("train_macs") < whole.step_macs


@pytest.mark.sized
@pytest.mark.parametrize("optimizer", size(("adam",), tuple(OPTIMIZERS)))
@pytest.mark.parametrize("target", ["resnet18@r=64,batch=8", "mobilenet_v2@r=64,batch=4"])
def test_the_peak_is_predicted_but_for_workspaces(target, optimizer):
    net = costcalc.load(target).with_step(TrainStep(optimizer))
    settings = Settings(batch=net.values["batch"], train=True, optimizer=optimizer)
    predicted = Measurement("it", net.graph(), settings).predicted_peak
    runs = Runner(net.graph(), settings)
    runs.run()  # the optimizer takes what it keeps
    assert predicted <= measured_peak(runs) <= 1.2 * predicted


def test_the_peak_in_mixed_precision_is_predicted_too():
    net = costcalc.load("resnet18@r=64,batch=8").with_step(TrainStep("adam"))
    settings = Settings(batch=8, train=True, optimizer="adam", dtype="mixed")
    predicted = Measurement("it", net.graph(), settings).predicted_peak
    runs = Runner(net.graph(), settings)
    runs.run()
    assert predicted <= measured_peak(runs) <= 1.2 * predicted


def test_a_step_with_checkpoints_is_not_timed():
    net = costcalc.load("resnet18").with_step(TrainStep(checkpoint="conv2_x"))
    with pytest.raises(BadSetting, match=r"not timed: the module that runs .* computes nothing again; leave out"):
        time_nets([net], device="cpu", train=True)


def test_what_a_recurrent_kernel_keeps_is_not_predicted():
    graph = costcalc.new_graph()
    costcalc.add(graph, "x", costcalc.ops.OPS["input"]((2, 5, 7)))
    costcalc.add(graph, "lstm", costcalc.ops.OPS["lstm"](6), "x")
    found = Measurement("it", graph, Settings(batch=2, train=True))
    assert found.predicted_peak is None
    assert found.needed_bytes == found.weight_bytes + found.inference_peak


@pytest.mark.parametrize(("shape", "targets"), [((4, 10), (4,)), ((4, 3, 7, 5), (4, 7, 5)), ((4, 9, 6), (4, 6))])
def test_targets_lack_the_axis_of_classes(shape, targets):
    graph = costcalc.new_graph()
    costcalc.add(graph, "x", costcalc.ops.OPS["input"](shape))
    costcalc.add(graph, "fc", costcalc.ops.OPS["linear"](shape[-1]), "x")
    module = Runner(graph, Settings(batch=4)).module
    (found,) = make_targets(output_shapes(module, 4), "cpu")
    assert (tuple(found.shape), found.dtype) == (targets, torch.int64)
    assert 0 <= int(found.min()) <= int(found.max()) < shape[1]
    assert elements(found.shape) == elements(shape) // shape[1]


def test_every_output_has_its_loss():
    runs = runner("googlenet@heads=true,classes=7,batch=2,r=96")
    assert output_shapes(runs.module, 2) == [(2, 7)] * 3
    outputs = runs.module(*runs.inputs)
    each = [torch.nn.functional.cross_entropy(out, target) for out, target in zip(outputs, runs.targets, strict=True)]
    assert torch.allclose(cross_entropy(outputs, runs.targets), torch.stack(each).sum())
    assert min(runs.run()) > 0


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "mixed"])
def test_other_precisions_train(dtype):
    runs = runner("lenet5@batch=2", dtype=dtype)
    assert len(runs.run()) == 3
    wanted = torch.float32 if dtype == "mixed" else getattr(torch, dtype)
    assert {p.dtype for p in runs.module.parameters()} == {wanted} == {p.grad.dtype for p in runs.module.parameters()}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--optimizer adam", "are about a training step; add --train"), ("--freeze conv1", "add --train"),
        ("--freeze-statistics", "add --train"),
        ("--dtype mixed", "mixed precision is about a training step; add --train"),
        ("--train --optimizer adm", "unknown optimizer 'adm'; did you mean 'adam'?"),
        ("--train --freeze zzz", "nothing to freeze is called 'zzz'"),
        ("--train --freeze ..fc5", "nothing is left to train: all layers with weights are frozen"),
        ("--train --dtype mixed --per-layer", "no one dtype to count their bytes in; leave out --per-layer"),
    ],
)  # fmt: skip
def test_what_cannot_be_trained_is_refused_before_anything_runs(words, message, capsys, tmp_path):
    store = tmp_path / "runs.db"
    assert run(["time", "lenet5", "--device", "cpu", "--store", str(store), *words.split()]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert err.count("error:") == 1


def test_a_layer_that_is_frozen_is_timed_without_gradients():
    (found,) = time_nets(["lenet5@freeze=conv2"], device="cpu", seconds=0.02, train=True, per_layer=True).measurements
    backward = {layer.name: layer.backward for layer in found.layers}
    assert backward["conv1"] == backward["conv2"] == backward["pool2"] == 0
    assert min(backward["fc3"], backward["fc5"]) > 0


def test_settings_of_training():
    with pytest.raises(BadSetting, match="unknown optimizer 'sg'; did you mean 'sgd'"):
        Settings(optimizer="sg", train=True)
    assert Settings(train=True, dtype="mixed").bytes_per_element == 4
