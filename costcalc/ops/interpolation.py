"""Ops that read images between their elements: at other sizes, or at positions that are given."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from costcalc.dims import Shape, Size, elements, prod
from costcalc.ops.axis_roles import keep_channels
from costcalc.ops.base import op
from costcalc.ops.fields import InterpolationMode, PerAxisOrNone, SamplingMode
from costcalc.ops.gradients import NOTHING, Kept, Wanted, keeps_nothing
from costcalc.ops.needs import Equal, Fact, Need
from costcalc.ops.output import computed
from costcalc.ops.precision import in_single
from costcalc.ops.reads import Along, Reads, places_of
from costcalc.ops.rules import free, no_weights
from costcalc.ops.window import per_axis, sliding_axes


@op
class Upsample:
    """Every sliding axis `scale` times as long, or of a given size.   (n, c, h, w) -> (n, c, scale·h, scale·w)"""

    scale: PerAxisOrNone = "none"
    mode: InterpolationMode = "nearest"
    size: PerAxisOrNone = "none"

    field_synonyms = {"scale_factor": "scale", "output_size": "size"}
    features_axis = 1
    axis_roles = keep_channels

    def needs(self, x: Shape) -> Iterator[Need]:
        given = [name for name in ("scale", "size") if getattr(self, name).__class__ is not str]
        yield Fact(len(given) == 1, "needs scale or size, and not both")
        yield from sliding_axes(self, x, *given)
        yield Fact(self.mode != "cubic" or len(x) == 4, "mode cubic is of images, (n, c, h, w), got {} axes", len(x))

    def shape(self, x: Shape) -> Shape:
        if self.scale.__class__ is str:
            return (*x[:2], *per_axis(self.size, x))
        return (*x[:2], *(size * s for size, s in zip(x[2:], per_axis(self.scale, x))))

    def reads(self, i: int, ins: tuple[Shape, ...], out: Shape) -> Reads:
        def along(axis: int, step: Fraction) -> Along:
            return Along(axis, self.near, step, places=places_of(step, lambda i: self._place(i, step)))

        steps = [Fraction(size, new) for size, new in zip(ins[0][2:], out[2:])]
        return (Along(0), Along(1), *(along(axis, step) for axis, step in enumerate(steps, 2)))

    def _place(self, i: int, step: Fraction) -> tuple[int, int]:
        """The first and last input, along an axis, that output i is made of, corners not aligned."""
        if self.mode == "nearest":
            return i * step // 1, i * step // 1
        at = (i + Fraction(1, 2)) * step - Fraction(1, 2)
        if at.denominator == 1:  # on an input: the others have the weight 0
            return int(at), int(at)
        before = self.near // 2
        return int(at // 1) + 1 - before, int(at // 1) + before

    @property
    def near(self) -> int:
        """Of how many inputs along each axis an output is made."""
        return {"nearest": 1, "linear": 2, "cubic": 4}[self.mode]

    output = computed(inplace=False, overwritable=True)
    weights = no_weights
    macs = free("interpolation is elementwise")

    def neighbours(self, x: Shape) -> int:
        """Of how many inputs an output is made."""
        return self.near ** len(x[2:])  # type: ignore[no-any-return]

    def elementwise(self, x: Shape, *, out: Shape) -> Size:
        # linear: a weighted sum of the 2^axes nearest inputs, so 2^axes products and 2^axes − 1 additions; cubic: 4^…
        return 0 if self.mode == "nearest" else elements(out) * (2 * self.neighbours(x) - 1)

    def train_elementwise(self, x: Shape, *, out: Shape, wanted: Wanted) -> Size:
        # each output's gradient is added to the input it came from; linear: weighted, to the 2^axes nearest
        each = 1 if self.mode == "nearest" else 2 * self.neighbours(x)
        return each * elements(out) if wanted.x else 0

    keeps = keeps_nothing


@op
class GridSample:
    """The elements of an image at positions between them.   (n, c, h, w), (n, h', w', 2) -> (n, c, h', w')

    Jaderberg et al. 2015, arXiv:1506.02025, section 3.3. The last axis of the second input has a position along each
    sliding axis, from -1 to 1. `linear` interpolates between the 2^axes neighbours of a position.
    """

    mode: SamplingMode = "linear"

    layout = "image"
    features_axis = 1
    axis_roles = keep_channels

    def needs(self, x: Shape, grid: Shape) -> Iterator[Need]:
        reason = "samples (n, c, h, w) at (n, h', w', 2), or with a third axis, got {} and {} axes"
        yield Fact(len(x) == len(grid) and len(x) in (4, 5), reason, len(x), len(grid))
        yield Equal(x[0], grid[0], message="image and positions have batches {} and {}")
        yield Equal(grid[-1], len(x) - 2, message="positions have {} numbers along {} axes")

    def shape(self, x: Shape, grid: Shape) -> Shape:
        return (*x[:2], *grid[1:-1])

    def reads(self, i: int, ins: tuple[Shape, ...], out: Shape) -> Reads:
        sides = len(out) - 2
        if i == 0:
            return (Along(0), Along(1), *[None] * sides)  # anywhere in the image
        return (Along(0), None, *(Along(axis) for axis in range(1, 1 + sides)))

    output = computed(inplace=False, overwritable=True)
    weights = no_weights
    macs = free("interpolation is elementwise")

    def elementwise(self, x: Shape, grid: Shape, *, out: Shape) -> Size:
        # each coordinate becomes an index: a product, a sum, a floor
        indices = 3 * elements(grid)
        if self.mode == "nearest":
            return indices
        # its distances to both neighbours (2); the weight of each of the 2^axes: axes − 1 products; then the sum of
        # each output, as in upsample
        axes, corners = len(x) - 2, 2 ** (len(x) - 2)
        weights = 2 * elements(grid) + corners * (axes - 1) * prod(grid[:-1])
        return indices + weights + elements(out) * (2 * corners - 1)

    def train_elementwise(self, x: Shape, grid: Shape, *, out: Shape, wanted: Wanted) -> Size:
        of_image, of_grid = wanted.inputs
        if self.mode == "nearest":
            return elements(out) if of_image else 0  # added to the element it came from
        # ∂image: each ∂y, weighted, is added to its 2^axes neighbours. ∂grid: for each neighbour its product with ∂y,
        # and along each axis a weight and a sum; then each coordinate is scaled
        axes, corners = len(x) - 2, 2 ** (len(x) - 2)
        to_image = 2 * corners * elements(out)
        to_grid = elements(out) * corners * (1 + 2 * axes) + elements(grid)
        return (to_image if of_image else 0) + (to_grid if of_grid else 0)

    def keeps(self, x: Shape, grid: Shape, *, out: Shape, wanted: Wanted) -> Kept:
        return Kept(inputs=(0, 1)) if wanted.any else NOTHING

    autocast = in_single
