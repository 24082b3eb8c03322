"""torchvision's and timm's networks beside ours: as many parameters and multiplies, and with torchvision's weights the
same outputs. A line of a table is a target of ours and a network of theirs.
"""

from functools import partial

import pytest
from support import needed
from support.sizes import size
from support.zoo import as_torchvision, with_weights_of

torch = needed.module("torch", "torch")
models = needed.module("torchvision.models", "vision")
timm = needed.module("timm", "zoo")

from torch import nn  # noqa: E402
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

import costcalc  # noqa: E402
from costcalc.torch_backend import build  # noqa: E402

NO_INIT = {"init_weights": False}
TORCHVISION = {
    "alexnet_torchvision": models.alexnet,
    "vgg11": models.vgg11, "vgg13": models.vgg13, "vgg16": models.vgg16, "vgg19": models.vgg19,
    "vgg11_bn": models.vgg11_bn, "vgg13_bn": models.vgg13_bn, "vgg16_bn": models.vgg16_bn, "vgg19_bn": models.vgg19_bn,
    "resnet18": models.resnet18, "resnet34": models.resnet34, "resnet50": models.resnet50,
    "resnet101": models.resnet101, "resnet152": models.resnet152,
    "googlenet_torchvision": partial(models.googlenet, **NO_INIT, aux_logits=False),
    "googlenet_torchvision@heads=true": partial(models.googlenet, **NO_INIT),
    "mobilenet_v2": models.mobilenet_v2,
    **{f"efficientnet_b{i}": getattr(models, f"efficientnet_b{i}") for i in range(8)},
}  # fmt: skip
TIMM = {
    "mobilenet_v1": "mobilenetv1_100", "mobilenet_v2": "mobilenetv2_100",
    **{f"resnet{depth}": f"resnet{depth}" for depth in (18, 34, 50, 101, 152)},
    **{f"vgg{depth}": f"vgg{depth}" for depth in (11, 16, 19)},
    **{f"efficientnet_b{i}": f"tf_efficientnet_b{i}" for i in range(8)},
}  # fmt: skip
RUN = size(("resnet18", "googlenet_torchvision", "mobilenet_v2", "efficientnet_b0"), tuple(TORCHVISION))


@pytest.fixture(scope="module", autouse=True)
def quiet():
    torch.set_grad_enabled(False)
    yield
    torch.set_grad_enabled(True)


def multiplies(module, r, batch):
    """As torch's counter has them, which counts two for each."""
    with FlopCounterMode(display=False) as counter:
        module(torch.zeros(batch, 3, r, r, device="meta"))
    return counter.get_total_flops() / 2


@pytest.mark.parametrize("target", TORCHVISION)
def test_params_buffers_and_multiplies_are_torchvisions(target):
    net = costcalc.load(target)
    cost = net.cost()
    with torch.device("meta"):
        theirs = TORCHVISION[target]().train("heads" in target)  # only in training are its side heads computed
    assert cost.params == sum(p.numel() for p in theirs.parameters())
    assert cost.macs == multiplies(theirs, net.values["r"], batch=2) / 2
    assert cost.total("buffers") == sum(b.numel() for n, b in theirs.named_buffers() if "num_batches" not in n)


@pytest.mark.parametrize("target", TIMM)
def test_params_and_multiplies_are_timms(target):
    net = costcalc.load(target)
    with torch.device("meta"):
        theirs = timm.create_model(TIMM[target]).eval()
    assert net.cost().params == sum(p.numel() for p in theirs.parameters())
    assert net.cost().macs == multiplies(theirs, net.values["r"], batch=1)


@pytest.mark.sized
@pytest.mark.parametrize("target", RUN)
def test_with_torchvisions_weights_the_outputs_are_equal(target):
    torch.manual_seed(0)
    theirs = TORCHVISION[target]().eval()
    eps = next((m.eps for m in theirs.modules() if isinstance(m, nn.BatchNorm2d)), 1e-5)
    net = costcalc.load(target)
    ours = with_weights_of(theirs, build(as_torchvision(net.graph(unrolled=True), eps)))
    x = torch.randn(1, 3, net.values["r"], net.values["r"])
    out, expected = ours(x), theirs(x)
    out = out if torch.is_tensor(out) else out[-1]  # the side heads come first
    assert (out - expected).abs().max() < 1e-4 * max(1, expected.abs().max())
