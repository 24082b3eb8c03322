"""An imported network is verified and timed as the reader's own module. No test asserts a time."""

import json
from collections import Counter

import pytest
from support import needed

torch = needed.module("torch", "torch")

from support.own_modules import Attending, Block, Counting, Words, images  # noqa: E402
from torch import nn  # noqa: E402

import costcalc  # noqa: E402
from costcalc import ops  # noqa: E402
from costcalc.cli.app import run  # noqa: E402
from costcalc.importers.module_sources.torch_module_source import GivenModule, NamedModule  # noqa: E402
from costcalc.store import Store  # noqa: E402
from costcalc.store.roofline_of_run import roofline_of_run  # noqa: E402
from costcalc.torch_backend import time_nets, verify_net  # noqa: E402
from costcalc.torch_backend.module_spans import ModuleSpans  # noqa: E402
from costcalc.torch_backend.module_times import module_times  # noqa: E402
from costcalc.torch_backend.own_module import own_module_of  # noqa: E402
from costcalc.torch_backend.runner import Runner  # noqa: E402
from costcalc.torch_backend.settings import BadSetting, Settings  # noqa: E402
from costcalc.torch_backend.stand_ins import stand_ins_of  # noqa: E402

SMALL = (1, 3, 12, 12)
WORDS = torch.zeros(2, 6, dtype=torch.long)
INPUTS = {
    "images": (images, (SMALL,)),
    "attention": (Attending, ((2, 7, 16),)),
    "words": (Words, (WORDS,)),
    "a layer of an encoder": (lambda: nn.TransformerEncoderLayer(12, 3, 20, batch_first=True), ((2, 7, 12),)),
    "in bfloat16": (lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)).bfloat16(), (SMALL,)),
    "recurrent": (lambda: nn.LSTM(12, 8, batch_first=True), ((2, 5, 12),)),
}
QUICK = {"device": "cpu", "seconds": 0.001}


pytestmark = pytest.mark.usefixtures("short_turns")


@pytest.fixture
def nets(tmp_path):
    """A file with a callable that makes a network."""
    path = tmp_path / "nets.py"
    path.write_text("from support.own_modules import *\n\ndef fails():\n    raise ValueError('two\\nlines')\n")
    return path


# ---- verify


@pytest.mark.parametrize("name", INPUTS)
def test_the_module_itself_is_compared(name):
    make, inputs = INPUTS[name]
    module = make()
    found = verify_net(costcalc.load(module, *inputs))
    assert found.verdict == "same"
    assert found.totals()["torch_params"] == sum(tensor.numel() for tensor in module.parameters())
    assert found.totals()["macs"] == costcalc.load(module, *inputs).cost().macs > 0
    assert found.totals()["backward_macs"] > 0


def test_a_module_counts_without_those_in_it():
    rows = {row["name"]: row for row in verify_net(costcalc.load(images(), SMALL)).to_records()}
    assert (rows["1"]["op"], rows["1"]["torch_params"], rows["1"]["torch_macs"]) == ("Block", 64, 8 * 8 * 100)
    assert (rows["1.conv"]["op"], rows["1.conv"]["torch_macs"]) == ("Conv2d", 9 * 8 * 8 * 100)
    assert rows["1.conv"]["torch_backward_macs"] == 2 * rows["1.conv"]["torch_macs"]
    assert rows["0"]["torch_backward_macs"] == rows["0"]["torch_macs"]  # the input wants no gradient


def test_what_is_frozen_has_no_gradient_in_torch_too():
    model = costcalc.load(images(), SMALL, freeze="1")
    rows = {row["name"]: row["torch_backward_macs"] for row in verify_net(model).to_records()}
    assert verify_net(model).verdict == "same"
    assert (rows["0"], rows["1"], rows["1.conv"]) == (0, 0, 0)
    assert rows["2.conv"] == 9 * 8 * 8 * 100  # of its weight alone


def test_a_difference_is_found_and_named(monkeypatch, nets, capsys):
    monkeypatch.setattr(ops.Conv, "macs", lambda self, x, *, out: 17)
    found = verify_net(costcalc.load(images(), SMALL))
    assert not found.ok
    assert found.verdict == "5 modules differ, first 0 in macs, backward_macs"
    assert [row["name"] for row in found.table().rows] == ["0", "1", "1.conv", "2", "2.conv"]
    assert found.table().notes[0].endswith("with no difference: --all-rows shows all")
    assert run(["verify", f"{nets}:images", "--input", "1,3,12,12"]) == 1
    assert "differs in macs" in capsys.readouterr().out


def test_params_that_differ_are_found(monkeypatch):
    model = costcalc.load(images(), SMALL)
    model.bound.graph["origin"].tensors.clear()  # no layer knows whose its tensors are: they count where they run
    monkeypatch.setattr(type(model), "graph", lambda self, **_: self.bound)
    module = model.architecture.module_source.module
    module[5].register_parameter("more", nn.Parameter(torch.zeros(3)))
    assert "first 5 in params" in verify_net(model).verdict


def test_a_verified_module_stays_as_it_is():
    module = images().train()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    tensors = [*module.parameters()]
    verify_net(costcalc.load(module, SMALL))
    assert module.training
    assert all(a is b for a, b in zip(tensors, module.parameters()))
    assert all(torch.equal(tensor, before[name]) for name, tensor in module.state_dict().items())
    assert all(tensor.grad is None and tensor.device.type == "cpu" for tensor in tensors)
    assert not any(one._forward_hooks or one._forward_pre_hooks for one in module.modules())


def test_one_sentence_says_what_was_compared(nets, capsys):
    assert run(["verify", f"{nets}:images", "--input", "1,3,12,12"]) == 0
    printed = capsys.readouterr().out
    assert "no difference in 12 modules, 14 layers: the output shape of each, 18 tensors, 1,597 params" in printed
    assert run(["verify", f"{nets}:images", "lenet5", "--input", "1,3,12,12", "-f", "json"]) == 0
    both = json.loads(capsys.readouterr().out)["networks"]
    assert [one["verdict"] for one in both] == ["same", "same"]


# ---- time


@pytest.mark.parametrize("train", [False, True])
@pytest.mark.parametrize("name", ["images", "attention", "words"])
def test_time_is_shared_among_modules(name, train):
    make, inputs = INPUTS[name]
    model = costcalc.load(make(), *inputs)
    runner = Runner(model.graph(), Settings(batch=model.values.get("batch", 2), train=train), own=own_module_of(model))
    layers, whole = module_times(runner, 0.0)
    known = dict(runner.module.module.named_modules())
    assert all(type(known[one.name]).__name__ == one.op for one in layers if one.name in known)
    assert [one.name for one in layers if one.name not in known] in ([], ["(the network)"])
    assert sum(one.macs for one in layers) == model.cost().macs > 0
    assert sum(one.bytes for one in layers) == model.cost().total("traffic_bytes")
    assert any(one.backward > 0 for one in layers) is train
    assert whole > 0
    assert not any(one._forward_hooks or one._forward_pre_hooks for one in known.values())


def test_a_name_is_timed_at_its_knobs_and_drawn_from_the_store(nets, capsys, tmp_path):
    needed.module("matplotlib", "report")
    path = f"{nets}:images"
    words = ["time", path, "--input", "1,3,12,12", "--batch", "2", "--quick", "--device", "cpu", "--per-layer"]
    kept = ["--store", str(tmp_path / "s.db"), "--roofline", str(tmp_path / "roof.svg")]
    assert run([*words, *kept, "-f", "json"]) == 0
    (point,) = json.loads(capsys.readouterr().out)["points"]
    (record,) = Store(tmp_path / "s.db").rows()
    assert record.result["ceilings"] == point["ceilings"]
    assert [(one["name"], one["forward"]) for one in record.result["layers"]] == [
        (one["name"], one["forward"]) for one in point["layers"]
    ]
    assert (tmp_path / "roof.svg").read_text() == roofline_of_run(record).svg()
    assert (point["target"], point["settings"]["batch"], point["status"]) == (path, 2, "ok")
    assert "1.conv" in [layer["name"] for layer in point["layers"]]
    assert point["macs"] == 2 * costcalc.load(path, SMALL).cost().macs


def test_a_module_is_sent_with_its_numbers_and_stays_where_it_is():
    module = images()
    places = [tensor.data_ptr() for tensor in module.parameters()]
    rebuild, (written,) = GivenModule(module).__reduce__()
    copy = rebuild(written).in_memory()
    assert all(torch.equal(a, b) for a, b in zip(module.state_dict().values(), copy.state_dict().values()))
    (found,) = time_nets([costcalc.load(module, SMALL)], train=True, **QUICK).measurements
    assert found.ok, found.message
    assert places == [tensor.data_ptr() for tensor in module.parameters()]
    assert not any(tensor.is_shared() for tensor in module.parameters())
    assert all(torch.equal(a, b) for a, b in zip(module.state_dict().values(), copy.state_dict().values()))


def test_of_a_name_only_the_name_is_sent():
    assert NamedModule("timm:resnet18").__reduce__() == (NamedModule, ("timm:resnet18",))


class Local(nn.Linear):
    """Has something that no process can be sent."""

    def __init__(self):
        super().__init__(4, 4)
        self.call = lambda x: x


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (Local, "put a callable that makes it into a file"),
        (lambda: nn.Linear(4, 4, device="meta"), "has tensors on the meta device"),
    ],
)
def test_what_cannot_be_sent_is_refused_by_name(module, message):
    (found,) = time_nets([costcalc.load(module(), (1, 4))], **QUICK).measurements
    assert found.status == "refused"
    assert message in found.message
    assert verify_net(costcalc.load(module(), (1, 4))).ok


def test_a_module_of_a_notebook_is_refused(monkeypatch):
    monkeypatch.setattr(Local, "__module__", "__main__")
    monkeypatch.delattr("__main__.__file__", raising=False)
    assert "defined in a notebook" in GivenModule(Local()).not_sendable()


@pytest.mark.parametrize(
    ("module", "inputs", "message"),
    [(Counting, ((2, 4),), "an output is one number"), (nn.ReLU, ((2, 4),), "none of its outputs has a gradient")],
)
def test_what_cannot_be_trained_says_why(module, inputs, message):
    model = costcalc.load(module(), *inputs)
    with pytest.raises(BadSetting, match=message):
        Runner(model.graph(), Settings(train=True), own=own_module_of(model))


def test_inputs_by_name_and_indices_are_made():
    model = costcalc.load(Attending(), (2, 7, 16))
    own = own_module_of(model)
    runner = Runner(model.graph(), Settings(batch=2, train=True), own=own)
    assert [tuple(one.shape) for one in runner.inputs] == [(2, 7, 16)]
    assert [tuple(one.shape) for one in runner.targets] == [(2,), (2,)]  # of 35 classes, and of 16
    own = own_module_of(costcalc.load(Words(), WORDS))
    assert own.limits == {"words": 50}
    args, _ = own.make_inputs(own.source.in_memory(), "cpu", torch.float32)
    assert (args[0].dtype, int(args[0].max()) < 50, len(args[0].unique()) > 1) == (torch.int64, True, True)


def test_freezing_is_of_the_modules_own_tensors():
    model = costcalc.load(images(), SMALL, freeze="1")
    own = own_module_of(model)
    runner = Runner(model.graph(), Settings(train=True, freeze_statistics=True), own=own)
    module = runner.module.module
    assert {name for name, one in module.named_parameters() if not one.requires_grad} < own.frozen
    assert {"0.weight", "1.weight", "1.norm.bias"} < own.frozen
    assert (module[1].norm.training, module[2].norm.training) == (False, True)
    kept = module[1].conv.weight.clone()
    runner.run()
    assert torch.equal(kept, module[1].conv.weight)


def test_spans_give_each_node_to_the_module_that_made_it():
    module = Block(4)
    spans = ModuleSpans(module)
    with spans.followed():
        out = module(torch.randn(1, 4, 5, 5))
    owners = Counter()
    to_see, seen = [out.grad_fn], set()
    while to_see:
        node = to_see.pop()
        if node in seen or "AccumulateGrad" in node.name():
            continue
        seen.add(node)
        owners[spans.owner_of(node._sequence_nr()), node.name().rstrip("0123456789")] += 1
        to_see += [other for other, _ in node.next_functions if other is not None]
    assert owners == {
        ("conv", "ConvolutionBackward"): 1, ("norm", "NativeBatchNormBackward"): 1, ("act", "ReluBackward"): 1,
        ("", "ConvolutionBackward"): 1, ("", "AddBackward"): 1,
    }  # fmt: skip


# ---- the command line


def test_a_callable_that_raises_is_one_line_and_a_traceback_on_demand(nets, capsys):
    words = ["verify", f"{nets}:fails", "--input", "1,4"]
    assert run(words) == 2
    err = capsys.readouterr().err
    assert err.endswith("fails raises ValueError: two lines; --debug shows where\n")
    assert "Traceback" not in err
    assert run([*words, "--debug"]) == 2
    assert "line 4, in fails" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command",
    ["show {}", "compare {} lenet5", "formula {} --set batch=1 --set r=12", "scale {} --free batch --max macs=9M",
     "memory {}", "transfer {} --classes 3", "augment resnet_cifar --step {}", "explain {}", "reconcile {}"],
)  # fmt: skip
def test_every_command_takes_the_shapes_of_inputs(command, nets, capsys):
    run([*command.format(f"{nets}:images").split(), "--input", "1,3,12,12"])
    assert "needs the shapes of its inputs" not in capsys.readouterr().err
    assert run(command.format(f"{nets}:imagez").split()) == 2
    assert "did you mean 'images'?" in capsys.readouterr().err


def test_an_input_has_a_dtype(nets, capsys):
    assert run(["show", f"{nets}:Words", "--input", "words=2,6:int64"]) == 0
    assert run(["show", f"{nets}:Words", "--input", "2,6:flaot32"]) == 2
    assert "unknown dtype 'flaot32'; did you mean 'float32'?" in capsys.readouterr().err


def test_what_a_file_prints_is_no_result(nets, capsys):
    nets.write_text(nets.read_text() + "print('made')\n")
    assert run(["show", f"{nets}:images", "--input", "1,3,12,12", "-f", "json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["totals"]["params"] == 1_597
    assert "made" in printed.err


def test_a_copy_that_is_built_names_what_stands_for_others():
    module = nn.Sequential(nn.Linear(4, 4), nn.Softplus(), nn.ReLU())
    assert stand_ins_of(costcalc.load(module, (2, 4)).graph()) == ["elementwise"]
