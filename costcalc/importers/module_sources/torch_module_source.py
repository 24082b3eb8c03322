"""Where a reader's own torch module is from, so that another process has it too."""

from __future__ import annotations

import io
import sys
from functools import cached_property
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any, ClassVar, Protocol

from costcalc.errors import in_one_line


class ModuleSource(Protocol):
    """Makes a module. It can be sent to another process."""

    @property
    def module(self) -> Any:
        """The module as it is recorded: it may have no memory."""

    def in_memory(self) -> Any:
        """The module with its weights."""

    def not_sendable(self) -> str:
        """Why no other process can have it; "" if one can."""

    @property
    def needs_main(self) -> bool:
        """Is a class of it defined in the script that runs?"""


class NamedModule:
    """The module of a name: `timm:convnext_tiny`, `nets.py:make`. Only the name is sent."""

    needs_main = False

    def __init__(self, target: str):
        self.target = target

    @cached_property
    def _found(self) -> tuple[Any, Any]:
        from costcalc.importers.module_sources.torch_zoo import without_memory

        return _by_name(self.target, without_memory)

    @property
    def module(self) -> Any:
        """The module, its weights without memory."""
        return self._found[0]

    @property
    def inputs(self) -> Any:
        """The shapes of its inputs; None if it has no default."""
        return self._found[1]

    def in_memory(self) -> Any:
        """A module of that name with the weights that its constructor draws."""
        from costcalc.importers.module_sources.torch_zoo import in_memory

        return _by_name(self.target, in_memory)[0]

    def not_sendable(self) -> str:
        """A name is always sent."""
        return ""

    def __reduce__(self) -> Any:
        return NamedModule, (self.target,)


def _by_name(target: str, make: Any) -> tuple[Any, Any]:
    """The module that `make` makes by a name, and the shapes of its inputs, or None."""
    kind, _, path = target.partition(":")
    if kind == "hf":
        from costcalc.importers.module_sources.torch_hf import hf_model

        return hf_model(path, make)
    from costcalc.importers.module_sources.torch_zoo import find

    found = find(target, make)
    return found.module, None if found.inputs is None else (found.inputs, {})


class GivenModule:
    """A module that a reader has made. A copy is sent, with all its tensors."""

    def __init__(self, module: Any):
        self.module = module

    def in_memory(self) -> Any:
        """The module itself."""
        return self.module

    @property
    def needs_main(self) -> bool:
        """Is a class of it defined in the script that runs?"""
        return any(type(one).__module__ == "__main__" for one in self.module.modules())

    def not_sendable(self) -> str:
        """Why no other process can have it: tensors without memory, a class that no file defines, a lambda."""
        if any(tensor.device.type == "meta" for tensor in (*self.module.parameters(), *self.module.buffers())):
            return "has tensors on the meta device, which hold no numbers; make it with memory"
        if self.needs_main and not _is_script():
            return "has a class that is defined in a notebook; write it into a file to import"
        try:
            _Trial(io.BytesIO()).dump(self.module)
        except Exception as error:  # whatever a reader's own __reduce__ raises
            words = in_one_line(error, 200)
            return f"cannot be sent to the process that times it ({words}); put a callable that makes it into a file"
        return ""

    def __reduce__(self) -> Any:
        written = io.BytesIO()
        _Copied(written).dump(self.module)
        return _received, (written.getvalue(),)


def _received(written: bytes) -> GivenModule:
    return GivenModule(ForkingPickler.loads(written))


class _Copied(ForkingPickler):
    """Writes tensors as bytes. torch's own way between processes would move the reader's into shared memory, where the
    other process writes over them."""

    _extra_reducers: ClassVar[dict[Any, Any]] = {}


class _Trial(ForkingPickler):
    """Writes no tensors."""

    def reducer_override(self, value: Any) -> Any:
        from torch import Tensor

        return (int, ()) if isinstance(value, Tensor) else NotImplemented


def _is_script() -> bool:
    """Does a file define the module `__main__`?"""
    path = getattr(sys.modules["__main__"], "__file__", None)
    return bool(path) and Path(str(path)).is_file()
