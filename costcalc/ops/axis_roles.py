"""The role of each axis of a tensor: features, which layers mix, or positions, at each of which layers do the same.

No count reads this. `analysis/suspects.py` follows the roles of axes through a network, to find a layer that takes one
for the other. An op may define

    features_axis               the axis of its first input that it takes for features: 1 or -1, if any
    positions_axis              the axis that it takes for the positions, if any
    takes_flat                  True if an image is usually flattened before it
    axis_roles(known, ins, out) the roles of its output's axes, from those of its inputs' axes

By default an op with a `features_axis` makes new features there, and any other op hands the roles on if it keeps the
shape. An unknown role is None.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from costcalc.dims import Shape, Size, at_least, equal, is_array, is_rational, same_shape

FEATURES, POSITION, BATCH = "features", "position", "batch"
AxisRoles: TypeAlias = tuple[str | None, ...]

MIN_IMAGE_SIDE = 16  # pixels: a smaller square is not recognised as an image
MIN_OBLONG_SIDE = 64  # pixels, for an image that is not square


def unknown_roles(shape: Shape) -> AxisRoles:
    """An unknown role for every axis."""
    return (None,) * len(shape)


def merge_roles(self: Any, known: tuple[AxisRoles, ...], ins: tuple[Shape, ...], out: Shape) -> AxisRoles:
    """The roles on which the inputs of as many axes agree, axis by axis; an unknown role agrees with any."""
    known = tuple([roles for roles in known if len(roles) == len(out)])
    if not known:
        return unknown_roles(out)
    if len(known) == 1:
        return known[0]
    found = [{role for role in axis if role} for axis in zip(*known)]
    return tuple([axis.pop() if len(axis) == 1 else None for axis in found])


def keep_if_same_shape(self: Any, known: tuple[AxisRoles, ...], ins: tuple[Shape, ...], out: Shape) -> AxisRoles:
    """The roles of the inputs, if the op keeps their shape."""
    keeps = any(shape is out or (len(shape) == len(out) and is_known(same_shape(shape, out))) for shape in ins)
    return merge_roles(self, known, ins, out) if keeps else unknown_roles(out)


def channels_first(self: Any, known: tuple[AxisRoles, ...], ins: tuple[Shape, ...], out: Shape) -> AxisRoles:
    """(n, c, …): the op makes new channels."""
    return (None, FEATURES, *(POSITION for _ in out[2:]))


def keep_channels(self: Any, known: tuple[AxisRoles, ...], ins: tuple[Shape, ...], out: Shape) -> AxisRoles:
    """Keeps the roles, as each channel is treated on its own; unknown ones are (n, c, …)."""
    return tuple([role or assumed for role, assumed in zip(known[0], channels_first(self, known, ins, out))])


def features_last(self: Any, known: tuple[AxisRoles, ...], ins: tuple[Shape, ...], out: Shape) -> AxisRoles:
    """(n, …, d): the op makes new features; other axes of unknown role are positions."""
    return (None, *(role or POSITION for role in known[0][1:-1]), FEATURES)


def input_roles(shape: Shape) -> AxisRoles:
    """The roles of an input: known if its sizes look like an image, channels first or last."""
    match shape:
        case (_, height, width) if is_square(height, width):
            return (None, POSITION, POSITION)
        case (_, channels, height, width) if is_image(channels, height, width, (1, 3)):
            return (None, FEATURES, POSITION, POSITION)
        case (_, height, width, channels) if is_image(channels, height, width, (1, 3, 4)):
            return (None, POSITION, POSITION, FEATURES)
        case (_, height, width, channels) if is_square(height, width) and is_known_not(equal(width, channels)):
            return (None, POSITION, POSITION, FEATURES)
        case (_, batch, channels, height, width) if is_image(channels, height, width, (1, 3)):
            return (
                (None, BATCH, FEATURES, POSITION, POSITION) if not is_known(equal(batch, 3)) else unknown_roles(shape)
            )
        case (_, _, height, width, channels) if is_image(channels, height, width, (1, 3, 4)):
            return (None, POSITION, POSITION, POSITION, FEATURES)
    return unknown_roles(shape)


def is_image(channels: Size, height: Size, width: Size, colors: tuple[int, ...]) -> bool:
    """Are these channels and sides of an image? One that is not square has three channels and is large."""
    if not (is_rational(channels) and channels in colors):
        return False
    is_large = is_known(at_least(height, MIN_OBLONG_SIDE)) and is_known(at_least(width, MIN_OBLONG_SIDE))
    return is_square(height, width) or (channels == 3 and is_large)


def is_square(height: Size, width: Size) -> bool:
    """Are two sides known to be equal, and not known to be too short?"""
    return is_known(equal(height, width)) and at_least(height, MIN_IMAGE_SIDE) is not False


def is_known(truth: Any) -> bool:
    """Is it true, at every point of an array?"""
    return bool(truth.all()) if is_array(truth) else truth is True


def is_known_not(truth: Any) -> bool:
    """Is it false, at every point of an array?"""
    return not truth.any() if is_array(truth) else truth is False


def reshape_roles(roles: AxisRoles, old: Shape, new: Shape) -> AxisRoles:
    """The roles of the axes of `new`, a reshape of `old`. Equal axes at both ends keep their roles; the axes between
    them get the role that all old ones share, if there is one."""
    low = _alike(old, new)
    high = min(_alike(old[::-1], new[::-1]), len(old) - low, len(new) - low)
    between = {*roles[low : len(old) - high]}
    common = between.pop() if len(between) == 1 else None
    return (*roles[:low], *(common for _ in new[low : len(new) - high]), *roles[len(old) - high :])


def _alike(old: Shape, new: Shape) -> int:
    """How many sizes at the front are known to be equal."""
    return next((i for i, (a, b) in enumerate(zip(old, new)) if not is_known(equal(a, b))), min(len(old), len(new)))
