"""The steps of a pipeline in torch: torchvision.transforms.v2 where it has them, else a few lines of ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from costcalc.errors import MissingExtra, UsageError
from costcalc.pipeline.augmentation import Augmentation
from costcalc.pipeline.image_tensor import ImageTensor

try:
    import torchvision
    from torchvision.transforms import v2
except ImportError:
    raise MissingExtra("running a pipeline needs torchvision", "vision") from None

torchvision_version: str = torchvision.__version__
Transform = Callable[[Any], Any]
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet; other values take as long
PRINCIPAL = torch.tensor(  # components of RGB in ImageNet, and their deviations: fb.resnet.torch, datasets/imagenet.lua
    [[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203]]
)
DEVIATIONS = torch.tensor([0.2175, 0.0188, 0.0045])


def _color_shift(amount: int, channels: int) -> Transform:
    def shift(image: torch.Tensor) -> torch.Tensor:
        drawn = torch.randint(-amount, amount + 1, (channels, 1, 1), dtype=torch.int16)
        return (image + drawn).clamp_(0, 255).to(torch.uint8)

    return shift


def _pca_color(std: float) -> Transform:
    def shift(image: torch.Tensor) -> torch.Tensor:
        return image + (PRINCIPAL @ (torch.randn(3) * std * DEVIATIONS))[:, None, None]

    return shift


def _subtract_mean(image: ImageTensor) -> Transform:
    """Of each pixel, as a training set would give it."""
    mean = torch.full(tuple(map(int, image.shape)), 0.45)

    def each(images: Any) -> Any:
        return tuple(one - mean for one in images) if isinstance(images, tuple) else images - mean

    return each


def _normalize(image: ImageTensor) -> Transform:
    channels = int(image.channels)
    mean, deviation = (MEAN, DEVIATION) if channels == 3 else ((0.45,) * channels, (0.225,) * channels)
    made: Transform = v2.Normalize(mean, deviation)
    return made


def _size(size: Any) -> Any:
    return [*map(int, size)] if isinstance(size, tuple) else int(size)


def _square(size: Any) -> Any:
    """For transforms that take a single number for the shorter side."""
    return [*map(int, size)] if isinstance(size, tuple) else [int(size), int(size)]


INTERPOLATIONS = {"nearest": v2.InterpolationMode.NEAREST, "bilinear": v2.InterpolationMode.BILINEAR}
TRANSFORMS: dict[str, Callable[[Any, ImageTensor], Transform]] = {  # of a step and the image before it
    "horizontal_flip": lambda step, x: v2.RandomHorizontalFlip(),
    "vertical_flip": lambda step, x: v2.RandomVerticalFlip(),
    "random_crop": lambda step, x: v2.RandomCrop(_square(step.size)),
    "center_crop": lambda step, x: v2.CenterCrop(_square(step.size)),
    "five_crop": lambda step, x: v2.FiveCrop(_square(step.size)),
    "ten_crop": lambda step, x: v2.TenCrop(_square(step.size)),
    "pad": lambda step, x: v2.Pad(int(step.padding)),
    "resize": lambda step, x: v2.Resize(_size(step.size), INTERPOLATIONS[step.interpolation], antialias=True),
    "random_resized_crop": lambda step, x: v2.RandomResizedCrop(
        _square(step.size), scale=(float(step.min_scale), 1.0), interpolation=INTERPOLATIONS[step.interpolation],
        antialias=True,
    ),
    "rotation": lambda step, x: v2.RandomRotation(float(step.degrees), INTERPOLATIONS[step.interpolation]),
    "shear": lambda step, x: v2.RandomAffine(
        0, shear=float(step.degrees), interpolation=INTERPOLATIONS[step.interpolation]
    ),
    "elastic": lambda step, x: v2.ElasticTransform(float(step.alpha), float(step.sigma)),
    "color_shift": lambda step, x: _color_shift(int(step.amount), int(x.channels)),
    "color_jitter": lambda step, x: v2.ColorJitter(
        float(step.brightness), float(step.contrast), float(step.saturation), float(step.hue)
    ),
    "pca_color": lambda step, x: _pca_color(float(step.std)),
    "to_float": lambda step, x: v2.ToDtype(torch.float32, scale=True),
    "normalize": lambda step, x: _normalize(x),
    "subtract_mean": lambda step, x: _subtract_mean(x),
}  # fmt: skip


def transforms_of(augmentation: Augmentation) -> list[Transform]:
    """A transform for each step. Raises UsageError for a reader's own step, which has none in `TRANSFORMS`."""
    unknown = [row.name for row in augmentation.rows if row.step.name not in TRANSFORMS]
    if unknown:
        hint = f'costcalc.torch_backend.TRANSFORMS["{unknown[0]}"] = lambda step, x: …'
        raise UsageError(f"step {unknown[0]!r} has no transform to run", hint)
    return [TRANSFORMS[row.step.name](row.step, row.before) for row in augmentation.rows]


def random_image(image: ImageTensor, seed: int = 0) -> torch.Tensor:
    """A decoded image of random pixels, (c, h, w) in uint8."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, tuple(map(int, image.shape)), dtype=torch.uint8, generator=generator)
