"""When the generated code lets tensors go: what is alive while it runs, as Python's own references have it."""

import random
import weakref

import pytest

torch = pytest.importorskip("torch")

from test_torch_graphs import GRAPHS, random_graph  # noqa: E402

import costcalc  # noqa: E402
from costcalc import ops  # noqa: E402
from costcalc.analysis.memory import peak_activations  # noqa: E402
from costcalc.analysis.walk import walk  # noqa: E402
from costcalc.torch_backend import build, example_inputs  # noqa: E402
from costcalc.torch_backend.release import held_longer, let_go  # noqa: E402

NETS = ("alexnet", "googlenet", "resnet50", "mobilenet_v2", "efficientnet_b0", "inception_naive")


def most_alive(module, inputs):
    """The most elements alive when a layer has been computed, the layer's inputs among them."""
    tensors, most = [weakref.ref(x) for x in inputs], 0

    def computed(_, __, output):
        nonlocal most
        tensors.append(weakref.ref(output))
        storages = [tensor.untyped_storage() for ref in tensors if (tensor := ref()) is not None]
        most = max(most, sum({storage._cdata: storage.nbytes() for storage in storages}.values()) // 4)

    for layer in module.modules():
        if not [*layer.children()]:
            layer.register_forward_hook(computed)
    with torch.no_grad():
        module(*inputs)
    return most


def small():
    """In elements, and what is needed while each is computed."""
    graph = costcalc.new_graph(name="small")
    costcalc.add(graph, "x", ops.Input([1, 4, 8, 8]))  # 256: 256
    costcalc.add(graph, "a", ops.Conv(8, 1), "x")  # 512: 768
    costcalc.add(graph, "b", ops.BatchNorm(), "a")  # 512: 1280, the peak
    costcalc.add(graph, "c", ops.ReLU(), "b")  # 512: 768
    costcalc.add(graph, "d", ops.Conv(2, 1), "c")  # 128: 896
    costcalc.add(graph, "e", ops.Conv(2, 1), "d")  # 128: 512
    costcalc.add(graph, "f", ops.Conv(2, 1), "e")  # 128: 512
    return graph


@pytest.mark.parametrize("name", NETS)
def test_what_is_alive_at_the_peak_is_what_liveness_says(name):
    graph = costcalc.load(name).graph()
    module = build(graph)
    assert most_alive(module, example_inputs(module)) == peak_activations(graph).elements


def test_of_random_graphs_no_more_is_alive_than_liveness_says():
    rng = random.Random(33)
    for i in range(GRAPHS):
        graph = random_graph(rng)
        module = build(graph)
        assert most_alive(module, example_inputs(module)) <= peak_activations(graph).elements, f"graph {i}"


def test_a_tensor_is_held_a_layer_longer_where_the_peak_allows_it():
    """x, and b too, would come on top of the peak; a, read by b, may be held beside 768."""
    assert held_longer([*walk(small())]) == {"a", "c", "d"}
    lines = [line.strip() for line in build(small()).code.splitlines() if "self." in line]
    assert lines == [
        "a = self.a(x);  x = None", "b = self.b(a)", "c = self.c(b);  a = b = None", "d = self.d(c)",
        "e = self.e(d);  c = None", "f = self.f(e);  d = e = None",
    ]  # fmt: skip


def test_nothing_is_held_longer_on_a_gpu():
    assert "b = self.b(a);  a = None" in build(small(), device="meta").code


def test_names_are_let_go_a_statement_later():
    body = ["x_1 = x", "\n", "a = f(x_1)", ";  x_1 = None\n", "b = g(a)", ";  a = None\n", "c = h(b)", ";  b = None\n"]
    assert let_go(body, {"x_1", "b"}) == [*body[:3], "\n", "b = g(a)", ";  x_1 = a = None\n", "c = h(b)", "\n"]


def test_a_tensor_that_gets_another_reader_is_held_for_it():
    module = build(small())
    x = torch.randn(1, 4, 8, 8)
    a, f = (next(node for node in module.graph.nodes if node.name == name) for name in ("a", "f"))
    with module.graph.inserting_after(f):
        both = module.graph.call_function(torch.cat, ([a, f], 1))
    f.replace_all_uses_with(both, delete_user_cb=lambda user: user is not both)
    module.recompile()
    with torch.no_grad():
        assert module(x)[:, :8].equal(module.a(x))
