"""The questions that every op answers, and the registry of ops.

    needs(*ins)                         what must hold: relations of needs.py
    shape(*ins)                         the output shape
    weights(*ins)                       its tensors, named as torch names them
    macs(*ins, out)                     multiplies, one per multiply–accumulate
    elementwise(*ins, out)              all other arithmetic, one per element and elementary operation
    backward_macs(*ins, out, wanted)    in training, see gradients.py: multiplies of the gradients that are `wanted`,
    train_elementwise(…)                other arithmetic that a step adds,
    keeps(…)                            and what the op keeps for them
    output                              how its output uses memory: see output.py

`ins` are input shapes with the batch first. A `shape` that takes `*ins` makes the op a join: a spec may give it
branches. Optional:

    layout          how its output is shown: "plain", in the order of its axes; the "same" as its inputs, unless it says
                    otherwise; "image", (n, c, h, w) that papers write h×w×c, where its `features_axis` is 1
    is_input        True for an input of the network
    joins           False for an op that takes any number of inputs, one too, and is no join
    lies_in_weights True if its output is one of its tensors
    train_output    its output in a training step, where that differs
    hands_on_gradient
                    True if the gradients of its inputs are that of its output, or lie in it; as a view's do
    gradient_shape(i, ins, out)
                    the shape in which torch makes the gradient of input i, if that is not the input's
    backward_workspace(*ins, wanted, each)
                    bytes, with `each` for an element, of tensors that come and go while torch makes its gradients
    joined_axes     the axes of its input that it makes one: a copy, if they do not lie in that order in memory
    overwritable_axes
                    if its output is only overwritable with so many axes
    memory_order    in which order the axes of its output lie in memory, of those of its inputs; as in its shape, unless
                    it says otherwise
    autocast        how wide it computes in mixed precision, see precision.py: as its widest input, unless it says
                    otherwise
    index_limit     if the elements of its first input are indices: the number of rows they select from
    synonyms …      other names of it and its fields: see synonyms.py
    axis_roles …    which axes are features or positions: see axis_roles.py
    reads …         which elements of its inputs one of its output depends on: see reads.py
    macs_on_input(*ins, out)
                    those of its multiplies that are not with a zero of padding; all of them, unless it says otherwise
    stored_statistics
                    does it normalise by stored statistics, as batch norm does?

An elementary operation is one of + − × ÷, a comparison, or one function of C's <math.h> (exp, tanh, erf, sqrt, pow).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import FrozenInstanceError, dataclass, fields
from functools import cache
from typing import Any, TypeVar, dataclass_transform, get_type_hints

from costcalc.dims import clip
from costcalc.ops.axis_roles import channels_first, features_last, keep_if_same_shape
from costcalc.ops.fields import Kind, kind_names
from costcalc.ops.gradients import no_workspace, shape_of_input
from costcalc.ops.output import CHOICES, Output
from costcalc.ops.precision import in_widest
from costcalc.ops.reads import reads_unknown
from costcalc.ops.rules import free
from costcalc.ops.synonyms import register

LAYOUTS = ("image", "plain", "same")
ANSWERS = ("needs", "shape", "weights", "macs", "backward_macs", "elementwise", "train_elementwise", "keeps")
OPS: dict[str, type[Any]] = {}
CLASSES: set[type[Any]] = set()  # those of OPS, and earlier versions of them: a notebook runs a cell again


def snake_case(name: str) -> str:
    """The name a class has in specs: `BatchNorm` is `batch_norm`, `ReLU6` is `relu6`."""
    name = name.replace("PReLU", "Prelu").replace("ReLU", "Relu").replace("SiLU", "Silu").replace("GELU", "Gelu")
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


Class = TypeVar("Class", bound=type[Any])


@dataclass_transform(frozen_default=True)
def op_base(cls: Class) -> Class:
    """Gives a class fields. Ops inherit them from a class that is not an op itself."""
    dataclass(repr=False, eq=False, match_args=False)(cls)
    return cls


@dataclass_transform(frozen_default=True)
def op(cls: Class) -> Class:
    """Registers a class as an op. Refuses a class that leaves a question open: no cost is zero by default.

    An op whose multiplies are free has none in its gradients either, unless it says so itself.
    """
    if isinstance(getattr(cls, "macs", None), free) and _owner(cls, "macs") < _owner(cls, "backward_macs"):
        cls.backward_macs = cls.macs
    _refuse_open(cls)
    cls.name = snake_case(cls.__name__)
    cls.arity, cls.max_arity = _arity(cls)
    cls.is_join = cls.arity is None and getattr(cls, "joins", True)
    cls.is_input = getattr(cls, "is_input", False)
    cls.lies_in_weights = getattr(cls, "lies_in_weights", False)
    cls.index_limit = getattr(cls, "index_limit", None)
    cls.stored_statistics = getattr(cls, "stored_statistics", False)
    if not hasattr(cls, "autocast"):
        cls.autocast = in_widest
    if not hasattr(cls, "backward_workspace"):
        cls.backward_workspace = no_workspace
    if not hasattr(cls, "gradient_shape"):
        cls.gradient_shape = shape_of_input
    if not hasattr(cls, "reads"):
        cls.reads = reads_unknown
    cls.joined_axes = getattr(cls, "joined_axes", None)
    cls.overwritable_axes = getattr(cls, "overwritable_axes", None)
    cls.hands_on_gradient = getattr(
        cls, "hands_on_gradient", cls.output.view if isinstance(cls.output, Output) else False
    )
    _register_axes(cls)
    for method in ("__setattr__", "__delattr__", "__eq__", "__hash__", "__repr__"):
        setattr(cls, method, getattr(_Value, method))
    _refuse_mixed(cls)
    refuse_second("op", cls, OPS)
    op_base(cls)
    known: Any = cls
    field_kinds(known)  # refuses a field without a kind now, not when the first instance is made
    register(known, OPS)
    CLASSES.add(cls)
    OPS[cls.name] = cls
    return cls


def refuse_second(what: str, cls: Any, known: Mapping[str, Any]) -> None:
    """Raises TypeError if another class has the name of this one; the same class, written anew, may replace itself."""
    other = known.get(cls.name) or cls
    if (other.__module__, other.__qualname__) != (cls.__module__, cls.__qualname__):
        has = f"{other.__module__}.{other.__qualname__} has its name, {cls.name}, already"
        raise TypeError(f"{what} {cls.__name__}: {has}")


def _refuse_open(cls: Any) -> None:
    """Raises TypeError for the questions that a class leaves open, and for an output that is not one."""
    open_questions = [question for question in (*ANSWERS, "output") if not hasattr(cls, question)]
    if open_questions:
        choices = f"; output is one of {CHOICES}" if "output" in open_questions else ""
        raise TypeError(f"op {cls.__name__} does not answer: {', '.join(open_questions)}{choices}")
    if not isinstance(cls.output, Output):
        raise TypeError(f"op {cls.__name__}: output must be one of {CHOICES}, got {clip(cls.output)}")
    for name, answer in cls.output._asdict().items():
        if not isinstance(answer, bool):
            hint = "if in doubt say False: it costs memory, no wrong result"
            raise TypeError(f"op {cls.__name__}: output: {name} must be True or False, got {clip(answer)}; {hint}")


def _register_axes(cls: Any) -> None:
    """Fills in the attributes of axes that the class leaves out; channels at axis 1 make an image."""
    for name, default in (("features_axis", None), ("positions_axis", None), ("takes_flat", False), ("layout", "same")):
        setattr(cls, name, getattr(cls, name, default))
    if cls.features_axis == 1:
        cls.layout = "image"
    if cls.layout not in LAYOUTS:
        raise TypeError(f"op {cls.__name__}: layout {cls.layout!r} is not one of {', '.join(LAYOUTS)}")
    if not hasattr(cls, "axis_roles"):
        new_features = {1: channels_first, -1: features_last}  # a property depends on the op's fields
        axis = cls.features_axis if isinstance(cls.features_axis, int) else 0
        cls.axis_roles = new_features.get(axis, keep_if_same_shape)


def _owner(cls: type[Any], question: str) -> int:
    """The index in the MRO of the class that answers a question; the length of the MRO if none does."""
    return next((i for i, base in enumerate(cls.__mro__) if question in base.__dict__), len(cls.__mro__))


def _refuse_mixed(cls: type[Any]) -> None:
    """Raises TypeError for own macs with inherited backward_macs, or own elementwise with an inherited output."""
    for own, inherited in (("macs", "backward_macs"), ("macs", "macs_on_input"), ("elementwise", "output")):
        other = _owner(cls, inherited)
        is_free = not hasattr(cls, inherited)  # to leave open
        is_shared = inherited == "output" and cls.__mro__[other] not in CLASSES  # a base class speaks for a family
        if _owner(cls, own) < other and not is_shared and not is_free:
            ancestor = cls.__mro__[other].__name__
            raise TypeError(
                f"op {cls.__name__} has {own} of its own, but the {inherited} of {ancestor}; give it {inherited} too"
            )


class _Value:
    """Makes an op a value: fields are checked, set once, and compared.

    `dataclass(frozen=True)` would compile six methods for every op; sharing them makes imports faster.
    """

    def __setattr__(self: Any, name: str, given: Any) -> None:
        kind = field_kinds(self.__class__).get(name)
        if kind is None or name in self.__dict__:
            raise FrozenInstanceError(f"cannot assign to field {name!r}")
        self.__dict__[name] = kind.check(given, f"{self.name}: {name}")

    def __delattr__(self, name: str) -> None:
        raise FrozenInstanceError(f"cannot delete field {name!r}")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash((type(self), *self.__dict__.values()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.__dict__.items())})"


def _arity(cls: type[Any]) -> tuple[int | None, int | None]:
    """How many inputs an op takes at least and at most; None for one or more."""
    code = cls.shape.__code__
    most = None if code.co_flags & 0x04 else code.co_argcount - 1  # 0x04: inspect.CO_VARARGS
    return (None, None) if most is None else (most - len(cls.shape.__defaults__ or ()), most)


@cache
def field_kinds(cls: type[Any]) -> dict[str, Kind]:
    """The kind of every field of an op, in the order of its definition. Raises TypeError for a field without a kind."""
    try:
        hints = get_type_hints(cls, include_extras=True)
    except NameError as error:
        hint = "annotate each field with one of costcalc.ops.fields"
        raise TypeError(f"op {cls.__name__}: an annotation names what is not there ({error}); {hint}") from None
    kinds: dict[str, Kind] = {}
    for name in [field.name for field in fields(cls)]:
        kind = next(iter(getattr(hints[name], "__metadata__", ())), None)
        if not isinstance(kind, Kind):
            raise TypeError(
                f"op {cls.__name__}: field {name!r} is of no kind costcalc knows; "
                f"annotate it with one of costcalc.ops.fields: {', '.join(kind_names())}"
            )
        kinds[name] = kind
    return kinds


def layer_ops() -> list[str]:
    """The names of all ops but the inputs: those that a spec can list."""
    return [name for name, cls in OPS.items() if not cls.is_input]


def own_ops(names: Iterable[str]) -> tuple[type[Any], ...]:
    """The classes of these ops that are defined outside costcalc."""
    classes = [OPS[name] for name in sorted({*names}) if name in OPS]
    return tuple([cls for cls in classes if not cls.__module__.startswith("costcalc.")])


def register_again(classes: Iterable[Any]) -> None:
    """Registers ops that another process sent."""
    for cls in classes:
        CLASSES.add(cls)
        OPS.setdefault(cls.name, cls)


def is_join(name: str) -> bool:
    """Is this an op that takes any number of inputs?"""
    return name in OPS and OPS[name].is_join
