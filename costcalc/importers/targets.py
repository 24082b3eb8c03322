"""Imported networks as models: of a module and its inputs, of a name in a zoo, of a callable in a Python file."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

from costcalc.errors import MissingExtra, UsageError
from costcalc.importers.imported_architecture import ImportedArchitecture, Inputs

if TYPE_CHECKING:
    from costcalc.importers.module_source import ModuleSource

ZOOS = ("torchvision", "timm")


def is_import(target: str) -> bool:
    """Does a text name a network of a zoo, or a callable of a Python file?"""
    head, colon, name = target.partition("@")[0].rpartition(":")
    return bool(colon) and bool(name) and (head in ZOOS or head.endswith(".py"))


def of_file(target: str) -> bool:
    """Does a target name a callable of a Python file, which runs?"""
    return is_import(target) and target.partition("@")[0].rpartition(":")[0].endswith(".py")


def of_name(target: str, inputs: Inputs | None = None) -> ImportedArchitecture:
    """The network that `torchvision:resnet50`, `timm:vit_base_patch16_224` or `nets.py:make` names. `inputs` in place
    of its own. Raises UnknownName, ImportRefused, MissingExtra; UsageError for a callable without inputs."""
    if find_spec("torch") is None:
        raise MissingExtra("importing a network needs torch", "torch")
    from costcalc.importers.module_source import NamedModule
    from costcalc.importers.torch_zoo import wants

    source = NamedModule(target)
    size = source.found.input_size
    if inputs is None and size is None:
        raise UsageError(f"{target} needs the shape of its input, which is {wants(source.module)}: --input 1,3,224,224")
    return of_source(source, inputs or (((1, *(size or ())),), {}), target)


def of_module(module: Any, inputs: Inputs, name: str = "") -> ImportedArchitecture:
    """The network of a torch module and its inputs: tensors, or their shapes."""
    from costcalc.importers.module_source import GivenModule
    from costcalc.importers.torch_record import unwrapped

    return of_source(GivenModule(unwrapped(module)), inputs, name)


def of_source(source: ModuleSource, inputs: Inputs, name: str = "") -> ImportedArchitecture:
    """The network of a module that a source makes."""
    from costcalc.importers.torch_record import record, shape_of

    args, kwargs = inputs
    shapes = tuple(map(shape_of, args)), {key: shape_of(value) for key, value in kwargs.items()}

    def run(given: Inputs) -> Any:
        return record(source.module, *given)

    kind = type(source.module).__name__
    return ImportedArchitecture(name or kind, run, shapes, f"torch module {kind}", source)


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
