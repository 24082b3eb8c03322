"""Torch modules and the ONNX files that torch's exporter writes of them: the same params and multiplies.

Thirty-six networks of torchvision and timm are compared at night (tests/nightly/onnx_zoo.py).
"""

import pytest
from support import needed

torch = needed.module("torch", "torch")
needed.module("onnx", "onnx")

from torch import nn  # noqa: E402

import costcalc  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")  # the exporter's own


class UNet(nn.Module):
    """Halves a map, doubles it in two ways, and joins all."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 16, 3, padding=1)
        self.up, self.c = nn.ConvTranspose2d(16, 8, 2, stride=2), nn.Conv2d(32, 2, 1)

    def forward(self, x):
        a = torch.relu(self.a(x))
        b = torch.relu(self.b(nn.functional.max_pool2d(a, 2)))
        d = nn.functional.interpolate(b, size=a.shape[2:], mode="bilinear")
        return self.c(torch.cat([a, self.up(b), d], 1))


class Tagger(nn.Module):
    """A recurrent network in both directions, and the last state."""

    def __init__(self):
        super().__init__()
        self.m, self.o = nn.LSTM(8, 16, 2, batch_first=True, bidirectional=True), nn.Linear(32, 5)

    def forward(self, x):
        return self.o(self.m(x)[0][:, -1])


MODULES = {  # a module, the shape of its input, and the names of its open axes
    "encoder": (
        lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(32, 4, 64, batch_first=True), 2), (2, 7, 32), {},
    ),
    "u-net": (UNet, (2, 3, 16, 20), {2: "h", 3: "w"}),
    "tagger": (Tagger, (2, 7, 8), {}),
}  # fmt: skip


@pytest.mark.parametrize("name", MODULES)
def test_a_file_counts_as_the_module(name, tmp_path):
    make, shape, axes = MODULES[name]
    module, path = make().eval(), str(tmp_path / "net.onnx")
    with torch.no_grad():
        for tensor in module.parameters():
            tensor.uniform_(0.5, 1.5)  # equal ones are stored once
    torch.onnx.export(
        module, (torch.rand(shape),), path, dynamo=False, input_names=["x"], dynamic_axes={"x": {0: "n", **axes}}
    )
    net, theirs = costcalc.load(path, shape), costcalc.load(module, shape).cost()
    assert [net.cost().total(metric) for metric in ("params", "macs")] == [
        theirs.total(metric) for metric in ("params", "macs")
    ]
    assert net.formula()(n=2 * shape[0]) == 2 * theirs.total("macs")


def test_sizes_of_a_map_are_letters(tmp_path):
    test_a_file_counts_as_the_module("u-net", tmp_path)
    net = costcalc.load(str(tmp_path / "net.onnx"))
    module = UNet().eval()
    for h, w in ((8, 30), (34, 6)):
        assert net.formula()(h=h, w=w) == costcalc.load(module, (1, 3, h, w)).cost().total("macs")
