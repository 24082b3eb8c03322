"""Elementwise work of steps, counted as torch runs torchvision's transforms: one for each element of each operation.

Steps that torch runs in one kernel (resizing, warping) are not among them: what a kernel does is not seen from outside.
"""

# ruff: noqa: E402

import pytest
from support import needed

torch = needed.module("torch", "torch")
needed.module("psutil", "torch")
needed.module("torchvision", "vision")

from torch.utils._python_dispatch import TorchDispatchMode

from costcalc import pipeline as p
from costcalc.pipeline.image_tensor import ImageTensor
from costcalc.torch_backend.transforms import TRANSFORMS, random_image

ARITHMETIC = "add sub rsub mul div remainder fmod floor round eq ne"  # per element of its output
ONE = {*ARITHMETIC.split()}
MOVES = """
_to_copy alias arange as_strided bitwise_and bitwise_not clone copy detach empty expand flip full gather index
lift_fresh logical_and logical_not moveaxis new_empty ones_like permute reshape select slice split squeeze stack to
unbind unsqueeze view where zeros
"""
DRAWS = "bernoulli normal rand randint randn random randperm uniform"
FREE = {*MOVES.split(), *DRAWS.split()}


class Work(TorchDispatchMode):
    """Counts arithmetic on tensors of more than one number for each channel. Fails for an operation that it does not
    know."""

    def __init__(self, pixels):
        super().__init__()
        self.pixels, self.count = pixels, 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__.rstrip("_")
        self.count += self.operations(name, args, kwargs or {}, out)
        return out

    def operations(self, name, args, kwargs, out):
        tensors = [one for one in (*args, out) if isinstance(one, torch.Tensor)]
        if name in FREE or max((one.numel() for one in tensors), default=0) < self.pixels:
            return 0
        if name == "aminmax":  # c − 1 comparisons for each of two results
            return 2 * (args[0].numel() - out[0].numel())
        if name == "clamp":
            return 2 * out.numel()
        if name == "mean":  # a sum, and one quotient
            return args[0].numel()
        assert name in ONE, f"{name} has no count"
        scaled = kwargs.get("alpha", 1) != 1 and isinstance(args[1], torch.Tensor) and args[1].numel() >= self.pixels
        return out.numel() + (args[1].numel() if scaled else 0)


CASES = {
    "brightness": p.ColorJitter(brightness=0.4),
    "contrast": p.ColorJitter(contrast=0.4),
    "saturation": p.ColorJitter(saturation=0.4),
    "hue": p.ColorJitter(hue=0.2),
    "all four": p.ColorJitter(0.4, 0.4, 0.4, 0.2),
    "color_shift": p.ColorShift(20),
    "pca_color": p.PcaColor(),
    "to_float": p.ToFloat(),
    "normalize": p.Normalize(),
    "subtract_mean": p.SubtractMean(),
    "horizontal_flip": p.HorizontalFlip(),
    "random_crop": p.RandomCrop(10),
}
TAKES = {"color_shift": ("uint8",), "to_float": ("uint8",), "pca_color": ("float32",), "normalize": ("float32",),
         "subtract_mean": ("float32",)}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "dtype"), [(name, dtype) for name in CASES for dtype in TAKES.get(name, ("uint8", "float32"))]
)
def test_work_is_what_torch_runs(name, dtype):
    x = ImageTensor(3, 12, 15, dtype)
    image = random_image(x) if dtype == "uint8" else random_image(x) / 255
    transform = TRANSFORMS[CASES[name].name](CASES[name], x)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        with Work(x.positions) as work:
            transform(image)
    assert work.count == CASES[name].elementwise(x, CASES[name].after(x))


def test_an_operation_without_a_count_fails():
    with pytest.raises(AssertionError, match="exp has no count"), Work(1):
        torch.zeros(4).exp()
