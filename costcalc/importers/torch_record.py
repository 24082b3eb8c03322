"""Records one run of a torch module on meta tensors: nothing is computed, and the module stays as it is.

Under inference mode torch hands composite ops over whole: a linear is one call, and attention is. A dispatch mode sees
them; two hooks of the process say in which module. What a module changes of itself in the run is put back.
"""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode

from costcalc.errors import ImportRefused
from costcalc.importers.run_record import Call, Learned, Record, Tensor
from costcalc.importers.untouched import untouched

WHOLE = {  # composite ops that stay one call; others fall into their parts
    "aten::linear", "aten::conv1d", "aten::conv2d", "aten::conv3d", "aten::matmul", "aten::layer_norm",
    "aten::group_norm", "aten::batch_norm", "aten::instance_norm", "aten::scaled_dot_product_attention", "aten::lstm",
    "aten::gru", "aten::adaptive_avg_pool1d", "aten::adaptive_avg_pool2d", "aten::adaptive_avg_pool3d", "aten::dropout",
    "aten::conv_transpose1d", "aten::conv_transpose2d", "aten::conv_transpose3d", "aten::rms_norm", "aten::embedding",
    "aten::max_pool1d", "aten::max_pool2d", "aten::max_pool3d", "aten::upsample_nearest2d", "aten::silu", "aten::pad",
    "aten::softmax", "aten::log_softmax", "aten::flatten", "aten::reshape", "aten::contiguous", "aten::to",
    "aten::conv1d.padding", "aten::conv2d.padding", "aten::conv3d.padding", "aten::prelu", "aten::pixel_shuffle",
}  # fmt: skip


ASKS = {"aten::_local_scalar_dense", "aten::nonzero", "aten::equal", "aten::is_nonzero", "aten::masked_select"}


class AsksForValue(Exception):
    """A module asks for the value of a tensor."""


class Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Records calls. Tensors of modules are shown to ops as meta tensors of the same shape."""

    def __init__(self, module: nn.Module):
        super().__init__()  # type: ignore[no-untyped-call]
        self.calls: list[Call] = []
        self.stack: list[nn.Module] = []
        self.paths = {id(one): path for path, one in module.named_modules(remove_duplicate=True)}
        self.numbers: dict[int, int] = {}  # of tensors, by id
        self.alive: list[torch.Tensor] = []  # so that no id stands for two
        self.named = 0
        self.by_storage: dict[tuple[Any, ...], int] = {}
        self.shadows: dict[int, torch.Tensor] = {}  # of tensors that are not on meta, by their id

    def number(self, tensor: torch.Tensor) -> int:
        """The number of a tensor. A factory hands another object to the reader than to us, in the same memory."""
        known = self.numbers.get(id(tensor))
        if known is None:
            known = self.by_storage.get(_place(tensor))
        if known is None:
            known = self.name(tensor)
        return known

    def name(self, tensor: torch.Tensor) -> int:
        """Gives a tensor a number of its own."""
        number = self.named = self.named + 1
        self.alive.append(tensor)
        self.numbers[id(tensor)] = number
        self.by_storage[_place(tensor)] = number
        return number

    def known(self, tensor: torch.Tensor) -> Tensor:
        """A tensor as data."""
        return Tensor(self.number(tensor), tuple(tensor.shape), str(tensor.dtype).removeprefix("torch."))

    def shadow(self, tensor: torch.Tensor) -> torch.Tensor:
        """The tensor itself if it is on meta, else its shadow, which is made once."""
        if tensor.device.type == "meta":
            return tensor
        if id(tensor) not in self.shadows:
            with torch.inference_mode(tensor.is_inference()):
                made = torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device="meta")
            self.shadows[id(tensor)] = made
            self.alive.append(tensor)
        return self.shadows[id(tensor)]

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        schema = func._schema.name
        overload = func._schema.overload_name
        if func._can_decompose() and not {schema, f"{schema}.{overload}"} & WHOLE:
            with self:
                out = func.decompose(*args, **kwargs)
            if out is not NotImplemented:
                return out
        if schema in ASKS:
            raise AsksForValue(schema)
        args, kwargs = pytree.tree_map_only(torch.Tensor, self.shadow, (args, kwargs))
        if ("device" in kwargs and kwargs["device"] is not None) or (
            any(one.name == "device" for one in func._schema.arguments) and not _has_tensor(args)
        ):
            kwargs = {**kwargs, "device": torch.device("meta")}
        given = self.arguments(func, args, kwargs)
        storages = {_storage(x): self.number(x) for x in _tensors((args, kwargs))}
        out = func(*args, **kwargs)
        self.record(func, given, out, storages)
        return out

    def arguments(self, func: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments by the names of the schema, tensors as data."""
        names = [one.name for one in func._schema.arguments]
        given = {**dict(zip(names, args)), **kwargs}
        return {name: pytree.tree_map_only(torch.Tensor, self.known, value) for name, value in given.items()}

    def record(self, func: Any, given: dict[str, Any], out: Any, storages: Mapping[Any, int]) -> None:
        """Adds a call."""
        made = _tensors(out)
        writes = tuple(
            given[one.name].number
            for one in func._schema.arguments
            if one.alias_info is not None and one.alias_info.is_write and isinstance(given.get(one.name), Tensor)
        )
        outputs = []
        for tensor in made:
            if id(tensor) in self.numbers and self.numbers[id(tensor)] not in writes:
                outputs.append(self.known(tensor))
            else:
                outputs.append(Tensor(self.name(tensor), tuple(tensor.shape), str(tensor.dtype).removeprefix("torch.")))
        views = {one.number: storages[_storage(x)] for one, x in zip(outputs, made) if _storage(x) in storages}
        inner = self.stack[-1] if self.stack else None
        self.calls.append(
            Call(
                func._schema.name, given, tuple(outputs), self.paths.get(id(inner), "") if inner is not None else "",
                inner is not None and not any(True for _ in inner.children()),
                frozenset(str(tag).rpartition(".")[2] for tag in func.tags), writes, views,
            )
        )  # fmt: skip


def _tensors(tree: Any) -> list[torch.Tensor]:
    return [leaf for leaf in pytree.tree_leaves(tree) if isinstance(leaf, torch.Tensor)]


def _has_tensor(tree: Any) -> bool:
    return bool(_tensors(tree))


def _storage(tensor: torch.Tensor) -> Any:
    return tensor.untyped_storage()._cdata


def _place(tensor: torch.Tensor) -> tuple[Any, ...]:
    return _storage(tensor), tuple(tensor.shape), tensor.storage_offset(), tuple(tensor.stride())


def record(module: nn.Module, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None) -> Record:
    """Runs a module once, in evaluation mode, on meta tensors of the shapes of its inputs: tensors, or tuples.

    Raises ImportRefused if it fails, with the module's own words, or if it asks for values.
    """
    module = unwrapped(module)
    recorder = Recorder(module)
    given = pytree.tree_map(on_meta, (tuple(args), dict(kwargs or {})), is_leaf=is_input)
    with ExitStack() as stack:
        stack.enter_context(untouched(module))
        for one in module.modules():
            one.training = False
        stack.enter_context(_followed(recorder))
        stack.enter_context(torch.inference_mode())
        names = input_names(module, given)
        inputs = {name: recorder.known(tensor) for name, tensor in names.items()}
        stack.enter_context(recorder)
        try:
            out = module(*given[0], **given[1])
        except Exception as error:
            raise refused(module, recorder, error) from error
    outputs = tuple(recorder.known(tensor) for tensor in outputs_of(out))
    return Record(type(module).__name__, inputs, _learned(module, recorder), tuple(recorder.calls), outputs)


def refused(module: nn.Module, recorder: Recorder, error: Exception) -> ImportRefused:
    """Why a run failed: it asked for a value, or wants other inputs; in which module, and at which line."""
    path = recorder.paths.get(id(recorder.stack[-1]), "") if recorder.stack else ""
    where = f"in {path!r}" if path else f"in {type(module).__name__}"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not _is_ours_or_torchs(frame.filename)]
    line = f", {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    if isinstance(error, AsksForValue):
        said = "asks for the value of a tensor, and an import computes none: what follows from values has no fixed cost"
        return ImportRefused(f"{where}{line}: it {said}")
    words = str(error).strip().splitlines()[0][:300] if str(error).strip() else ""
    hint = f"it takes forward{inspect.signature(module.forward)}; give the shapes of its inputs"
    return ImportRefused(f"{where}{line}: {type(error).__name__}: {words}; {hint}")


def _is_ours_or_torchs(path: str) -> bool:
    return any(path.startswith(str(Path(one).parent)) for one in (torch.__file__, __file__))


@contextmanager
def _followed(recorder: Recorder) -> Iterator[None]:
    """Tells a recorder which module runs."""
    before = register_module_forward_pre_hook(lambda module, _: recorder.stack.append(module))

    def leave(module: nn.Module, *_: Any) -> None:
        if recorder.stack and recorder.stack[-1] is module:
            recorder.stack.pop()

    after = register_module_forward_hook(leave, always_call=True)
    try:
        yield
    finally:
        before.remove()
        after.remove()


def unwrapped(module: nn.Module) -> nn.Module:
    """The module in DataParallel and compiled wrappers."""
    inner: Any = module
    while isinstance(inner, (nn.DataParallel, nn.parallel.DistributedDataParallel)) or hasattr(inner, "_orig_mod"):
        inner = inner._orig_mod if hasattr(inner, "_orig_mod") else inner.module
    found: nn.Module = inner
    return found


def is_input(value: Any) -> bool:
    """Is this a tensor, or the shape of one?"""
    shape = isinstance(value, (tuple, list)) and bool(value) and all(type(size) is int for size in value)
    return shape or isinstance(value, torch.Tensor)


def on_meta(value: Any) -> Any:
    """A meta tensor of the same shape; anything else as it is."""
    if isinstance(value, torch.Tensor):
        return torch.empty_like(value, device="meta")
    return torch.empty(tuple(value), device="meta") if is_input(value) else value


def shape_of(value: Any) -> Any:
    """The shape of a tensor; of indices the meta tensor, whose dtype counts; anything else as it is."""
    if not isinstance(value, torch.Tensor):
        return tuple(value) if is_input(value) else value
    return tuple(value.shape) if value.is_floating_point() else on_meta(value)


def input_names(module: nn.Module, given: tuple[tuple[Any, ...], dict[str, Any]]) -> dict[str, torch.Tensor]:
    """The tensors of a call, by the names of `forward`'s arguments."""
    try:
        bound = inspect.signature(module.forward).bind(*given[0], **given[1]).arguments
    except TypeError:  # the module says it better
        bound = {f"input{i}": value for i, value in enumerate(given[0])} | given[1]
    found: dict[str, torch.Tensor] = {}
    for name, value in bound.items():
        tensors = _tensors(value)
        for i, tensor in enumerate(tensors):
            found[name if len(tensors) == 1 else f"{name}{i}"] = tensor
    return found


def outputs_of(out: Any) -> list[torch.Tensor]:
    """The tensors of an output, those in attributes of an object too."""
    found = _tensors(out)
    if not found and hasattr(out, "__dict__"):
        found = _tensors(vars(out))
    return list(dict.fromkeys(found))


def _learned(module: nn.Module, recorder: Recorder) -> dict[int, Learned]:
    """What modules hold, shared tensors once. A tensor that the run does not read gets a number too."""
    found: dict[int, Learned] = {}
    for is_buffer, tensors in ((False, module.named_parameters()), (True, module.named_buffers())):
        for path, tensor in tensors:
            known = recorder.known(recorder.shadow(tensor))
            found.setdefault(known.number, Learned(path, known, is_buffer, tensor.requires_grad))
    return found
