"""What a reader accepts knowingly: an op without a rule as free, a run that ends where it asks for a value. Every total
is marked."""

import json

import pytest
from support import needed
from support.sizes import size

torch = needed.module("torch", "torch")

from torch import nn  # noqa: E402
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

import costcalc  # noqa: E402
from costcalc.cli import run  # noqa: E402
from costcalc.errors import ImportRefused, UsageError  # noqa: E402
from costcalc.importers.module_sources import torch_zoo  # noqa: E402

SOURCE = '''
import torch
from torch import nn

class Both(nn.Module):
    """Inverts a matrix, then asks for a value."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(8, 8), nn.Linear(8, 4)

    def forward(self, x):
        y = torch.linalg.inv(self.first(x))
        if y.sum() > 0:
            return self.second(y)
        return y
'''
FREE = "lack aten::linalg_inv_ex ×1, first in 'the network'"


@pytest.fixture
def nets(tmp_path):
    path = tmp_path / "nets.py"
    path.write_text(SOURCE, encoding="utf-8")
    return f"{path}:Both"


def test_both_are_refused_with_a_hint(nets):
    with pytest.raises(ImportRefused, match=r"nets.py:14: it asks .*; --until-values counts what runs before that"):
        costcalc.load(nets, (8, 8)).cost()
    with pytest.raises(ImportRefused, match=r"no rule for aten::linalg_inv_ex ×1, .*; --assume-free aten::linalg_inv"):
        costcalc.load(nets, (8, 8), until_values=True).cost()


@pytest.mark.parametrize("op", ["aten::linalg_inv_ex", "linalg_inv_ex", ["aten::fft_rfft", "linalg_inv_ex"]])
def test_both_are_accepted_and_marked(nets, op):
    cost = costcalc.load(nets, (8, 8), assume_free=op, until_values=True).cost()
    assert (cost.total("macs"), cost.total("params")) == (8 * 8 * 8, 8 * 8 + 8 + 8 * 4 + 4)
    free, ended = cost.warnings
    assert FREE in str(free)
    assert f"end in Both, {nets.removesuffix(':Both')}:14: it asks for a value" in str(ended)
    assert cost.table().notes[-2:] == [free.message, ended.message]
    assert [each["message"] for each in cost.to_dict()["warnings"]] == [free.message, ended.message]


def test_every_result_is_marked(nets):
    net = costcalc.load(nets, (8, 8), assume_free="linalg_inv_ex", until_values=True)
    frozen = net.with_step(costcalc.load("lenet5").step)
    for result in (net.cost(unrolled=True), costcalc.memory(net), costcalc.compare(net, "lenet5"), frozen.cost()):
        assert [FREE in str(problem) for problem in result.warnings][:2] == [True, False], result


def test_an_op_with_a_rule_is_never_free():
    cost = costcalc.load(nn.Linear(8, 8), (2, 8), assume_free="linear,aten::linear").cost()
    assert (cost.total("macs"), cost.warnings) == (2 * 8 * 8, ())


def test_specs_take_neither():
    with pytest.raises(UsageError, match="are about imported networks"):
        costcalc.load("lenet5", until_values=True)
    with pytest.raises(UsageError, match="are about imported networks"):
        costcalc.load("lenet5", assume_free="fft_rfft")


OPTIONS = ["--input", "8,8", "--until-values", "--assume-free", "linalg_inv_ex"]


@pytest.mark.parametrize("command", ["show", "memory"])
def test_commands_take_both(nets, command, capsys):
    assert run([command, nets, *OPTIONS, "-f", "json"]) == 0
    printed, said = capsys.readouterr()
    assert [each["hint"] for each in json.loads(printed)["warnings"]] == [
        "it has no rule, and was assumed to be free", "what runs behind that is not counted",
    ]  # fmt: skip
    assert said.count("warning: totals of ") == 2
    assert run([command, nets, *OPTIONS[:2]]) == 2
    assert "--until-values counts what runs before that" in capsys.readouterr().err


def test_commands_refuse_both_for_specs(capsys):
    assert run(["show", "lenet5", "--until-values"]) == 2
    assert "--until-values is about torch modules to import" in capsys.readouterr().err
    assert run(["show", "lenet5", "--assume-free", "fft_rfft"]) == 2
    assert "--assume-free is about networks to import" in capsys.readouterr().err
    assert run(["show", "lenet5"]) == 0  # and it is forgotten


DETECTORS = [
    "ssdlite320_mobilenet_v3_large", "fasterrcnn_mobilenet_v3_large_320_fpn", "fasterrcnn_mobilenet_v3_large_fpn",
    "fasterrcnn_resnet50_fpn", "fasterrcnn_resnet50_fpn_v2", "fcos_resnet50_fpn", "keypointrcnn_resnet50_fpn",
    "maskrcnn_resnet50_fpn", "maskrcnn_resnet50_fpn_v2", "retinanet_resnet50_fpn", "retinanet_resnet50_fpn_v2",
    "ssd300_vgg16",
]  # fmt: skip


@pytest.mark.sized
@pytest.mark.parametrize("name", size(DETECTORS[:1], DETECTORS))
def test_detectors_count_up_to_the_value_that_they_ask_for(name):
    """As torch's counter does on meta, where they fail at the same call."""
    needed.module("torchvision", "vision")
    with pytest.raises(ImportRefused, match=r"torchvision.*\.py:\d+: it asks for the value of a tensor"):
        costcalc.load(f"torchvision:{name}").cost()
    cost = costcalc.load(f"torchvision:{name}", until_values=True).cost()
    module, sides = torch_zoo.torchvision_model(name)
    with FlopCounterMode(display=False) as counter, pytest.raises(NotImplementedError):
        module.to("meta").eval()(torch.empty(1, *sides, device="meta"))
    assert cost.total("macs") == counter.get_total_flops() // 2
    assert cost.total("params") == sum(tensor.numel() for tensor in module.parameters())
    assert len(cost.warnings) == 1
