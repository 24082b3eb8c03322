"""The dispatch mode that sees each op of a run, and shows it meta tensors in place of those of the module."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode

from costcalc.errors import ImportRefused
from costcalc.importers.torch_runs.run_record import Call, Tensor, tensors_of
from costcalc.importers.torch_runs.torch_facts import Facts, dtype_name, facts_of
from costcalc.importers.torch_runs.torch_known import LOOKUPS, KnownValues
from costcalc.importers.torch_runs.torch_parts import PARTS, WITHOUT_KERNEL

META, CPU = torch.device("meta"), torch.device("cpu")
RESOLVES = ("aten::resolve_conj", "aten::resolve_neg")
MASKS = (torch.bool, torch.uint8)
PLAIN = (torch.Tensor, nn.Parameter)  # told by their class alone, which is quicker


class AsksForValue(Exception):
    """A module asks for the value of a tensor that is not known."""


class Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Records calls. Tensors of modules are shown to ops as meta tensors of the same shape."""

    def __init__(self, module: nn.Module, quick: bool = True):
        super().__init__()  # type: ignore[no-untyped-call]
        self.quick = quick  # answer frequent ops without torch?
        self.calls: list[Call] = []
        self.stack: list[nn.Module] = []
        self.failed: tuple[Any, str] = None, ""  # the last error, and the innermost module that it left
        modules = [*module.named_modules()]
        self.paths = {id(one): path.replace("._orig_mod", "") for path, one in modules}
        self.leaves = {id(one) for _, one in modules if not one._modules}
        self.parameters = {id(tensor) for _, one in modules for tensor in one._parameters.values()}
        self.known: dict[int, Tensor] = {}  # tensors as data, by their id
        self.alive: list[torch.Tensor] = []  # so that no id stands for two
        self.named = 0
        self.in_memory: dict[int, list[torch.Tensor]] = {}  # tensors by the memory in which they lie
        self.shadows: dict[int, torch.Tensor] = {}  # of tensors that are not on meta, by their id
        self.values = KnownValues()

    def as_data(self, tensor: torch.Tensor) -> Tensor:
        """A tensor as data. A factory hands another object to the reader than to us, in the same memory."""
        found = self.known.get(id(tensor))
        if found is None:
            alike = [one for one in self.in_memory.get(_memory(tensor), ()) if _lie_alike(one, tensor)]
            if not alike:
                return self.name(tensor)
            found = self.known[id(tensor)] = self.known[id(alike[-1])]
            self.alive.append(tensor)
        return found

    def name(self, tensor: torch.Tensor) -> Tensor:
        """Gives a tensor a number of its own. Raises ImportRefused for one that is nested or sparse."""
        if tensor.layout is not torch.strided:
            raise ImportRefused(f"a tensor of layout {str(tensor.layout).removeprefix('torch.')} has no fixed sizes")
        self.named += 1
        self.alive.append(tensor)
        self.in_memory.setdefault(_memory(tensor), []).append(tensor)
        made = self.known[id(tensor)] = Tensor(self.named, tuple(tensor.shape), dtype_name(tensor.dtype))
        return made

    def on_meta(self, tensor: torch.Tensor) -> torch.Tensor:
        """The tensor itself if it is on meta, else the one that stands for it."""
        return tensor if tensor.is_meta else self.shadow(tensor)

    def shadow(self, tensor: torch.Tensor) -> torch.Tensor:
        """The meta tensor that stands for one which is not, made once. Unless it is learned, its value is known."""
        made = self.shadows.get(id(tensor))
        if made is None:
            with torch.inference_mode(tensor.is_inference()):
                made = torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device=META)
            self.shadows[id(tensor)] = made
            self.alive.append(tensor)
            if tensor.device == CPU and id(tensor) not in self.parameters and not tensor.requires_grad:
                self.values.hold(self.as_data(made).number, _memory(made), tensor)
        return made

    def stand_in(self, tensor: torch.Tensor, on_meta: torch.Tensor) -> torch.Tensor:
        """The tensor, for which that on meta stands from now on."""
        self.shadows[id(tensor)] = on_meta
        self.alive.append(tensor)
        return tensor

    def shown(self, value: Any, read: list[tuple[int, Tensor]]) -> tuple[Any, Any]:
        """An argument as an op sees it, and as data. Adds the tensors in it to those that are read."""
        if value.__class__ in PLAIN or isinstance(value, torch.Tensor):
            tensor = self.on_meta(value)
            known = self.known.get(id(tensor)) or self.as_data(tensor)
            read.append((_memory(tensor), known))
            return tensor, known
        if value.__class__ in (list, tuple):
            pairs = [self.shown(one, read) for one in value]
            return [one for one, _ in pairs], [one for _, one in pairs]
        if value.__class__ is torch.device:
            return META, META
        return value, value

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        facts = facts_of(func)
        if facts.name in RESOLVES and not args[0].is_complex():
            return args[0]  # numpy reads the memory of what it gets
        kwargs = kwargs or {}
        read: list[tuple[int, Tensor]] = []
        shown, given = [], {}
        for name, value in zip(facts.arguments, args):
            one, given[name] = self.shown(value, read)
            shown.append(one)
        named = {}
        for name, value in kwargs.items():
            named[name], given[name] = self.shown(value, read)
        if facts.falls_apart or facts.name in PARTS:
            with self:
                out = PARTS.get(facts.name, func.decompose)(*shown, **named)
            if out is not NotImplemented:
                return out
        if facts.takes_device and not read:
            named["device"] = given["device"] = META
        if facts.asks:
            return self.answer(func, facts, given, read)
        if facts.name in LOOKUPS:
            self.values.check_lookup((facts.name, given), {tensor.number: memory for memory, tensor in read})
        if facts.name in ("aten::index", "aten::to"):
            found = self.by_value(func, facts, args, kwargs, given, read)
            if found is not None:
                return found
        out = facts.quick(*shown, **named) if facts.quick and self.quick else None
        if out is None and facts.name in WITHOUT_KERNEL:
            out = WITHOUT_KERNEL[facts.name](*shown, **named)
        if out is None:
            out = func(*shown, **named)
        self.record(func, facts, given, out, read)
        if facts.name == "aten::detach" and not args[0].is_meta:
            return self.stand_in(func(args[0]), out)  # whose memory numpy reads
        return out

    def answer(self, func: Any, facts: Facts, given: dict[str, Any], read: list[tuple[int, Tensor]]) -> Any:
        """The result of an op that depends on values. Raises AsksForValue unless these are known."""
        if not self.values.prepare({memory for memory, _ in read}):
            raise AsksForValue(facts.name)
        out = self.values.run(func, given)
        return pytree.tree_map_only(torch.Tensor, self.shadow, out)

    def by_value(
        self, func: Any, facts: Facts, args: tuple[Any, ...], kwargs: Mapping[str, Any], given: dict[str, Any],
        read: list[tuple[int, Tensor]],
    ) -> Any:  # fmt: skip
        """Elements that a mask chooses; and the value of a tensor that goes to Python, as for `tolist`. None for any
        other call."""
        if facts.name == "aten::index":
            return self.index_by_masks(func, args) if any(_is_mask(one) for one in args[1]) else None
        device = [one for one in (*args, kwargs.get("device")) if one.__class__ is torch.device]
        goes = device == [CPU] and self.values.prepare({memory for memory, _ in read})
        return self.values.real(given["self"]) if goes else None

    def index_by_masks(self, func: Any, args: tuple[Any, ...]) -> Any:
        """Elements where a mask is true, as those of these numbers: how many there are depends on values."""
        indices: list[Any] = []
        for one in args[1]:
            with self:
                indices.extend(torch.ops.aten.nonzero(one).unbind(1) if _is_mask(one) else (one,))
        with self:
            return func(args[0], indices)

    def record(self, func: Any, facts: Facts, given: dict[str, Any], out: Any, read: list[tuple[int, Tensor]]) -> None:
        """Adds a call."""
        listed = out if isinstance(out, (tuple, list)) else (out,)
        made = [one for one in listed if isinstance(one, torch.Tensor)]
        writes: tuple[int, ...] = ()
        if facts.written:
            over = [given.get(name) for name in facts.written]
            writes = tuple([one.number for value in over for one in tensors_of(value)])
        outputs = []
        for tensor in made:
            known = self.known.get(id(tensor))
            outputs.append(self.name(tensor) if known is None or known.number in writes else known)
        inner = id(self.stack[-1]) if self.stack else 0
        memories = [memory for memory, _ in read]
        lies_in = {memory: tensor.number for memory, tensor in read}
        makes = [_memory(tensor) for tensor in made]
        views = {one.number: lies_in[memory] for one, memory in zip(outputs, makes) if memory in lies_in}
        path = self.paths.get(inner, "")
        call = Call(facts.name, given, tuple(outputs), path, inner in self.leaves, facts.tags, writes, views)
        self.calls.append(call)
        if writes:
            makes += [memory for memory, tensor in read if tensor.number in writes]
        self.values.note(func, call, () if facts.makes_new else memories, makes, not facts.random)

    def last_results(self) -> tuple[Tensor, ...]:
        """The results that no call has read."""
        read = {tensor.number for call in self.calls for tensor in call.tensors}
        return tuple(one for call in self.calls for one in call.outputs if one.number not in read)


def _is_mask(value: Any) -> bool:
    return value is not None and value.dtype in MASKS


def _memory(tensor: torch.Tensor) -> int:
    memory: int = tensor.untyped_storage()._cdata
    return memory


def _lie_alike(a: torch.Tensor, b: torch.Tensor) -> bool:
    return (a.shape, a.storage_offset(), a.stride()) == (b.shape, b.storage_offset(), b.stride())
