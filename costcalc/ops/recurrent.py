"""Recurrent layers. n: batch, l: length, d: width, h: hidden width."""

from __future__ import annotations

from collections.abc import Iterator

from costcalc.dims import Shape, Size, prod
from costcalc.errors import UsageError
from costcalc.ops.base import op, op_base
from costcalc.ops.fields import Flag, PositiveInt, StaticInt
from costcalc.ops.gradients import NOTHING, Kept, Wanted
from costcalc.ops.needs import Fact, Need, SameShape
from costcalc.ops.output import computed
from costcalc.ops.precision import in_half
from costcalc.ops.reads import Along, Reads, reads_sample
from costcalc.ops.rules import Tensor

MAX_LAYERS = 1000  # of one op; each is counted on its own


@op_base
class Recurrent:
    """Shapes and tensors of a recurrent layer with `gates` gates, under torch's names and order.

    (n, l, d) -> (n, l, h), or (n, l, 2h) in both directions; the batch is the first axis. `layers` are stacked,
    each reads the one below. Further inputs are the `states` from which it starts, (layers or 2·layers, n, h) each;
    without them it starts from zeros.
    """

    hidden: PositiveInt
    layers: StaticInt = 1
    bidirectional: Flag = False
    bias: Flag = True

    field_synonyms = {"hidden_size": "hidden", "num_layers": "layers"}
    derived_fields = ("input_size",)
    absent_fields = {"batch_first": "the batch is always the first axis; leave it out"}
    features_axis = -1

    layout = "plain"
    gates = 0  # each op says how many
    states = 1  # that a cell hands on

    def needs(self, x: Shape, *states: Shape) -> Iterator[Need]:
        yield Fact(len(x) == 3, "needs an input of shape (batch, length, width), got one of {} axes", len(x))
        yield Fact(self.layers <= MAX_LAYERS, "layers = {} is more than {}", self.layers, MAX_LAYERS)
        given = len(states) in (0, self.states)
        yield Fact(given, "starts from {} states or from none, got {}", self.states, len(states))
        first = (self.layers * (2 if self.bidirectional else 1), x[0], self.hidden)
        yield from (SameShape(state, first, message="starts from a state of shape {1}, got {0}") for state in states)

    def shape(self, x: Shape, hidden: Shape | None = None) -> Shape:
        return (*x[:2], self.hidden * (2 if self.bidirectional else 1))

    def reads(self, i: int, ins: tuple[Shape, ...], out: Shape) -> Reads:
        return reads_sample(self, i, ins, out) if i == 0 else (Along(1), None, None)  # states have the batch second

    output = computed(inplace=False, overwritable=False)

    def weights(self, x: Shape, *states: Shape) -> tuple[Tensor, ...]:
        rows, tensors = self.gates * self.hidden, []
        for name, width in self.cells(x):
            tensors += [Tensor(f"weight_ih_{name}", (rows, width)), Tensor(f"weight_hh_{name}", (rows, self.hidden))]
            if self.bias:
                tensors += [Tensor(f"bias_ih_{name}", (rows,), "bias"), Tensor(f"bias_hh_{name}", (rows,), "bias")]
        return tuple(tensors)

    def cells(self, x: Shape) -> Iterator[tuple[str, Size]]:
        """Name and input width of every cell: layers from below, each forward and, if asked, reverse."""
        directions = ["", "_reverse"] if self.bidirectional else [""]
        for layer in range(self.layers):
            width = x[-1] if layer == 0 else self.hidden * len(directions)
            for direction in directions:
                yield f"l{layer}{direction}", width

    def macs(self, x: Shape, *states: Shape, out: Shape) -> Size:
        # each position and cell: gates·h dot products with the input and with the previous hidden state
        return sum(prod(x[:2]) * self.gates * self.hidden * (width + self.hidden) for _, width in self.cells(x))

    def backward_macs(self, x: Shape, *states: Shape, out: Shape, wanted: Wanted) -> Size:
        # of each cell: the gradients of its two weights, those of its hidden states back through time (of the first if
        # that is given and wants one), and that of its input; a cell is passed if it learns, or its first states or
        # one below it do
        n, length, _ = x
        total: Size = 0
        below, from_state, hidden = wanted.x, any(wanted.inputs[1:]), any(wanted.inputs[1:2])
        for layer in range(self.layers):
            cells = [(name, width) for name, width in self.cells(x) if name.removesuffix("_reverse") == f"l{layer}"]
            for name, width in cells:
                learned = {
                    kind
                    for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
                    if f"{kind}_{name}" in wanted.tensors
                }
                steps = [length * width] * (("weight_ih" in learned) + below)
                steps += [length * self.hidden] * ("weight_hh" in learned)
                steps += [(length - 1) * self.hidden] * (below or from_state or bool(learned))
                steps += [self.hidden] * hidden
                total += n * self.gates * self.hidden * sum(steps)
            below = (
                below or from_state or any(name.endswith(tuple(cell for cell, _ in cells)) for name in wanted.tensors)
            )
        return total

    def keeps(self, x: Shape, *states: Shape, out: Shape, wanted: Wanted) -> Kept:
        if wanted.any:
            raise UsageError(f"what {self.name} keeps for its gradients is its kernel's own choice and not counted")  # type: ignore[attr-defined]
        return NOTHING

    autocast = in_half


@op
class LSTM(Recurrent):
    """Long short-term memory.   (n, l, d) -> (n, l, h)   (Hochreiter and Schmidhuber 1997; as torch.nn.LSTM)"""

    gates = 4
    states = 2

    def shape(self, x: Shape, hidden: Shape | None = None, cell: Shape | None = None) -> Shape:
        return super().shape(x)

    def elementwise(self, x: Shape, *states: Shape, out: Shape) -> Size:
        # per hidden element: 4 sums of the two products, 8 biases, 3 sigmoids of 4, 2 tanh,
        # c' = f·c + i·g (3), h' = o·tanh(c') (1)
        per_hidden = 4 + (8 if self.bias else 0) + 12 + 2 + 3 + 1
        return prod(x[:2]) * self.hidden * per_hidden * len(list(self.cells(x)))

    def train_elementwise(self, x: Shape, *states: Shape, out: Shape, wanted: Wanted) -> Size:
        # per hidden element: ∂h (1), ∂o and ∂c through h' (1 + 4), ∂i, ∂g, ∂f and the ∂c before (4), three sigmoids
        # (9) and a tanh (3); 8 biases
        per_hidden = 22 + (8 if self.bias else 0)
        return prod(x[:2]) * self.hidden * per_hidden * len(list(self.cells(x))) if wanted.any else 0


@op
class GRU(Recurrent):
    """Gated recurrent unit.   (n, l, d) -> (n, l, h)   (Cho et al. 2014, arXiv:1406.1078; as torch.nn.GRU)"""

    gates = 3

    def elementwise(self, x: Shape, *states: Shape, out: Shape) -> Size:
        # per hidden element: 3 sums of the two products, 6 biases, r·(…) (1), 2 sigmoids of 4, 1 tanh,
        # h' = (1 − z)·n + z·h (4)
        per_hidden = 3 + (6 if self.bias else 0) + 1 + 8 + 1 + 4
        return prod(x[:2]) * self.hidden * per_hidden * len(list(self.cells(x)))

    def train_elementwise(self, x: Shape, *states: Shape, out: Shape, wanted: Wanted) -> Size:
        # per hidden element: ∂h (1), ∂n (2), ∂z (2) and the ∂h before (1) through h', a tanh (3), ∂r and the product it
        # scales (2), two sigmoids (6); 6 biases
        per_hidden = 17 + (6 if self.bias else 0)
        return prod(x[:2]) * self.hidden * per_hidden * len(list(self.cells(x))) if wanted.any else 0
