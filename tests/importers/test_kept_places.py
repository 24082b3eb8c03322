"""Indices that ops choose or are given, and masks: what torch's autograd keeps of them, in the bytes that they have."""

import pytest
from support import needed

torch = needed.module("torch", "torch")

from support.autograd import kept_by_torch  # noqa: E402
from support.function_module import Function  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

import costcalc  # noqa: E402

THREE, FIVE, TRUTHS = torch.tensor([0, 1, 1]), torch.tensor([0, 1, 4, 2, 3]), torch.ones(2, 5, 8, dtype=torch.bool)


def zeros(*sizes):
    return torch.zeros(sizes)


def chosen_experts(self, x):
    gates, places = self.b(x).topk(2, -1)
    return torch.zeros_like(gates[..., :1]).expand(2, 5, 8).scatter(-1, places, gates) * self.a(x)


KEEPS = {
    "largest few": lambda self, x: self.a(x).topk(3, -1)[0],
    "in order": lambda self, x: self.a(x).sort(-1)[0] + self.b(x).msort(),
    "one of an order": lambda self, x: self.a(x).kthvalue(2, 1)[0] * self.b(x).mode(1)[0],
    "the middle": lambda self, x: self.a(x).median(1)[0],
    "largest": lambda self, x: self.a(x).max(1)[0] + self.b(x).min(1)[0],
    "largest and its place": lambda self, x: self.b(x).gather(1, self.a(x).max(1, keepdim=True)[1]),
    "both are read": lambda self, x: sum(self.a(x).max(1)) + sum(self.b(x).topk(1, 1)).sum(1),
    "largest so far": lambda self, x: self.a(x).cummax(1)[0],
    "of regions": lambda self, x: F.adaptive_max_pool2d(self.a(x)[:, None], 2),
    "gather": lambda self, x: self.a(x).gather(1, x.topk(3, 1)[1]),
    "take": lambda self, x: self.a(x).take(THREE) + self.b(x).index_select(1, THREE).sum(),
    "along": lambda self, x: torch.take_along_dim(self.a(x), x.argsort(1), 1),
    "by an index": lambda self, x: self.a(x)[torch.arange(2)[:, None], x.mean(-1).topk(3, 1)[1]],
    "scatter": lambda self, x: zeros(2, 5, 8).scatter(1, x.argsort(1), self.a(x)),
    "experts": chosen_experts,
    "scatter_add": lambda self, x: zeros(2, 5, 8).scatter_add(1, x.argsort(1), self.a(x)),
    "scatter_reduce": lambda self, x: zeros(2, 5, 8).scatter_reduce(1, x.argsort(1), self.a(x), "sum"),
    "index_add": lambda self, x: zeros(2, 7, 8).index_add(1, FIVE, self.a(x)),
    "index_copy": lambda self, x: zeros(2, 7, 8).index_copy(1, FIVE, self.a(x)),
    "index_put": lambda self, x: zeros(2, 7, 8).index_put((torch.tensor([0, 1]),), self.a(x)[:, :1].expand(2, 7, 8)),
    "index_fill": lambda self, x: self.a(x).index_fill(1, THREE, 0.0),
    "a mask": lambda self, x: self.a(x).masked_fill(x > 0, 0.0),
    "a constant mask": lambda self, x: self.a(x).masked_fill(torch.ones(5, 8, dtype=torch.bool), 0.0),
    "where": lambda self, x: torch.where(x > 0, self.a(x), self.b(x)),
    "masked_scatter": lambda self, x: zeros(2, 5, 8).masked_scatter(TRUTHS, self.a(x)),
    "each several times": lambda self, x: self.a(x).repeat_interleave(2, 1),
    "so many times": lambda self, x: self.a(x).repeat_interleave(torch.tensor([1, 2, 1, 1, 1]), 1, output_size=6),
    "rows of a table that is computed": lambda self, x: F.embedding(THREE, self.a(x[0])),
    "reflected": lambda self, x: F.pad(self.a(x), (1, 1), mode="reflect") + F.pad(self.b(x), (1, 1)),
}


def module_of(forward):
    return Function(forward, a=nn.Linear(8, 8), b=nn.Linear(8, 8))


def kept(module, *inputs):
    """The bytes that torch keeps of a call of a module, its params apart."""
    return sum(kept_by_torch(lambda: module(*inputs), [*module.parameters()])[1].values())


def saved_bytes(module, *inputs):
    return costcalc.load(module, *inputs).with_step(costcalc.TrainStep()).cost().total("saved_bytes")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("call", KEEPS)
def test_torch_keeps_the_same_bytes(call):
    module, x = module_of(KEEPS[call]), torch.randn(2, 5, 8)
    assert saved_bytes(module, x) == kept(module, x)


def test_indices_may_be_an_input():
    module, x, places = module_of(lambda self, x, places: self.a(x).gather(1, places)), torch.randn(2, 5, 8), FIVE
    places = places[None, :, None].expand(2, 5, 8).contiguous()
    assert saved_bytes(module, x, places) == kept(module, x, places)


@pytest.mark.parametrize("call", ["gather", "where", "a mask", "largest few"])
def test_no_product_computes_in_the_width_of_indices_or_truths(call):
    """In mixed precision: casts of tensors and of the input are kept too."""
    module, x = module_of(KEEPS[call]), torch.randn(2, 5, 8)
    with torch.autocast("cpu", torch.bfloat16):
        bytes_of_torch = kept(module, x)
    found = costcalc.load(module, x, dtype="mixed").with_step(costcalc.TrainStep()).cost()
    assert found.total("saved_bytes") == bytes_of_torch


def test_places_of_onnx_are_kept_too(tmp_path):
    needed.module("onnx", "onnx")
    from support.onnx_files import node, onnx_file

    nodes = [
        node("MatMul", "x a", "h"), node("TopK", "h k", "v i"), node("GatherElements", "h i", "g"),
        node("Add", "v g", "y"),
    ]  # fmt: skip
    path = onnx_file(tmp_path, nodes, {"x": (5, 8)}, {"a": (8, 8), "k": [3]})
    module = Function(lambda self, x: (lambda h: sum((h.topk(3)[0], h.gather(1, h.topk(3)[1]))))(self.a(x)))
    module.a = nn.Linear(8, 8, bias=False)
    # torch's has the places twice here: it was asked for them twice
    assert saved_bytes(module, torch.randn(5, 8)) - 5 * 3 * 8 == saved_bytes_of(path)


def saved_bytes_of(path):
    return costcalc.load(str(path)).with_step(costcalc.TrainStep()).cost().total("saved_bytes")


def test_a_spec_says_that_it_cannot_say_it():
    text = costcalc.export(costcalc.load(module_of(KEEPS["gather"]), torch.zeros(2, 5, 8))).text
    said = "# a spec cannot say that 'topk.places' holds no floats: it counts 4 bytes for each element kept\n"
    assert said in text
    assert "cannot say" not in costcalc.export(costcalc.load(module_of(KEEPS["reflected"]), torch.zeros(2, 5, 8))).text
