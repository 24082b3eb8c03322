"""Ten models in ten styles of code that no other test has: params beside `numel`, multiplies beside torch's counter on
meta, module by module and backward too.

    pip install einops
    python tests/nightly/fresh_models.py --markdown
"""

import argparse
import copy
import math
import sys

import torch
from einops import einsum, rearrange, repeat
from einops.layers.torch import Rearrange, Reduce
from torch import nn
from torch.nn import functional as F
from torch.utils._pytree import tree_map
from torch.utils.flop_counter import FlopCounterMode

import costcalc
from costcalc.torch_backend import verify_net


def param(*shape):
    return nn.Parameter(torch.randn(*shape) * 0.02)


class Functional(nn.Module):
    """A generator and a critic, all functions; normalisation by hand."""

    def __init__(self):
        super().__init__()
        sizes = {
            "up": (32, 64, 4, 4), "up2": (64, 32, 4, 4), "out": (3, 32, 3, 3), "down": (48, 3, 4, 4),
            "down2": (96, 48, 4, 4), "fc": (1, 96 * 8 * 8), "scale": (64, 1, 1), "shift": (64, 1, 1),
        }  # fmt: skip
        self.p = nn.ParameterDict({name: param(*size) for name, size in sizes.items()})

    def forward(self, z):
        p = self.p
        h = F.conv_transpose2d(z, p["up"], stride=2, padding=1)
        mean, variance = h.mean((0, 2, 3), keepdim=True), h.var((0, 2, 3), keepdim=True)
        h = F.leaky_relu((h - mean) * torch.rsqrt(variance + 1e-5) * p["scale"] + p["shift"], 0.2)
        h = F.relu(F.conv_transpose2d(h, p["up2"], stride=2, padding=1), inplace=True)
        image = torch.tanh(F.conv2d(h, p["out"], padding="same"))
        d = F.leaky_relu(F.conv2d(image, p["down"], stride=2, padding=1), 0.2)
        d = F.leaky_relu(F.conv2d(d, p["down2"], stride=2, padding=1), 0.2)
        return image, F.linear(d.flatten(1), p["fc"])


class NestedDicts(nn.Module):
    """Images and words, in and out in dicts of dicts."""

    def __init__(self):
        super().__init__()
        self.image = nn.Sequential(
            nn.Conv2d(3, 16, 3, 2, 1), nn.GroupNorm(4, 16), nn.SiLU(), nn.AdaptiveAvgPool2d(4)
        )  # fmt: skip
        self.text = nn.ModuleDict({"embed": nn.Embedding(100, 32), "mix": nn.Conv1d(32, 32, 3, padding=1, groups=32)})
        self.cross = nn.MultiheadAttention(32, 4, batch_first=True, kdim=16, vdim=16)
        box = nn.Sequential(nn.Linear(32, 32), nn.Hardtanh(), nn.Linear(32, 4))
        self.heads = nn.ModuleDict({"class": nn.Linear(32, 10), "box": box})

    def forward(self, batch):
        seen = self.image(batch["pixels"]["rgb"]).flatten(2).mT
        words = self.text["mix"](self.text["embed"](batch["tokens"]).mT).mT
        y, weights = self.cross(words, seen, seen, need_weights=True)
        return {"out": {name: head(y.amax(1)) for name, head in self.heads.items()}, "aux": {"attention": [weights]}}


class Loops(nn.Module):
    """Sparse coding: the same two layers in a while loop, a threshold of each step."""

    def __init__(self, steps=7):
        super().__init__()
        self.encode, self.again = nn.Linear(40, 80, bias=False), nn.Linear(80, 80, bias=False)
        self.thresholds, self.steps = param(steps, 80), steps

    def forward(self, x):
        b = self.encode(x)
        z, step = torch.zeros_like(b), 0
        while step < self.steps:
            c = b + self.again(z)
            z = torch.sign(c) * F.relu(c.abs() - self.thresholds[step])
            step += 1
            if step % 3 == 0:
                z = z / z.norm(dim=-1, keepdim=True).clamp_min(1e-6)
        return z


class RegisteredParameters(nn.Module):
    """A masked weight that three small tensors make; one registered as None."""

    def __init__(self):
        super().__init__()
        for i, (a, b) in enumerate(((1, 4), (4, 4), (4, 1))):
            self.register_parameter(f"core{i}", param(a, 4, 4, b))
        self.register_parameter("bias", param(64))
        self.register_parameter("none", None)
        self.register_buffer("mask", torch.ones(64, 64).tril())

    def forward(self, x):
        weight = torch.einsum("aijb,bklc,cmnd->ikmjln", self.core0, self.core1, self.core2).reshape(64, 64)
        return F.linear(x, weight * self.mask, self.bias)


class Hooks(nn.Module):
    """Features that hooks collect, scale and shrink; a weight in two parts."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            *(
                nn.Sequential(nn.Conv2d(16 if i else 3, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ELU())
                for i in range(4)
            )
        )
        self.found = []
        self.body[1].register_forward_hook(lambda *given: self.found.append(F.adaptive_max_pool2d(given[2], 1)))
        self.body[2].register_forward_hook(lambda *given: F.avg_pool2d(given[2], 2))
        self.body[3].register_forward_pre_hook(lambda module, given: (given[0] * 0.5,))
        nn.utils.parametrizations.weight_norm(self.body[0][0])
        self.head = nn.Linear(32, 5)

    def forward(self, x):
        self.found.clear()
        y = self.body(x).mean((2, 3))
        return self.head(torch.cat([y, *(one.flatten(1) for one in self.found)], 1))


class Einops(nn.Module):
    """Learned queries that read patches, written in einops."""

    def __init__(self, width=32, heads=4):
        super().__init__()
        self.patch = nn.Sequential(
            Rearrange("b c (h p) (w q) -> b (h w) (p q c)", p=4, q=4), nn.LayerNorm(48), nn.Linear(48, width)
        )
        self.latents, self.heads = param(6, width), heads
        self.q, self.kv = nn.Linear(width, width, bias=False), nn.Linear(width, 2 * width, bias=False)
        self.out, self.pool = nn.Linear(width, width), Reduce("b n d -> b d", "mean")

    def forward(self, x):
        x = self.patch(x)
        z = repeat(self.latents, "n d -> b n d", b=x.shape[0])
        for _ in range(2):
            qkv = (self.q(z), *self.kv(x).chunk(2, -1))
            q, k, v = (rearrange(one, "b n (h e) -> b h n e", h=self.heads) for one in qkv)
            scores = einsum(q, k, "b h i e, b h j e -> b h i j").softmax(-1)
            read = einsum(scores, v, "b h i j, b h j e -> b h i e")
            z = z + self.out(rearrange(read, "b h n e -> b n (h e)"))
        return self.pool(z)


class Recurrent(nn.Module):
    """Words to words: a GRU in both directions, and cells that attend to it step by step."""

    def __init__(self):
        super().__init__()
        self.words, self.encoder = nn.Embedding(60, 24), nn.GRU(24, 16, 2, batch_first=True, bidirectional=True)
        self.cell, self.attend, self.out = nn.LSTMCell(56, 32), nn.Linear(32, 32, bias=False), nn.Linear(64, 60)

    def forward(self, source, target):
        memory, state = self.encoder(self.words(source))
        h, context, made = torch.cat([state[-2], state[-1]], -1), memory.mean(1), []
        c = torch.zeros_like(h)
        for word in self.words(target).unbind(1):
            h, c = self.cell(torch.cat([word, context], -1), (h, c))
            weights = torch.bmm(self.attend(memory), h.unsqueeze(-1)).squeeze(-1).softmax(-1)
            context = (weights.unsqueeze(1) @ memory).squeeze(1)
            made.append(self.out(torch.cat([h, context], -1)))
        return torch.stack(made, 1)


class Scale(nn.Module):
    def __init__(self):
        super().__init__()
        self.by = nn.Parameter(torch.ones(()))

    def forward(self, x):
        return x * self.by


class DetectionHead(nn.Module):
    """A pyramid, one head for all its maps, boxes from distances, the best twenty."""

    def __init__(self):
        super().__init__()
        widths = (16, 32, 64)
        self.down = nn.ModuleList(nn.Conv2d(i, o, 3, s, 1) for i, o, s in zip((3, 16, 32), widths, (4, 2, 2)))
        self.across = nn.ModuleList(nn.Conv2d(width, 16, 1) for width in widths)
        self.kind, self.box = nn.Conv2d(16, 5, 3, padding=1), nn.Conv2d(16, 4, 3, padding=1)
        self.scales = nn.ModuleList(Scale() for _ in widths)

    def forward(self, x):
        maps = []
        for down in self.down:
            x = F.relu(down(x))
            maps.append(x)
        maps = [across(one) for across, one in zip(self.across, maps)]
        for i in (1, 0):
            maps[i] = maps[i] + F.interpolate(maps[i + 1], size=maps[i].shape[-2:], mode="nearest")
        scores, boxes = [], []
        for one, scale, stride in zip(maps, self.scales, (4, 8, 16)):
            ys, xs = torch.meshgrid(*(torch.arange(side, device=x.device) for side in one.shape[-2:]), indexing="ij")
            centre = torch.stack([xs, ys], -1).reshape(-1, 2).to(one) * stride
            reach = F.softplus(scale(self.box(one))).flatten(2).mT * stride
            boxes.append(torch.cat([centre - reach[..., :2], centre + reach[..., 2:]], -1))
            scores.append(self.kind(one).flatten(2).mT.sigmoid())
        best, at = torch.cat(scores, 1).amax(-1).topk(20, 1)
        return torch.cat(boxes, 1).gather(1, at[..., None].expand(-1, -1, 4)), best


class ResidualBlock(nn.Module):
    def __init__(self, before, after, time):
        super().__init__()
        self.norm, self.conv = nn.GroupNorm(8, before), nn.Conv2d(before, after, 3, padding=1)
        self.norm2, self.conv2 = nn.GroupNorm(8, after), nn.Conv2d(after, after, 3, padding=1)
        self.time = nn.Linear(time, 2 * after)
        self.skip = nn.Conv2d(before, after, 1) if before != after else nn.Identity()

    def forward(self, x, time):
        h = self.conv(F.silu(self.norm(x)))
        scale, shift = self.time(F.silu(time))[..., None, None].chunk(2, 1)
        return self.skip(x) + self.conv2(F.silu(self.norm2(h) * (1 + scale) + shift))


class Attention(nn.Module):
    def __init__(self, width, of=None):
        super().__init__()
        self.norm, self.out = nn.LayerNorm(width), nn.Linear(width, width)
        self.q, self.kv = nn.Linear(width, width, bias=False), nn.Linear(of or width, 2 * width, bias=False)

    def forward(self, x, read=None):
        y = self.norm(x)
        qkv = (self.q(y), *self.kv(y if read is None else read).chunk(2, -1))
        q, k, v = (one.unflatten(-1, (4, -1)).transpose(1, 2) for one in qkv)
        return x + self.out(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


class DiffusionBlock(nn.Module):
    """A U-Net of one level that a time modulates, with attention to itself and to words."""

    def __init__(self, width=32):
        super().__init__()
        self.width, time = width, 4 * width
        self.time = nn.Sequential(nn.Linear(width, time), nn.SiLU(), nn.Linear(time, time))
        self.first, self.a = nn.Conv2d(4, width, 3, padding=1), ResidualBlock(width, width, time)
        self.down, self.b = nn.Conv2d(width, 2 * width, 3, 2, 1), ResidualBlock(2 * width, 2 * width, time)
        self.to_self, self.to_words = Attention(2 * width), Attention(2 * width, 24)
        self.up, self.c = nn.Conv2d(2 * width, width, 3, padding=1), ResidualBlock(2 * width, width, time)
        self.last = nn.Sequential(nn.GroupNorm(8, width), nn.SiLU(), nn.Conv2d(width, 4, 3, padding=1))

    def forward(self, x, t, context=None):
        half = self.width // 2
        angles = t[:, None].float() * torch.exp(-math.log(10000) * torch.arange(half, device=x.device) / half)
        time = self.time(torch.cat([angles.cos(), angles.sin()], -1))
        h = self.a(self.first(x), time)
        y = self.b(self.down(h), time)
        sides = y.shape[-2:]
        y = self.to_words(self.to_self(y.flatten(2).mT), context).mT.unflatten(-1, sides)
        y = self.up(F.interpolate(y, scale_factor=2.0, mode="nearest"))
        return {"sample": self.last(self.c(torch.cat([y, h], 1), time))}


class Experts(nn.Module):
    """Tokens sent to experts of a fixed capacity by one-hot products, beside an expert for all."""

    def __init__(self, width=16, experts=4, capacity=6):
        super().__init__()
        self.gate, self.experts, self.capacity = nn.Linear(width, experts, bias=False), experts, capacity
        self.up, self.down = param(experts, width, 4 * width), param(experts, 4 * width, width)
        self.shared = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, x):
        tokens = x.reshape(-1, x.shape[-1])
        top, at = self.gate(tokens).softmax(-1).max(-1)
        chosen = F.one_hot(at, self.experts)
        place = (chosen.cumsum(0) - 1) * chosen
        kept = (place < self.capacity) * chosen
        send = F.one_hot(place.clamp(max=self.capacity - 1), self.capacity).to(x.dtype) * kept[..., None].to(x.dtype)
        inside = torch.bmm(F.gelu(torch.bmm(torch.einsum("tec,td->ecd", send, tokens), self.up)), self.down)
        out = torch.einsum("tec,ecd->td", send * top[:, None, None], inside)
        return (out + self.shared(tokens)).view(x.shape)


def words(*shape):
    return torch.zeros(*shape, dtype=torch.long)


MODELS = {  # the style: the model, and its inputs
    "functional": (Functional, (torch.zeros(2, 32, 8, 8),), {}),
    "nested dicts": (NestedDicts, ({"pixels": {"rgb": torch.zeros(2, 3, 32, 32)}, "tokens": words(2, 7)},), {}),
    "loops": (Loops, (torch.zeros(3, 40),), {}),
    "registered parameters": (RegisteredParameters, (torch.zeros(5, 64),), {}),
    "hooks": (Hooks, (torch.zeros(2, 3, 16, 16),), {}),
    "einops": (Einops, (torch.zeros(2, 3, 16, 20),), {}),
    "recurrent": (Recurrent, (words(2, 9), words(2, 5)), {}),
    "detection head": (DetectionHead, (torch.zeros(1, 3, 64, 96),), {}),
    "diffusion block": (DiffusionBlock, (torch.zeros(2, 4, 16, 16), words(2)), {"context": torch.zeros(2, 7, 24)}),
    "mixture of experts": (Experts, (torch.zeros(2, 8, 16),), {}),
}


def on_meta(tree):
    return tree_map(lambda one: one.to("meta") if isinstance(one, torch.Tensor) else one, tree)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--markdown", action="store_true")
    given, wrong = parser.parse_args(), 0
    for style, (make, args, kwargs) in MODELS.items():
        module = make()
        before = copy.deepcopy(module.state_dict())
        net = costcalc.load(module, *args, **kwargs)
        params, macs, verified = net.params, net.macs, verify_net(net).ok
        same = module.training and all(torch.equal(one, before[name]) for name, one in module.state_dict().items())
        with torch.device("meta"), FlopCounterMode(display=False) as counter:
            make().eval()(*on_meta(args), **on_meta(kwargs))
        theirs = sum(one.numel() for one in module.parameters()), counter.get_total_flops() // 2
        ok = (params, macs) == theirs and verified and same
        wrong += not ok
        verdict = "equal" if ok else f"DIFFERS: {theirs}, {verified=}, {same=}"
        cells = (style, f"{params:,}", f"{macs:,}", str(len(net.cost().layers)), verdict)
        print(f"| {' | '.join(cells)} |" if given.markdown else ", ".join(cells), flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
