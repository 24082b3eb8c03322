"""Other names of ops and of their fields, as torch and Keras have them. Each means exactly what the op or field does.

An op may define

    synonyms            other names of the op
    field_synonyms      the field that each other name of a field means
    derived_fields      fields of torch or Keras that costcalc derives from the input: refused, with that hint
    absent_fields       other fields that it refuses, each with what to write instead
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields
from typing import Any

from costcalc.errors import nearest

SYNONYMS: dict[str, str] = {}  # synonym -> op; an op of that name takes precedence

# Known ops that costcalc has no rule for. The names of some are close to ops that cost something else.
_ABSENT = (
    "adaptive_max_pool adaptive_max_pool2d alpha_dropout celu channel_shuffle conv4d cosine_similarity crop "
    "deform_conv2d div dropout2d drop_path einsum elu embedding_bag exp fold geglu glu grn hardshrink hardtanh "
    "instance_norm instance_norm2d interpolate involution layer_scale linear_attention log logsigmoid log_softmax "
    "lp_pool lp_pool2d maxout max_unpool max_unpool2d min_pool mish pixel_shuffle pixel_unshuffle pow "
    "quick_gelu reglu relu2 rnn roi_align rrelu scale selu softmin softplus "
    "softshrink softsign split sqrt stochastic_depth sub swiglu tanhshrink threshold unfold weight_norm"
)
WITHOUT_A_RULE = frozenset(_ABSENT.split())
# Names close in meaning to ops that have a rule, but not equal to them.
_IN_PARTS = "write its parts: linear, reshape, transpose, scaled_dot_product_attention, as in `costcalc help specs`"
_JOINED = "write concat, which joins along the channels unless its axis says otherwise"
_RESHAPED = "write reshape, with the shape without its batch"
_REDUCED = "write reduce, with its axes and this as its operation"
INSTEAD = {
    **dict.fromkeys(("max", "mean", "min", "sum", "norm", "var", "amax", "amin"), _REDUCED),
    **dict.fromkeys(("attention", "self_attention", "multi_head_attention", "multihead_attention"), _IN_PARTS),
    **dict.fromkeys(("cat", "concatenate"), _JOINED),
    **dict.fromkeys(("squeeze", "unflatten", "unsqueeze"), _RESHAPED),
}


def of_each_rank(*names: str) -> tuple[str, ...]:
    """The names that torch gives one op by the axes it slides along: `max_pool1d`, `max_pool2d`, `max_pool3d`."""
    return tuple([f"{name}{rank}d" for name in names for rank in (1, 2, 3)])


def register(cls: Any, ops: Collection[str]) -> None:
    """Registers the synonyms of an op. Raises TypeError for one that is taken."""
    for name in vars(cls).get("synonyms", ()):  # not inherited: a subclass is another op
        if name in ops or SYNONYMS.get(name, cls.name) != cls.name:
            raise TypeError(f"op {cls.__name__}: its synonym {name!r} is {SYNONYMS.get(name, name)} already")
    own = {field.name for field in fields(cls)}
    for other, name in field_synonyms(cls).items():
        if other in own or name not in own:
            what = f"a field itself, not {name}" if other in own else f"{name}, which is no field"
            raise TypeError(f"op {cls.__name__}: its synonym {other!r} is {what}")
    SYNONYMS.update(dict.fromkeys(vars(cls).get("synonyms", ()), cls.name))


def field_synonyms(cls: Any) -> dict[str, str]:
    """Synonym -> field, for the fields of an op."""
    return getattr(cls, "field_synonyms", {})


def absent_field_hint(cls: Any, name: str) -> str:
    """What to do about a field that an op does not have; "" if the op does not say."""
    if name in getattr(cls, "derived_fields", ()):
        return "costcalc derives it from what the layer reads; leave it out"
    return str(getattr(cls, "absent_fields", {}).get(name, ""))


def hint(name: str, others: Collection[str] = ()) -> str:
    """What to do about an op that does not exist: the likely name (of all names of ops, and `others`), what to write
    instead, or how to add an op. Never names an op that costs something else."""
    word = name.casefold()
    if word in INSTEAD:
        return INSTEAD[word]
    if word in WITHOUT_A_RULE:
        return "costcalc has no rule for it: see `costcalc help add-an-op` to teach it one"
    near = nearest(name, [*others, *SYNONYMS])
    return (
        f"did you mean {near!r}?" if near else "see `costcalc help specs`, or `costcalc help add-an-op` to teach it one"
    )
