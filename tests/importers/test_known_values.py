"""What follows from constants alone has its value in an import: control flow is that of the real run."""

import pytest
from support import needed

torch = needed.module("torch", "torch")

from torch import nn  # noqa: E402

import costcalc  # noqa: E402
from costcalc.errors import ImportRefused  # noqa: E402


class Flow(nn.Module):
    """A linear layer, a flag that is no parameter, and a function of it all."""

    def __init__(self, call):
        super().__init__()
        self.call, self.linear = call, nn.Linear(5, 5)
        self.register_buffer("flag", torch.zeros(()))

    def forward(self, x):
        return self.call(self, x)


def by_positions(self, x):
    """As transformers asks of its masks."""
    positions = torch.arange(x.shape[1]).expand(x.shape[0], -1)
    same = positions.diff(dim=-1) != 1
    return self.linear(x) if not same.any() and positions.max().item() == 3 else x


def written_over(self, x):
    """A mask that is written through a view, of which a part is read before."""
    mask = torch.zeros(4)
    early = mask[1:] + 1
    mask[2:] += 2
    late = mask[1:] + 1
    return self.linear(x) if early.tolist() == [1, 1, 1] and late.tolist() == [1, 3, 3] else x


def counts_up(self, x):
    """A buffer that is written over, in place and by assignment."""
    self.flag.add_(1)
    self.flag += 1
    return self.linear(x) if int(self.flag) == 2 else x


def by_masks(self, x):
    """Elements that a mask chooses, of what changes and of what does not."""
    mask = torch.tensor([True, False, True, True])
    chosen = x[:, mask]
    spread = torch.zeros(4)
    spread[mask] = torch.tensor([1.0, 2.0, 3.0])
    assert spread.tolist() == [1, 0, 2, 3]
    assert torch.masked_select(torch.arange(4), mask).tolist() == [0, 2, 3]
    assert torch.repeat_interleave(torch.arange(3), torch.tensor([1, 2, 3])).shape == (6,)
    assert torch.arange(3).cpu().numpy().sum() == 3
    return self.linear(chosen)


def alike(self, x):
    """Ones like the input: their value follows from its shape."""
    return self.linear(x) if (torch.ones_like(x) > 0).all() else x


@pytest.mark.parametrize(
    ("call", "rows"), [(by_positions, 8), (written_over, 8), (counts_up, 8), (by_masks, 6), (alike, 8)]
)
def test_constants_decide(call, rows):
    module = Flow(call)
    assert costcalc.load(module, (2, 4, 5)).cost().total("macs") == rows * 25
    assert module.flag == 0


def by_input(self, x):
    return x if x.sum() > 0 else -x


def through_a_mask(self, x):
    mask = torch.zeros(4)
    mask[0] = x[0, 0, 0]
    return x if mask.sum() > 0 else -x


def by_weight(self, x):
    return x if self.linear.weight.sum() > 0 else -x


def by_chance(self, x):
    return x if torch.rand(1) > 0.5 else -x


def by_mask_of_input(self, x):
    return x[x > 0]


@pytest.mark.parametrize("call", [by_input, through_a_mask, by_weight, by_chance, by_mask_of_input])
def test_what_changes_decides_nothing(call):
    with pytest.raises(ImportRefused) as caught:
        costcalc.load(Flow(call), (2, 4, 5)).cost()
    line = call.__code__.co_firstlineno + (3 if call is through_a_mask else 1)
    assert f"in Flow, {__file__}:{line}: it asks for the value of a tensor" in str(caught.value)


class Lookup(nn.Module):
    """Adds a row of a table of 64 to each position, by its number."""

    def __init__(self, rows):
        super().__init__()
        self.table, self.words, self.rows = nn.Embedding(64, 4), nn.Embedding(9, 4), rows
        self.register_buffer("places", torch.arange(200))

    def forward(self, ids):
        return self.words(ids) + self.rows(self, ids.shape[1])


LOOKUPS = {
    "embedding": (lambda self, n: self.table(torch.arange(n)), 64, 64),
    "a buffer": (lambda self, n: self.table(self.places[:n]), 64, 64),
    "rows": (lambda self, n: self.table.weight[torch.arange(n) - 63], 127, 64),
    "one axis": (lambda self, n: self.table.weight.index_select(0, 1 + torch.arange(n)), 63, 64),
}


@pytest.mark.parametrize("case", LOOKUPS)
def test_a_known_index_is_looked_up(case):
    rows, most, first = LOOKUPS[case]
    ids = torch.zeros(1, 24, dtype=torch.long)
    bound = costcalc.load(Lookup(rows), ids).formula("activations").domain.bounds[1]
    assert (bound.symbol, bound.high) == ("tokens", most)
    assert bound.high_reason.endswith(f"IndexError: index out of range: {first} in a table of 64 rows")
    with pytest.raises(ImportRefused, match=r"test_known_values.py:\d+: IndexError: index out of range: \d+ in a "):
        costcalc.load(Lookup(rows), ids.new_zeros(1, most + 1)).cost()
    with pytest.raises(IndexError):  # as torch does on data
        Lookup(rows)(ids.new_zeros(1, most + 1))


def test_an_index_that_no_constant_leads_to_is_not_looked_up():
    assert costcalc.load(Lookup(lambda self, n: self.table.weight[:n]), torch.full((1, 24), 99)).macs == 0
