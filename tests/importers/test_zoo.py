"""Networks of torchvision and timm: params as `numel` counts them, multiplies as torch's own counter does."""

import pytest
from support import needed
from support.sizes import size

torch = needed.module("torch", "torch")

from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

import costcalc  # noqa: E402
from costcalc.importers.module_sources import torch_zoo  # noqa: E402

TORCHVISION = [
    "alexnet", "vgg11_bn", "resnet18", "resnext50_32x4d", "squeezenet1_1", "densenet121", "googlenet", "inception_v3",
    "shufflenet_v2_x1_0", "mobilenet_v2", "mobilenet_v3_small", "mnasnet0_5", "efficientnet_b0", "regnet_y_400mf",
    "convnext_tiny", "vit_b_16", "swin_t", "swin_v2_t", "maxvit_t", "fcn_resnet50", "deeplabv3_mobilenet_v3_large",
    "r3d_18", "mvit_v2_s",
]  # fmt: skip
FLOW = ["raft_small", "raft_large"]


def counted_by_torch(module, shapes):
    """Multiplies of one image on meta, or of two."""
    module = module.to("meta").eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        module(*(torch.empty(shape, device="meta") for shape in shapes))
    return counter.get_total_flops() // 2


@pytest.mark.sized
@pytest.mark.parametrize("name", size(TORCHVISION[::3], [*TORCHVISION, *FLOW]))
def test_torchvision_counts_as_torch_does(name):
    models = needed.module("torchvision", "vision").models
    cost = costcalc.load(f"torchvision:{name}").cost()
    found = torch_zoo.torchvision_model(name)
    module = found.module
    assert cost.total("params") == sum(tensor.numel() for tensor in module.parameters())
    assert cost.total("buffers") == sum(tensor.numel() for tensor in module.buffers() if tensor.dim())
    assert cost.total("macs") == counted_by_torch(module, found.inputs)
    if name in FLOW:  # at the size of torchvision's own table
        stated = next(iter(models.get_model_weights(name))).meta["_ops"]
        assert f"{cost.total('macs') / 10**9:.3f}" == f"{stated:.3f}"


def test_models_of_optical_flow_take_two_images_of_the_size_that_torchvision_states():
    needed.module("torchvision", "vision")
    net = costcalc.load("torchvision:raft_small")
    assert net.architecture.inputs == (((1, 3, 512, 512),) * 2, {})
    assert [*net.knobs] == ["batch", "r"]
