"""Modules by name: torchvision's and timm's models, and a reader's own callable, built without memory for weights."""

from __future__ import annotations

import importlib.util
import inspect
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout, suppress
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from costcalc.errors import ImportRefused, MissingExtra, UnknownName, did_you_mean, did_you_mean_any, in_one_line

FLOW = "torchvision.models.optical_flow"
FLOW_SIDE = 512  # of an image, at which torchvision states the operations of its models of optical flow
FRAMES = 16  # of a clip; torchvision's video models take any number
MAX_IN_MEMORY = 1 << 20  # elements of a tensor that a constructor fills
MAKES = {torch.empty, torch.zeros, torch.ones, torch.full, torch.rand, torch.randn, torch.arange, torch.eye}
Make = Callable[..., Any]  # calls a constructor with its arguments


class Found(NamedTuple):
    """A module, and the shape of its input without the batch."""

    module: nn.Module
    input_size: tuple[int, ...] | None

    @property
    def inputs(self) -> tuple[tuple[int, ...], ...] | None:
        """The shapes of its inputs, with a batch of 1: one image, and two of which the optical flow is sought."""
        if self.input_size is None:
            return None
        return ((1, *self.input_size),) * (2 if type(self.module).__module__.startswith(FLOW) else 1)


class _WeightsOnMeta(TorchFunctionMode):
    """Makes weights and large tensors on meta, and leaves others as they are: constructors compute with those."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        given = kwargs or {}
        if func in MAKES:
            made = func(*args, **{**given, "device": "meta"})
            if func is torch.empty or made.numel() > MAX_IN_MEMORY:
                return made
        return func(*args, **given)


def without_memory(make: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """What a constructor makes, its weights on meta. One that tries its own layers needs all tensors there; one that
    computes with some needs those in memory."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the weights that they would be given
        try:
            with _WeightsOnMeta():
                return make(*args, **kwargs)
        except (RuntimeError, NotImplementedError):
            with torch.device("meta"):
                return make(*args, **kwargs)


def in_memory(make: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """What a constructor makes, with its weights: those that it draws."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return make(*args, **kwargs)


def find(target: str, make: Make = without_memory) -> Found:
    """The module that `torchvision:resnet50`, `timm:vit_base_patch16_224` or `nets.py:make` names."""
    head, _, name = target.rpartition(":")
    return ZOOS[head](name, make) if head in ZOOS else from_file(Path(head), name, make)


def torchvision_model(name: str, make: Make = without_memory) -> Found:
    """A model of torchvision, at the size that its weights were trained for. Raises MissingExtra without torchvision,
    UnknownName for a model that it has not, ImportRefused for one that is quantised."""
    try:
        from torchvision import models
    except ImportError as error:
        raise MissingExtra("torchvision is not installed", "vision") from error
    _known(name, models.list_models(), "torchvision")
    builder = models.get_model_builder(name)
    if builder.__module__.startswith("torchvision.models.quantization"):
        raise ImportRefused(f"torchvision:{name} is quantised, and ops on quantised numbers have no rules")
    backbone = {"weights_backbone": None} if "weights_backbone" in inspect.signature(builder).parameters else {}
    module = make(builder, weights=None, **backbone)  # never downloads
    weights = list(models.get_model_weights(name))
    frames = (FRAMES,) if builder.__module__.startswith("torchvision.models.video") else ()
    size = _size_of(weights[-1], frames) if weights else None
    if builder.__module__.startswith(FLOW):
        size = (3, FLOW_SIDE, FLOW_SIDE)
    return Found(module, size or _size_of_detector(module))


def _size_of(weights: Any, frames: tuple[int, ...]) -> tuple[int, ...] | None:
    """Channels, frames, height and width that weights were trained for."""
    transforms = weights.transforms()
    side = getattr(transforms, "crop_size", None) or getattr(transforms, "resize_size", None)
    if not isinstance(side, (list, tuple)):
        return None
    return (3, *frames, *(side * 2 if len(side) == 1 else side))


def _size_of_detector(module: Any) -> tuple[int, ...] | None:
    """The square images that a detection model does not resize."""
    transform = getattr(module, "transform", None)
    sides = getattr(transform, "fixed_size", None) or getattr(transform, "min_size", None)
    return (3, sides[-1], sides[-1]) if sides else None


def timm_model(name: str, make: Make = without_memory) -> Found:
    """A model of timm, at the size of its default configuration. Raises MissingExtra without timm, UnknownName for a
    model that it has not."""
    try:
        import timm
    except ImportError as error:
        raise MissingExtra("timm is not installed", "zoo") from error
    _known(name.partition(".")[0], timm.list_models(), "timm")
    module = make(timm.create_model, name, pretrained=False)
    config: Any = module.pretrained_cfg
    return Found(module, tuple(config["input_size"]))


def _known(name: str, names: list[str], where: str) -> None:
    if name not in names:
        raise UnknownName(f"{where} has no model {name[:64]!r}", did_you_mean_any(name, names, f"{where}:"))


def from_file(path: Path, name: str, make: Make = without_memory) -> Found:
    """What a callable of a Python file returns, without arguments. Raises ImportRefused for anything but a module."""
    if not path.is_file():
        raise ImportRefused(f"{path}: no such Python file")
    with _runs_as_a_script_does(path, f"{path}:{name}"):
        made = _executed(path)
        if name not in vars(made):
            known = [one for one, value in vars(made).items() if callable(value) and not one.startswith("_")]
            raise UnknownName(f"{path} has no {name!r}", did_you_mean(name, known))
        found = getattr(made, name)
        module = found if isinstance(found, nn.Module) or not callable(found) else make(found)
    if not isinstance(module, nn.Module):
        verb = "returns" if callable(found) else "is"
        raise ImportRefused(f"{path}:{name} {verb} {type(module).__name__}; it must be or return a torch module")
    return Found(module, None)


def _executed(path: Path) -> Any:
    """The module of a Python file."""
    spec = importlib.util.spec_from_file_location(f"file_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = made  # where its dataclasses look for their annotations
    spec.loader.exec_module(made)
    return made


@contextmanager
def _runs_as_a_script_does(path: Path, what: str) -> Iterator[None]:
    """Lets a file import those beside it; what it prints goes to stderr, since stdout is for results. Raises
    ImportRefused with the message of any error."""
    folder = str(path.parent.resolve())  # before the file changes to another
    sys.path.insert(0, folder)
    try:
        with redirect_stdout(sys.stderr):
            yield
    except (UnknownName, ImportRefused):
        raise
    except (Exception, SystemExit) as error:
        said = ": ".join(filter(None, (type(error).__name__, in_one_line(error))))
        raise ImportRefused(f"{what} raises {said}; --debug shows where") from error
    finally:
        with suppress(ValueError):  # the file removed it
            sys.path.remove(folder)


ZOOS: dict[str, Callable[[str, Make], Found]] = {"torchvision": torchvision_model, "timm": timm_model}
