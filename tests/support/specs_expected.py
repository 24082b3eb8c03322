"""The library's networks once more, written in torch and counted by torch: nothing here knows costcalc.

Built on the meta device, so that VGG takes no memory and B7 no time. `WITNESS` names the target each one stands for.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import nn


def count(build: Callable[[], nn.Module], *shape: int) -> tuple[int, int]:
    """Parameters, and the multiplies of convolutions and linear layers, of a network on one input."""
    macs = 0

    def add(layer: nn.Module, _: object, out: torch.Tensor) -> None:
        nonlocal macs
        if isinstance(layer, nn.Conv2d):
            macs += out.numel() * layer.weight[0].numel()  # one dot product per output element
        elif isinstance(layer, nn.Linear):
            macs += out.numel() * layer.in_features

    with torch.device("meta"), torch.no_grad():
        net = build().eval()
        for layer in net.modules():
            layer.register_forward_hook(add)
        net(torch.zeros(shape))
    return sum(p.numel() for p in net.parameters()), macs


class Join(nn.Module):
    """Branches from the same tensor, joined."""

    def __init__(self, how: Callable[..., torch.Tensor], *branches: nn.Module):
        super().__init__()
        self.how, self.branches = how, nn.ModuleList(branches)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.how(*(branch(x) for branch in self.branches))


class Head(nn.Sequential):
    """A side branch: it is computed and left."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        super().forward(x)
        return x


class Zeros(nn.Module):
    """The shortcut of option A: every s-th pixel, zero channels appended."""

    def __init__(self, channels: int, stride: int):
        super().__init__()
        self.channels, self.stride = channels, stride

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x[:, :, :: self.stride, :: self.stride]
        return nn.functional.pad(x, (0, 0, 0, 0, 0, self.channels - x.shape[1]))


def together(*xs: torch.Tensor) -> torch.Tensor:
    return torch.cat(xs, 1)


def conv(channels: int, k: int, s: int = 1, p: int | None = None, groups: int = 1, bias: bool = True) -> nn.Module:
    return nn.LazyConv2d(channels, k, s, k // 2 if p is None else p, groups=groups, bias=bias)


def conv_bn(channels: int, k: int, s: int = 1, groups: int = 1) -> list[nn.Module]:
    return [conv(channels, k, s, groups=groups, bias=False), nn.LazyBatchNorm2d()]


def chain(*layers: nn.Module) -> nn.Sequential:
    return nn.Sequential(*layers)


def classifier(*widths: int) -> list[nn.Module]:
    return [nn.Flatten(), *(nn.LazyLinear(width) for width in widths)]


def lenet5(c_in: int = 1) -> nn.Module:
    return chain(conv(6, 5, p=0), nn.AvgPool2d(2), conv(16, 5, p=0), nn.AvgPool2d(2), *classifier(120, 84, 10))


def alexnet(channels: tuple[int, ...], groups: int, p: int) -> nn.Module:
    c1, c2, c3, c4, c5 = channels
    return chain(
        conv(c1, 11, 4, p), nn.MaxPool2d(3, 2), conv(c2, 5, groups=groups), nn.MaxPool2d(3, 2), conv(c3, 3),
        conv(c4, 3, groups=groups), conv(c5, 3, groups=groups), nn.MaxPool2d(3, 2), *classifier(4096, 4096, 1000),
    )  # fmt: skip


def vgg(config: str, batch_norm: bool = False) -> nn.Module:
    """`config` as in Table 1: 1 to 5 a 3×3 convolution of that stage, - a 1×1, | a pooling."""
    layers: list[nn.Module] = []
    width = 64
    for sign in config:
        if sign == "|":
            layers.append(nn.MaxPool2d(2))
            continue
        width = width if sign == "-" else min(64 * 2 ** (int(sign) - 1), 512)
        layers += [conv(width, 1 if sign == "-" else 3), *([nn.LazyBatchNorm2d()] if batch_norm else [])]
    return chain(*layers, *classifier(4096, 4096, 1000))


def network_in_network() -> nn.Module:
    return chain(
        conv(192, 5), conv(160, 1), conv(96, 1), nn.MaxPool2d(3, 2, ceil_mode=True),
        conv(192, 5), conv(192, 1), conv(192, 1), nn.AvgPool2d(3, 2, ceil_mode=True),
        conv(192, 3), conv(192, 1), conv(10, 1),
    )  # fmt: skip


def resnet(depths: tuple[int, ...], wide: bool, stride_on: int = 2, shortcut: str = "projection") -> nn.Module:
    layers = [*conv_bn(64, 7, 2), nn.MaxPool2d(3, 2, 1)]
    c_in = 64
    for stage, depth in enumerate(depths):
        for i in range(depth):
            c, s = 64 * 2**stage, 2 if stage and not i else 1
            first, second = (s, 1) if stride_on == 1 else (1, s)
            body = [*conv_bn(c, 3, s), *conv_bn(c, 3)]
            if wide:
                body = [*conv_bn(c, 1, first), *conv_bn(c, 3, second), *conv_bn(4 * c, 1)]
            c_out = 4 * c if wide else c
            around: nn.Module = nn.Identity()
            if s > 1 or c_in != c_out:
                around = chain(*conv_bn(c_out, 1, s)) if shortcut == "projection" else Zeros(c_out, s)
            layers += body if shortcut == "none" else [Join(torch.add, around, chain(*body))]
            c_in = c_out
    return chain(*layers, nn.AdaptiveAvgPool2d(1), *classifier(1000))


def googlenet(torchvision: bool = False, heads: bool = False) -> nn.Module:
    def unit(channels: int, k: int, s: int = 1) -> list[nn.Module]:
        return conv_bn(channels, k, s) if torchvision else [conv(channels, k, s)]

    def inception(c1: int, r3: int, c3: int, r5: int, c5: int, proj: int) -> nn.Module:
        five = 3 if torchvision else 5
        return Join(
            together, chain(*unit(c1, 1)), chain(*unit(r3, 1), *unit(c3, 3)), chain(*unit(r5, 1), *unit(c5, five)),
            chain(nn.MaxPool2d(3, 1, 1), *unit(proj, 1)),
        )  # fmt: skip

    def head() -> nn.Module:
        pool = nn.AdaptiveAvgPool2d(4) if torchvision else nn.AvgPool2d(5, 3)
        return Head(pool, *unit(128, 1), *classifier(1024, 1000)) if heads else nn.Identity()

    def pool() -> nn.Module:
        return nn.MaxPool2d(3, 2, ceil_mode=True)

    return chain(
        *unit(64, 7, 2), pool(), *unit(64, 1), *unit(192, 3), pool(),
        inception(64, 96, 128, 16, 32, 32), inception(128, 128, 192, 32, 96, 64), pool(),
        inception(192, 96, 208, 16, 48, 64), head(), inception(160, 112, 224, 24, 64, 64),
        inception(128, 128, 256, 24, 64, 64), inception(112, 144, 288, 32, 64, 64), head(),
        inception(256, 160, 320, 32, 128, 128), pool(),
        inception(256, 160, 320, 32, 128, 128), inception(384, 192, 384, 48, 128, 128),
        nn.AdaptiveAvgPool2d(1), *classifier(1000),
    )  # fmt: skip


def mobilenet_v1(w: float = 1) -> nn.Module:
    layers = conv_bn(int(32 * w), 3, 2)
    c_in = int(32 * w)
    for c, s in [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1)]:
        layers += [*conv_bn(c_in, 3, s, groups=c_in), *conv_bn(int(c * w), 1)]
        c_in = int(c * w)
    return chain(*layers, nn.AdaptiveAvgPool2d(1), *classifier(1000))


def eights(x: float) -> int:
    """A width as a multiple of 8, at least 90 % of it: `_make_divisible`."""
    rounded = max(8, int(x + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * x else rounded


def squeeze_excite(c: int, squeezed: int) -> nn.Module:
    gate = chain(nn.AdaptiveAvgPool2d(1), conv(squeezed, 1), nn.SiLU(), conv(c, 1), nn.Sigmoid())
    return Join(torch.mul, nn.Identity(), gate)


def inverted(table: list[tuple[int, ...]], w: float, d: float, last: int, excite: bool) -> nn.Module:
    """The stages of MobileNet v2 and EfficientNet: (expansion, channels, blocks, stride, kernel) each."""
    c_in = eights(32 * w)
    layers = conv_bn(c_in, 3, 2)
    for t, c, n, first, k in table:
        c_out = eights(c * w)
        for i in range(math.ceil(n * d)):
            s = 1 if i else first
            body = [*(conv_bn(t * c_in, 1) if t > 1 else []), *conv_bn(t * c_in, k, s, groups=t * c_in)]
            body += [squeeze_excite(t * c_in, max(1, c_in // 4))] if excite else []
            body += conv_bn(c_out, 1)
            layers += [Join(torch.add, nn.Identity(), chain(*body))] if s == 1 and c_in == c_out else body
            c_in = c_out
    return chain(*layers, *conv_bn(last, 1), nn.AdaptiveAvgPool2d(1), *classifier(1000))


def mobilenet_v2(w: float = 1) -> nn.Module:
    table = [
        (1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 32, 3, 2, 3), (6, 64, 4, 2, 3), (6, 96, 3, 1, 3), (6, 160, 3, 2, 3),
        (6, 320, 1, 1, 3),
    ]  # fmt: skip
    return inverted(table, w, 1, max(1280, eights(1280 * w)), excite=False)


def efficientnet(w: float, d: float) -> nn.Module:
    table = [
        (1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3), (6, 112, 3, 1, 5), (6, 192, 4, 2, 5),
        (6, 320, 1, 1, 3),
    ]  # fmt: skip
    return inverted(table, w, d, eights(1280 * w), excite=True)


# target -> (the network, its input)
WITNESS: dict[str, tuple[Callable[[], nn.Module], tuple[int, int, int]]] = {
    "lenet5": (lenet5, (1, 32, 32)),
    "lenet5@c_in=3": (lenet5, (3, 32, 32)),
    "alexnet": (lambda: alexnet((96, 256, 384, 384, 256), 2, 0), (3, 227, 227)),
    "alexnet_single": (lambda: alexnet((96, 256, 384, 384, 256), 1, 0), (3, 227, 227)),
    "alexnet_torchvision": (lambda: alexnet((64, 192, 384, 256, 256), 1, 2), (3, 224, 224)),
    "vgg11": (lambda: vgg("1|2|33|44|55|"), (3, 224, 224)),
    "vgg13": (lambda: vgg("11|22|33|44|55|"), (3, 224, 224)),
    "vgg16": (lambda: vgg("11|22|333|444|555|"), (3, 224, 224)),
    "vgg16_1x1": (lambda: vgg("11|22|33-|44-|55-|"), (3, 224, 224)),
    "vgg16_bn": (lambda: vgg("11|22|333|444|555|", batch_norm=True), (3, 224, 224)),
    "vgg19": (lambda: vgg("11|22|3333|4444|5555|"), (3, 224, 224)),
    "plain18": (lambda: resnet((2, 2, 2, 2), False, shortcut="none"), (3, 224, 224)),
    "plain34": (lambda: resnet((3, 4, 6, 3), False, shortcut="none"), (3, 224, 224)),
    "resnet18": (lambda: resnet((2, 2, 2, 2), False), (3, 224, 224)),
    "resnet34": (lambda: resnet((3, 4, 6, 3), False), (3, 224, 224)),
    "resnet50": (lambda: resnet((3, 4, 6, 3), True), (3, 224, 224)),
    "resnet50@r=199": (lambda: resnet((3, 4, 6, 3), True), (3, 199, 199)),
    "resnet101": (lambda: resnet((3, 4, 23, 3), True), (3, 224, 224)),
    "resnet152": (lambda: resnet((3, 8, 36, 3), True), (3, 224, 224)),
    "resnet50@stride_on=conv1": (lambda: resnet((3, 4, 6, 3), True, 1), (3, 224, 224)),
    "resnet101@stride_on=conv1": (lambda: resnet((3, 4, 23, 3), True, 1), (3, 224, 224)),
    "resnet152@stride_on=conv1": (lambda: resnet((3, 8, 36, 3), True, 1), (3, 224, 224)),
    "resnet18@shortcut=zero_pad": (lambda: resnet((2, 2, 2, 2), False, shortcut="zero_pad"), (3, 224, 224)),
    "resnet50@shortcut=zero_pad": (lambda: resnet((3, 4, 6, 3), True, shortcut="zero_pad"), (3, 224, 224)),
    "network_in_network": (network_in_network, (3, 32, 32)),
    "googlenet": (googlenet, (3, 224, 224)),
    "googlenet@heads=true": (lambda: googlenet(heads=True), (3, 224, 224)),
    "googlenet_torchvision": (lambda: googlenet(torchvision=True), (3, 224, 224)),
    "googlenet_torchvision@heads=true": (lambda: googlenet(torchvision=True, heads=True), (3, 224, 224)),
    "mobilenet_v1": (mobilenet_v1, (3, 224, 224)),
    "mobilenet_v1@w=0.75,r=192": (lambda: mobilenet_v1(0.75), (3, 192, 192)),
    "mobilenet_v1_050_160": (lambda: mobilenet_v1(0.5), (3, 160, 160)),
    "mobilenet_v1_025_192": (lambda: mobilenet_v1(0.25), (3, 192, 192)),
    "mobilenet_v2": (mobilenet_v2, (3, 224, 224)),
    "mobilenet_v2_140_224": (lambda: mobilenet_v2(1.4), (3, 224, 224)),
    "mobilenet_v2_035_224": (lambda: mobilenet_v2(0.35), (3, 224, 224)),
    "mobilenet_v2@w=0.5,r=100": (lambda: mobilenet_v2(0.5), (3, 100, 100)),
    "efficientnet_b0": (lambda: efficientnet(1.0, 1.0), (3, 224, 224)),
    "efficientnet_b1": (lambda: efficientnet(1.0, 1.1), (3, 240, 240)),
    "efficientnet_b2": (lambda: efficientnet(1.1, 1.2), (3, 260, 260)),
    "efficientnet_b2@r=288": (lambda: efficientnet(1.1, 1.2), (3, 288, 288)),
    "efficientnet_b3": (lambda: efficientnet(1.2, 1.4), (3, 300, 300)),
    "efficientnet_b4": (lambda: efficientnet(1.4, 1.8), (3, 380, 380)),
    "efficientnet_b5": (lambda: efficientnet(1.6, 2.2), (3, 456, 456)),
    "efficientnet_b6": (lambda: efficientnet(1.8, 2.6), (3, 528, 528)),
    "efficientnet_b7": (lambda: efficientnet(2.0, 3.1), (3, 600, 600)),
}
