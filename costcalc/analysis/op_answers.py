"""What an op answers about its inputs: the output shape and the costs of a layer.

Each answer is checked: a reader's op may return anything, and a wrong count is worse than an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from costcalc.dims import Shape, Size, SizedShape, clip, elements, is_array, is_rational, is_symbolic, prod
from costcalc.errors import ShapeError
from costcalc.ops.check_needs import needs_of
from costcalc.ops.needs import Need, SameShape
from costcalc.text import plural

ROLES = {"weight": "weight", "bias": "bias", "norm": "norm", "buffer": "buffers"}  # of a tensor -> its cost
MAX_AXES = 64  # as many as numpy has
MAX_AXIS = 2**62  # elements; far beyond any memory: a repeated doubling would fill pages with digits
MAX_KEPT = 2**14  # elements of an array that each layer keeps for the layers that read it

Answer = tuple[Shape, Mapping[str, Size], tuple[Need, ...]]  # output shape, costs, what symbols leave undecided
Check = Callable[[Iterable[Need]], Sequence[Need]]  # returns the undecided needs


def answer(op: Any, ins: tuple[Shape, ...], check: Check) -> Answer:
    """What an op answers for inputs of these shapes. Raises ShapeError for inputs that it does not take."""
    if not op.arity <= len(ins) <= op.max_arity if op.arity is not None else not ins:
        wanted = "at least one input" if op.arity is None else plural(op.arity, "input")
        wanted = wanted if op.arity == op.max_arity else f"{op.arity} or {plural(op.max_arity, 'input')}"
        raise ShapeError(f"takes {wanted}, got {len(ins)}")
    assumed = check(needs_of(op, ins))
    out, written = _output(op, ins)
    counted = out if is_rational(written) else SizedShape.of(out, written)
    macs = _count(op, "macs", op.macs(*ins, out=counted))
    elementwise = _count(op, "elementwise", op.elementwise(*ins, out=counted))
    costs = _by_role(_tensors(op, op.weights(*ins)))
    costs |= {"macs": macs, "elementwise": elementwise, "activations": 0 if op.output.view else written}
    return counted if getattr(written, "size", 0) <= MAX_KEPT else out, costs, tuple(assumed)


def own_tensors(
    op: Any, ins: tuple[Shape, ...], owner: Any, owner_ins: list[Shape], check: Check
) -> tuple[dict[str, Size], tuple[str, ...], Sequence[Need]]:
    """Scalars by role of a layer that shares another's tensors, the names of these, and what symbols leave undecided.
    Tensors of the same name are the owner's and count there."""
    owned = {tensor.name: tensor.shape for tensor in owner.weights(*owner_ins)}
    needed = [*op.weights(*ins)]
    shared = [(tensor.name, owned[tensor.name], tensor.shape) for tensor in needed if tensor.name in owned]
    if not shared:
        raise ShapeError(f"shares no weights with a {owner.name}")
    words = "shares {} of shape {}, but needs {}"
    same = [SameShape(theirs, ours, message=words, message_sizes=(n, theirs, ours)) for n, theirs, ours in shared]
    own = [tensor for tensor in needed if tensor.name not in owned]
    return _by_role(own), tuple(name for name, _, _ in shared), check(same)


def learned_tensors(op: Any, ins: tuple[Shape, ...]) -> list[Any]:
    """The tensors of a layer that are learned: all but buffers."""
    return [tensor for tensor in op.weights(*ins) if tensor.role != "buffer"]


def _output(op: Any, ins: tuple[Shape, ...]) -> tuple[Shape, Size]:
    """The output shape and its number of elements."""
    out = op.shape(*ins)
    if not isinstance(out, tuple) or not all(map(_is_size, out)):
        raise _wrong(op, "shape", "one shape, a tuple of sizes", out)
    if len(out) > MAX_AXES:
        raise ShapeError(f"makes a tensor of {len(out)} axes; at most {MAX_AXES}")
    written = elements(out)
    if not (is_rational(written) and written <= MAX_AXIS) and any(is_rational(n) and n > MAX_AXIS for n in out):
        raise ShapeError(f"makes an axis of more than 2^{MAX_AXIS.bit_length() - 1} elements")
    return out, written


def _count(op: Any, question: str, given: Any) -> Size:
    """The count that `macs()` or `elementwise()` returned."""
    if _is_size(given):
        return given
    raise _wrong(op, question, "one size, a whole number from 0", given)


def _tensors(op: Any, given: Any) -> list[Any]:
    """The tensors that `weights()` returned."""
    if hasattr(given, "__iter__") and all(map(_is_tensor, found := [*given])):
        return found
    wanted = f"tensors, each Tensor(name, shape, role) with a role of {', '.join(ROLES)}"
    raise _wrong(op, "weights", wanted, given)


def _by_role(tensors: Iterable[Any]) -> dict[str, Size]:
    counts: dict[str, Size] = dict.fromkeys(ROLES.values(), 0)
    for _, shape, role in tensors:
        counts[ROLES[role]] += prod(shape)
    return counts


def _is_size(given: Any) -> bool:
    if isinstance(given, int):
        return given >= 0 and not isinstance(given, bool)
    return is_symbolic(given) or is_array(given)


def _is_tensor(given: Any) -> bool:
    if not isinstance(given, tuple) or len(given) != 3:
        return False
    name, shape, role = given
    return isinstance(name, str) and isinstance(shape, tuple) and all(map(_is_size, shape)) and role in (*ROLES,)


def _wrong(op: Any, question: str, wanted: str, given: Any) -> ShapeError:
    return ShapeError(f"op {op.__class__.__name__}: {question}() must return {wanted}; got {clip(given)}")
