"""Imported networks as models: of a module and its inputs, of a name in a zoo, of a callable in a Python file."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

from costcalc.errors import MissingExtra, UsageError
from costcalc.importers.imported_architecture import ImportedArchitecture, Inputs
from costcalc.models.knob_texts import split_target

ZOOS = ("torchvision", "timm")


def is_import(target: str) -> bool:
    """Does a text name a network of a zoo, or a callable of a Python file?"""
    head, colon, name = target.partition("@")[0].rpartition(":")
    return bool(colon) and bool(name) and (head in ZOOS or head.endswith(".py"))


def is_onnx(target: Any) -> bool:
    """Does a target name an ONNX file?"""
    return _ends_in(target, ".onnx")


def is_safetensors(target: Any) -> bool:
    """Does a target name a file of tensors?"""
    return _ends_in(target, ".safetensors")


def _ends_in(target: Any, suffix: str) -> bool:
    """Is this the path of a file with this suffix, or that with knobs set?"""
    is_path = isinstance(target, (str, PathLike)) and "\n" not in str(target)
    return is_path and split_target(str(target))[0].lower().endswith(suffix)


def of_file(target: str) -> bool:
    """Does a target name a callable of a Python file, which runs?"""
    return is_import(target) and target.partition("@")[0].rpartition(":")[0].endswith(".py")


def of_name(target: str, inputs: Inputs | None = None) -> ImportedArchitecture:
    """The network that `torchvision:resnet50`, `timm:vit_base_patch16_224` or `nets.py:make` names. `inputs` in place
    of its own. Raises UnknownName, ImportRefused, MissingExtra; UsageError for a callable without inputs."""
    if find_spec("torch") is None:
        raise MissingExtra("importing a network needs torch", "torch")
    from costcalc.importers import torch_zoo

    head, _, name = target.rpartition(":")
    found = torch_zoo.ZOOS[head](name) if head in torch_zoo.ZOOS else torch_zoo.of_file(Path(head), name)
    if inputs is None and found.input_size is None:
        said = torch_zoo.wants(found.module)
        raise UsageError(f"{target} needs the shape of its input, which is {said}: --input 1,3,224,224")
    return of_module(found.module, inputs or (((1, *(found.input_size or ())),), {}), target)


def of_module(module: Any, inputs: Inputs, name: str = "") -> ImportedArchitecture:
    """The network of a torch module and its inputs: tensors, or their shapes."""
    from costcalc.importers.torch_record import record, shape_of

    args, kwargs = inputs
    shapes = tuple(map(shape_of, args)), {key: shape_of(value) for key, value in kwargs.items()}

    def run(given: Inputs) -> Any:
        return record(module, *given)

    return ImportedArchitecture(
        name or type(module).__name__, run, shapes, source=f"torch module {type(module).__name__}"
    )


class Named(NamedTuple):
    """An input by its name in `forward`."""

    name: str
    value: Any


def read_inputs(texts: Sequence[str]) -> list[Any]:
    """`1,3,224,224` is the shape of an input, `mask=1,77` that of one by name. Raises UsageError."""
    found: list[Any] = []
    for text in texts:
        name, equals, sizes = text.rpartition("=")
        try:
            shape = tuple(int(size) for size in sizes.split(","))
        except ValueError:
            raise UsageError(f"--input {text[:64]!r}: give a shape, as in 1,3,224,224 or mask=1,77") from None
        if min(shape) < 1:
            raise UsageError(f"--input {text[:64]!r}: sizes are 1 or more")
        found.append(Named(name.strip(), shape) if equals else shape)
    return found


def split_inputs(inputs: Sequence[Any]) -> Inputs:
    """Inputs by position, and those by name."""
    by_name = {one.name: one.value for one in inputs if isinstance(one, Named)}
    return tuple(one for one in inputs if not isinstance(one, Named)), by_name


def is_module(target: Any) -> bool:
    """Is this a torch module? Asks without importing torch."""
    return any(cls.__module__ == "torch.nn.modules.module" and cls.__name__ == "Module" for cls in type(target).__mro__)
