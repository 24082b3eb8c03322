"""A reader's own torch module: it stays as it is, its layers have the names of its modules, and errors say where."""

import re
import textwrap
from collections import deque
from functools import lru_cache
from types import SimpleNamespace

import pytest
from support import needed

torch = needed.module("torch", "torch")

from torch import nn  # noqa: E402

import costcalc  # noqa: E402
from costcalc.errors import ImportRefused, UnknownName, UsageError  # noqa: E402

NETS = textwrap.dedent(
    """
    from torch import fft, nn

    def make():
        return nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 6 * 6, 10))

    class Asks(nn.Module):
        def forward(self, x):
            if x.sum() > 0:
                return x
            return -x

    def asks():
        return Asks()

    class Fourier(nn.Module):
        def forward(self, x):
            return fft.rfft(x).abs() + fft.rfft(2 * x).abs()

    def fourier():
        return Fourier()

    def fails():
        raise ValueError("no such thing")

    def no_module():
        return 3
    """
)


@pytest.fixture(scope="module")
def nets(tmp_path_factory):
    path = tmp_path_factory.mktemp("nets") / "nets.py"
    path.write_text(NETS, encoding="utf-8")
    return path


class Caches(nn.Module):
    """Keeps what it computed, and counts its runs."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.cache, self.runs = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), {}, 0
        self.deep, self.last, self.kept = {"keys": [{}], 1: ([],)}, deque(maxlen=2), SimpleNamespace(of={}, sizes=[1])

    def forward(self, x):
        self.runs += 1
        self.cache["x"] = x
        self.deep["keys"][0]["x"] = self.kept.seen = self.kept.of["x"] = x
        self.deep[1][0].append(x)
        self.last.append(x)
        self.kept.sizes = [2]
        self.norm.num_batches_tracked += 1
        return self.norm(self.conv(x))


def test_a_module_stays_as_it_is():
    module = Caches().train()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    tensors = [*module.parameters()]
    cost = costcalc.load(module, torch.zeros(2, 3, 8, 8)).cost()
    assert cost.total("params") == sum(tensor.numel() for tensor in tensors)
    assert all(torch.equal(before[name], tensor) for name, tensor in module.state_dict().items())
    assert all(a is b for a, b in zip(tensors, module.parameters()))
    assert (module.training, module.norm.training, module.cache, module.runs) == (True, True, {}, 0)
    assert (module.deep, module.last) == ({"keys": [{}], 1: ([],)}, deque(maxlen=2))
    assert module.kept == SimpleNamespace(of={}, sizes=[1])
    assert not any(one._forward_hooks or one._forward_pre_hooks for one in module.modules())
    assert all(tensor.grad is None and tensor.device.type == "cpu" for tensor in tensors)


def test_layers_have_the_names_of_modules(nets):
    model = costcalc.load(f"{nets}:make", (1, 3, 8, 8))
    assert [str(name) for name in model.layers().nodes] == ["input", "0", "1", "2", "3"]
    assert model.cost().total("macs") == 7_776 + 2_880


def test_a_module_may_be_called_as_another_layer_was():
    class Numbered(nn.Module):
        def __init__(self):
            super().__init__()
            self.relu_2 = nn.ReLU()

        def forward(self, x):
            return self.relu_2(torch.relu(torch.relu(x)))

    names = list(costcalc.load(Numbered(), (1, 4)).bound)
    assert len(names) == 4
    assert names[:3] == ["x", "relu", "relu_2"]


def test_inputs_have_names_too():
    class Masked(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(8, 4)

        def forward(self, x, *, mask):
            return self.fc(x * mask)

    cost = costcalc.load(Masked(), (2, 8), mask=torch.ones(2, 8)).cost()
    assert cost.total("macs") == 2 * 8 * 4
    assert costcalc.load(Masked(), x=(2, 8), mask=(2, 8), batch=6).macs == 6 * 8 * 4


def test_a_batch_is_a_knob(nets):
    one, many = (costcalc.load(f"{nets}:make@batch={n}", (1, 3, 8, 8)).cost() for n in (1, 5))
    assert many.total("macs") == 5 * one.total("macs")


@pytest.mark.parametrize(
    ("error", "message", "name", "shape"),
    [
        (ImportRefused, "nets.py:9: it asks for the value of a tensor", "asks", (1, 4)),
        (ImportRefused, "no rule for aten::_fft_r2c of complex numbers ×2, first in", "fourier", (1, 4)),
        (ImportRefused, "fails raises ValueError: no such thing", "fails", (1, 4)),
        (ImportRefused, "returns int;", "no_module", (1, 4)),
        (ImportRefused, "it takes forward(input)", "make", (1, 3, 9, 9)),
        (UnknownName, "did you mean 'make'?", "makes", (1, 4)),
    ],
)
def test_what_cannot_be_counted_says_why(nets, error, message, name, shape):
    with pytest.raises(error) as caught:
        costcalc.load(f"{nets}:{name}", shape).cost()
    assert message in str(caught.value)


TABLES: dict = {}


@lru_cache
def triangle(n, device):
    return torch.ones(n, n, device=device).tril()


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
def test_a_module_in_another_dtype_takes_inputs_in_it(dtype):
    def made():
        return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, 5))

    net = costcalc.load(made().to(dtype), (2, 3, 8, 8))
    plain = costcalc.load(made(), (2, 3, 8, 8))
    assert net.cost().to_dict()["layers"] == plain.cost().to_dict()["layers"]


class Shares(nn.Module):
    """Its masks and positions are those of all instances."""

    def forward(self, x):
        n = x.shape[1]
        if n not in TABLES:
            TABLES[n] = torch.arange(n, device=x.device).float()
        return triangle(n, x.device) @ x + TABLES[n]


def test_caches_of_the_file_keep_no_tensors_without_memory():
    x = torch.zeros(2, 3, 3)
    costcalc.load(Shares(), x).cost()
    assert not TABLES
    assert Shares()(x).device.type == "cpu"


@pytest.mark.parametrize(
    ("error", "target", "message"),
    [
        (UsageError, "nets.py", "say what makes the module: nets.py:NAME"),
        (UsageError, "nets.py:@batch=2", "'nets.py' is a Python file"), (UsageError, "timm:", "say which: timm:NAME"),
        (UnknownName, "torchvisio:resnet18", "did you mean 'torchvision'?"),
    ],
)  # fmt: skip
def test_half_a_name_says_what_lacks(error, target, message):
    with pytest.raises(error, match=re.escape(message)):
        costcalc.load(target)


def test_a_callable_needs_the_shape_of_its_input(nets):
    with pytest.raises(UsageError, match="--input 1,3,224,224"):
        costcalc.load(f"{nets}:make")
