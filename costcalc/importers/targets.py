"""Imported networks as models: of a module and its inputs, of a name in a zoo, of a callable in a Python file."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from os import PathLike
from typing import TYPE_CHECKING, Any

from costcalc.errors import MissingExtra, UnknownName, UsageError, did_you_mean, shorten, unknown
from costcalc.importers.imported_architecture import ImportedArchitecture
from costcalc.importers.symbolic_sizes.input_sizes import Inputs
from costcalc.importers.torch_runs.run_record import STRICT, Leniency, Named
from costcalc.models.knob_texts import split_target

if TYPE_CHECKING:
    from costcalc.importers.module_sources.torch_module_source import ModuleSource

ZOOS = ("torchvision", "timm")
HF = "hf:"  # before the path of a configuration file
INPUT_DTYPES = ("float32", "float16", "bfloat16", "float64", "int64", "int32", "int16", "int8", "uint8", "bool")


def is_import(target: str) -> bool:
    """Does a text name a network of a zoo, a configuration file of one, or a callable of a Python file?"""
    if target.startswith(HF):
        return True
    head, colon, name = split_target(target)[0].rpartition(":")
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


def check_complete(target: Any) -> None:
    """Raises UsageError for a Python file without a callable or a zoo without a name, UnknownName for a zoo that is
    misspelt."""
    if not isinstance(target, (str, PathLike)) or "\n" in str(target):
        return
    name = split_target(str(target))[0]
    head, colon, rest = name.rpartition(":")
    if name.endswith(".py") or (not rest and head.endswith(".py")):
        file = head or name
        raise UsageError(f"{shorten(file)!r} is a Python file", f"say what makes the module: {shorten(file)}:NAME")
    if colon and not rest and f"{head}:" in (*(f"{zoo}:" for zoo in ZOOS), HF):
        raise UsageError(f"{name} names no network", f"say which: {name}{'config.json' if name == HF else 'NAME'}")
    if colon and "/" not in head and (hint := did_you_mean(head, (*ZOOS, HF[:-1]), listed=False)):
        raise UnknownName(f"nothing is called {shorten(name)!r}", hint)


def runs_file(target: str) -> bool:
    """Does a target name a callable of a Python file, which runs?"""
    is_file = split_target(target)[0].rpartition(":")[0].endswith(".py")
    return is_import(target) and not target.startswith(HF) and is_file


def of_name(target: str, inputs: Inputs | None = None, lenient: Leniency = STRICT) -> ImportedArchitecture:
    """The network that `torchvision:resnet50`, `timm:vit_base_patch16_224`, `hf:config.json` or `nets.py:make` names.
    `inputs` in place of its own. Raises UnknownName, ImportRefused, MissingExtra; UsageError for a callable without
    inputs."""
    _require_torch()
    from costcalc.importers.module_sources.torch_module_source import NamedModule
    from costcalc.importers.torch_runs.torch_inputs import signature_of

    source = NamedModule(target)
    given = inputs or source.inputs
    if given is None:
        said = f"needs the shapes of its inputs, {signature_of(source.module)}: --input 1,3,224,224"
        raise UsageError(f"{target} {said}")
    return of_source(source, given, target, lenient)


def of_module(module: Any, inputs: Inputs, name: str = "", lenient: Leniency = STRICT) -> ImportedArchitecture:
    """The network of a torch module and its inputs: tensors, or their shapes."""
    from costcalc.importers.module_sources.torch_module_source import GivenModule
    from costcalc.importers.torch_runs.torch_inputs import unwrapped

    return of_source(GivenModule(unwrapped(module)), inputs, name, lenient)


def of_source(source: ModuleSource, inputs: Inputs, name: str = "", lenient: Leniency = STRICT) -> ImportedArchitecture:
    """The network of a module that a source makes."""
    from costcalc.importers.torch_runs.torch_inputs import shape_of
    from costcalc.importers.torch_runs.torch_record import record

    args, kwargs = inputs
    shapes = tuple(map(shape_of, args)), {key: shape_of(value) for key, value in kwargs.items()}

    def run(given: Inputs) -> Any:
        return record(source.module, *given, lenient)

    kind = type(source.module).__name__
    return ImportedArchitecture(name or kind, run, shapes, f"torch module {kind}", source)


def read_inputs(texts: Sequence[str]) -> list[Any]:
    """`1,3,224,224` is the shape of an input, `mask=1,77` that of one by name, `1,128:int64` one of indices. Raises
    UsageError."""
    found: list[Any] = []
    for text in texts:
        name, equals, rest = text.rpartition("=")
        sizes, colon, dtype = rest.partition(":")
        try:
            shape = tuple(int(size) for size in sizes.split(","))
        except ValueError:
            said = "give a shape, as in 1,3,224,224, mask=1,77 or 1,128:int64"
            raise UsageError(f"--input {text[:64]!r}: {said}") from None
        if min(shape) < 1:
            raise UsageError(f"--input {text[:64]!r}: sizes are 1 or more")
        value = of_dtype(shape, dtype.strip()) if colon else shape
        found.append(Named(name.strip(), value) if equals else value)
    return found


def of_dtype(shape: tuple[int, ...], dtype: str) -> Any:
    """An input of this dtype. Raises UnknownName for one that torch has not."""
    if dtype not in INPUT_DTYPES:
        raise unknown("dtype", dtype, INPUT_DTYPES, of="--input")
    _require_torch()
    from costcalc.importers.torch_runs.torch_inputs import empty_input

    return empty_input(shape, dtype)


def _require_torch() -> None:
    if find_spec("torch") is None:
        raise MissingExtra("importing a network needs torch", "torch")


def split_inputs(inputs: Sequence[Any]) -> Inputs:
    """Inputs by position, and those by name."""
    by_name = {one.name: one.value for one in inputs if isinstance(one, Named)}
    return tuple(one for one in inputs if not isinstance(one, Named)), by_name


def is_module(target: Any) -> bool:
    """Is this a torch module? Asks without importing torch."""
    return any(cls.__module__ == "torch.nn.modules.module" and cls.__name__ == "Module" for cls in type(target).__mro__)
