"""The sizes of a network's inputs: which of their axes are knobs, and the same inputs at other sizes.

An axis has a letter if its size may change: `batch`, `h` and `w` of images, `tokens` of indices. A knob sets letters:
`r` sets both sides of square images.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from costcalc.models.knob import Knob

Inputs = tuple[tuple[Any, ...], dict[str, Any]]  # positional, and by name: shapes, and values that are no tensors
Letters = Mapping[str, Any]  # the size of each letter

BATCH, SIDE, HEIGHT, WIDTH, TOKENS = "batch", "r", "h", "w", "tokens"
ABOUT = {
    BATCH: "examples at once",
    SIDE: "input resolution in pixels",
    HEIGHT: "height of the input in pixels",
    WIDTH: "width of the input in pixels",
    TOKENS: "tokens of each example",
}


def is_shape(value: Any) -> bool:
    """Is this the shape of a tensor?"""
    return isinstance(value, tuple) and bool(value) and all(type(size) is int for size in value)


def is_tensor(value: Any) -> bool:
    """Is this a tensor? Of indices it stands in place of its shape, since its dtype counts."""
    return hasattr(value, "new_empty") and hasattr(value, "shape")


class InputSizes:
    """The inputs of a network, the knobs that set their sizes, and the letters of their axes."""

    def __init__(self, inputs: Inputs):
        self.inputs = inputs
        self.by_knob = _letters_by_knob(inputs)
        self.knobs = {name: Knob(name, size, about=ABOUT[name]) for name, (size, _) in self.by_knob.items()}

    def letters(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The size of each letter at these values of the knobs."""
        return {letter: values[name] for name, (_, letters) in self.by_knob.items() for letter in letters}

    def letters_of(self, knob: str) -> tuple[str, ...]:
        """The letters that a knob sets."""
        return self.by_knob[knob][1]

    @property
    def default(self) -> dict[str, int]:
        """The size of each letter in the inputs as given."""
        return self.letters({name: size for name, (size, _) in self.by_knob.items()})

    def at(self, letters: Letters) -> Inputs:
        """The inputs at these sizes."""
        tokens = self.default.get(TOKENS)
        args, kwargs = self.inputs
        changed = _mapped(lambda x: _resized(x, letters, tokens), (args, kwargs))
        return changed[0], changed[1]


def _letters_by_knob(inputs: Inputs) -> dict[str, tuple[int, tuple[str, ...]]]:
    """For each knob its size in the inputs, and the letters that it sets."""
    leaves = [*_leaves(inputs)]
    shapes = [tuple(x.shape) if is_tensor(x) else x for x in leaves]
    found: dict[str, tuple[int, tuple[str, ...]]] = {}
    if shapes and all(shapes) and len({x[0] for x in shapes}) == 1:
        found[BATCH] = shapes[0][0], (BATCH,)
    sides = {x[-2:] for x in shapes if len(x) >= 4}
    if len(sides) == 1:
        ((height, width),) = sides
        if height == width:
            found[SIDE] = height, (HEIGHT, WIDTH)
        else:
            found |= {HEIGHT: (height, (HEIGHT,)), WIDTH: (width, (WIDTH,))}
    lengths = {x.shape[1] for x in leaves if is_tensor(x) and len(x.shape) == 2 and not x.is_floating_point()}
    if len(lengths) == 1:
        found[TOKENS] = lengths.pop(), (TOKENS,)
    return found


def _resized(x: Any, letters: Letters, tokens: int | None) -> Any:
    """An input at these sizes; `tokens` is the length of sequences as given."""
    shape = tuple(x.shape) if is_tensor(x) else x
    sizes = [letters.get(BATCH, shape[0]), *shape[1:]]
    if len(shape) >= 4 and HEIGHT in letters:
        sizes[-2:] = letters[HEIGHT], letters[WIDTH]
    if len(shape) == 2 and shape[1] == tokens and TOKENS in letters:
        sizes[1] = letters[TOKENS]
    return x.new_empty(sizes) if is_tensor(x) else (*sizes,)


def _leaves(tree: Any) -> Iterator[Any]:
    """The shapes and tensors among inputs, in lists and dicts too."""
    if is_shape(tree) or is_tensor(tree):
        yield tree
    elif isinstance(tree, (tuple, list)):
        for part in tree:
            yield from _leaves(part)
    elif isinstance(tree, Mapping):
        for part in tree.values():
            yield from _leaves(part)


def _mapped(change: Callable[[Any], Any], tree: Any) -> Any:
    """Inputs with each shape and tensor changed."""
    if is_shape(tree) or is_tensor(tree):
        return change(tree)
    if isinstance(tree, (tuple, list)):
        return type(tree)([_mapped(change, part) for part in tree])
    return {key: _mapped(change, part) for key, part in tree.items()} if isinstance(tree, Mapping) else tree
