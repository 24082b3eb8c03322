"""Tables of rows, and attention. n: batch, l and m: lengths, e and v: widths of a head."""

from __future__ import annotations

from collections.abc import Iterator

from costcalc.dims import Shape, Size, decided, elements, equal, prod, same_shape
from costcalc.ops.axis_roles import FEATURES, POSITION, AxisRoles
from costcalc.ops.base import op
from costcalc.ops.broadcast import stretches_to
from costcalc.ops.fields import PositiveInt
from costcalc.ops.gradients import NOTHING, STATISTIC_BYTES, Extra, Kept, Wanted
from costcalc.ops.needs import Divides, Equal, Fact, Need, axes
from costcalc.ops.output import computed
from costcalc.ops.precision import HALF_BYTES, SINGLE_BYTES, Widths, in_half, into_single
from costcalc.ops.reads import Along, Reads, reads_same_place
from costcalc.ops.rules import Tensor, free


@op
class Embedding:
    """One row of a table of `count` rows for every index.   (n, …) -> (n, …, features)"""

    count: PositiveInt
    features: PositiveInt

    layout = "plain"
    field_synonyms = {
        "num_embeddings": "count", "embedding_dim": "features", "input_dim": "count", "output_dim": "features",
    }  # fmt: skip

    @property
    def index_limit(self) -> Size:
        """The rows of its table."""
        return self.count

    def axis_roles(self, known: tuple[AxisRoles, ...], ins: tuple[Shape, ...], out: Shape) -> AxisRoles:
        """A row of features at every position."""
        return (None, *(POSITION for _ in out[1:-1]), FEATURES)

    def needs(self, x: Shape) -> Iterator[Need]:
        return axes(x, 1, "(batch, …)")

    def shape(self, x: Shape) -> Shape:
        return (*x, self.features)

    def reads(self, i: int, ins: tuple[Shape, ...], out: Shape) -> Reads:
        return (*(Along(axis) for axis in range(len(out) - 1)), None)

    output = computed(inplace=False, overwritable=True)

    def weights(self, x: Shape) -> tuple[Tensor, ...]:
        return (Tensor("weight", (self.count, self.features)),)

    macs = free("a row is looked up, not multiplied")
    elementwise = free("a row is looked up, not computed")

    def train_elementwise(self, x: Shape, *, out: Shape, wanted: Wanted) -> Size:
        return elements(out) if "weight" in wanted.tensors else 0  # each gradient is added to its row

    autocast = into_single

    def keeps(self, x: Shape, *, out: Shape, wanted: Wanted) -> Kept:
        return Kept(inputs=(0,)) if "weight" in wanted.tensors else NOTHING  # which rows were looked up


MATH_IN_SINGLE = Widths(output=HALF_BYTES, own=SINGLE_BYTES, cast=SINGLE_BYTES)


@op
class ScaledDotProductAttention:
    """softmax(q·kᵀ/√e)·v.   (…, l, e), (…, m, e), (…, m, v) -> (…, l, v)

    Vaswani et al. 2017, arXiv:1706.03762, equation 1. A fourth input is added to the scores: a mask, which saves
    nothing, or biases of positions. Heads are an axis of their own; those of k and v may be fewer, each for a group of
    q's (Ainslie et al. 2023, arXiv:2305.13245).
    """

    layout = "plain"
    synonyms = ("sdpa",)
    absent_fields = {
        "heads": "heads are an axis of their own: reshape to [l, heads, e], transpose before it; `costcalc help specs`",
    }
    positions_axis = -2

    def memory_order(
        self, order: tuple[int, ...], *others: tuple[int, ...], ins: tuple[Shape, ...], wanted: Wanted
    ) -> tuple[int, ...]:
        """torch's flash attention on a CPU writes its output as q lies."""
        return order if self.is_flash(ins, wanted) else tuple(range(len(order)))

    def is_flash(self, ins: tuple[Shape, ...], wanted: Wanted) -> bool:
        """Does torch's flash attention compute it on a CPU? It takes one or two axes before the length; what is added
        to the scores has two axes or as many as q, and no gradient."""
        q, _, v, *mask = ins
        is_plain = len(q) in (3, 4) and not any(wanted.inputs[3:]) and all(len(x) in (2, len(q)) for x in mask)
        return is_plain and decided(equal(q[-1], v[-1]), "which kernel computes attention")

    def axis_roles(self, known: tuple[AxisRoles, ...], ins: tuple[Shape, ...], out: Shape) -> AxisRoles:
        """Positions of q, features of v; not known where it attends among features, as DANet does."""
        if known[0][-2] == FEATURES or known[2][-1] == POSITION:
            return (*known[0][:-2], None, None)
        return (*known[0][:-2], POSITION, FEATURES)

    def needs(self, q: Shape, k: Shape, v: Shape, mask: Shape | None = None) -> Iterator[Need]:
        reason = "q, k and v have {}, {} and {} axes: give each the same number, 3 or more"
        yield Fact(len(q) == len(k) == len(v) >= 3, reason, len(q), len(k), len(v))
        yield Equal(q[-1], k[-1], message="q and k have widths {} and {}")
        yield Equal(k[-2], v[-2], message="k and v have lengths {} and {}")
        for i, (a, b, c) in enumerate(zip(q[:-2], k[:-2], v[:-2])):
            yield Equal(b, c, message="k and v differ before the length: {} and {}")
            if 0 < i == len(q) - 3:
                yield Divides(b, a, message="q and k differ before the length: {1} and {0}, which does not divide it")
            else:
                yield Equal(a, b, message="q and k differ before the length: {} and {}")
        if mask is not None:
            yield Fact(len(mask) >= 2, "a mask of {} axes: give it 2 or more, its last (l, m)", len(mask))
            yield from stretches_to(mask, scores(q, k))

    def shape(self, q: Shape, k: Shape, v: Shape, mask: Shape | None = None) -> Shape:
        return (*q[:-1], v[-1])

    def reads(self, i: int, ins: tuple[Shape, ...], out: Shape) -> Reads:
        x, before = ins[i], len(out) - 2
        if i > 2:  # a mask, stretched: the row of a query
            return (*reads_same_place(self, i, (*ins[:i], x[:-1]), out[:-1]), None)
        return (*(Along(axis) for axis in range(before)), Along(before) if i == 0 else None, None)

    output = computed(inplace=False, overwritable=False)

    def weights(self, *ins: Shape) -> tuple[Tensor, ...]:
        return ()

    def macs(self, q: Shape, k: Shape, v: Shape, mask: Shape | None = None, *, out: Shape) -> Size:
        # (l, e)·(e, m) and (l, m)·(m, v), per head
        return prod(scores(q, k)) * q[-1] + elements(out) * k[-2]

    def backward_macs(
        self, q: Shape, k: Shape, v: Shape, mask: Shape | None = None, *, out: Shape, wanted: Wanted
    ) -> Size:
        # as two matrix products; scores kept, not computed again
        of_q, of_k, of_v, *of_mask = wanted.inputs
        first, second = prod(scores(q, k)) * q[-1], elements(out) * k[-2]
        return first * (of_q + of_k) + second * (any((of_q, of_k, *of_mask)) + of_v)

    def elementwise(self, q: Shape, k: Shape, v: Shape, mask: Shape | None = None, *, out: Shape) -> Size:
        # per score: scaled by 1/√e, then softmax (5, see Softmax); a mask is added
        return (6 if mask is None else 7) * prod(scores(q, k))

    def train_elementwise(
        self, q: Shape, k: Shape, v: Shape, mask: Shape | None = None, *, out: Shape, wanted: Wanted
    ) -> Size:
        # per score: the gradient of softmax (4), scaled for q and k; that of v needs neither. Those of k and v are
        # summed over their groups, that of a mask where it stretched
        of_q, of_k, of_v, *of_mask = wanted.inputs
        each = 4 * any((of_q, of_k, *of_mask)) + (of_q or of_k)
        total = each * prod(scores(q, k)) + sum(
            elements(with_heads_of(q, x)) - elements(x) for x, own in ((k, of_k), (v, of_v)) if own
        )
        return total + (prod(scores(q, k)) - elements(mask) if mask is not None and any(of_mask) else 0)

    def keeps(self, *ins: Shape, out: Shape, wanted: Wanted) -> Kept:
        if not wanted.any:
            return NOTHING
        q, k, v = ins[:3]
        if self.is_flash(ins, wanted):
            # torch's flash attention on a CPU: all of them, and log Σ exp of the scores of each query
            return Kept((*range(len(ins)),), output=True, extra=(Extra(prod(q[:-1]), STATISTIC_BYTES),))
        # as two matrix products: k scaled for q, q scaled for k, v for the scores, and their softmax
        of_q, of_k, _, *of_mask = wanted.inputs
        whole_k, whole_v = with_heads_of(q, k), with_heads_of(q, v)
        extra = [Extra(prod(scores(q, k))), *([Extra(elements(whole_k))] * of_q), *([Extra(elements(q))] * of_k)]
        if not any((of_q, of_k, *of_mask)):
            return Kept(extra=tuple(extra))
        if decided(same_shape(v, whole_v), "whether heads share keys"):
            return Kept((2,), extra=tuple(extra))
        return Kept(extra=(*extra, Extra(elements(whole_v))))

    def autocast(self, *widths: int, ins: tuple[Shape, ...], wanted: Wanted) -> Widths:
        # torch computes two matrix products in float32
        return in_half(self, *widths, ins=ins, wanted=wanted) if self.is_flash(ins, wanted) else MATH_IN_SINGLE


def scores(q: Shape, k: Shape) -> Shape:
    """The shape of q·kᵀ."""
    return (*q[:-1], k[-2])


def with_heads_of(q: Shape, x: Shape) -> Shape:
    """The shape of keys or values of which each query has its own."""
    return (*q[:-2], *x[-2:])
