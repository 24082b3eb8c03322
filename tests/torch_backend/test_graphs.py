"""Random layer graphs of 2 to 40 layers, built and run: shapes, tensors, counts and finite outputs."""

# ruff: noqa: E402

import random

import pytest
from support import needed

torch = needed.module("torch", "torch")

from support.autograd import kept_by_torch, train_only
from support.random_graphs import GRAPHS, random_graph

from costcalc.analysis.training.kept import kept_bytes
from costcalc.analysis.training.step_layers import step_layers
from costcalc.analysis.unrolled import unrolled_layers
from costcalc.dtype import read_dtype
from costcalc.torch_backend import build, example_inputs, verify_net


@pytest.mark.sized
def test_random_graphs_are_what_torch_builds():
    rng = random.Random(31)
    for i in range(GRAPHS):
        graph = random_graph(rng)
        found = verify_net(graph)
        assert found.verdict == "same", f"graph {i}: {found.verdict}"
        torch.manual_seed(i)
        module = build(graph)
        with torch.no_grad():
            out = module(*example_inputs(module))
        outs = out if isinstance(out, tuple) else (out,)
        assert all(o.isfinite().all() for o in outs), f"graph {i}"


@pytest.mark.sized
def test_they_train_too():
    """In place only where no other layer reads: autograd would raise for a tensor that it still needs."""
    rng = random.Random(32)
    for _ in range(GRAPHS // 3):
        module = build(random_graph(rng)).train()
        out = module(*example_inputs(module))
        sum(o.float().sum() for o in (out if isinstance(out, tuple) else (out,))).backward()


@pytest.mark.sized
@pytest.mark.parametrize("dtype", ["float32", "mixed"])
def test_they_keep_what_torch_keeps(dtype):
    rng = random.Random(33)
    for i in range(GRAPHS):
        graph = random_graph(rng)
        ((_, layers),) = unrolled_layers(graph)
        tensors = [(each.name, t.name) for each in step_layers(layers) for t in each.own if t.role != "buffer"]
        trained = {*rng.sample(tensors, max(1, len(tensors) * rng.randint(1, 3) // 3))}
        step = [*step_layers(layers, lambda layer, t, trained=trained: (layer.name, t.name) in trained)]
        module = build(graph).train()
        train_only(module, trained)
        inputs = example_inputs(module)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=dtype == "mixed"):
            _out, held, _alive = kept_by_torch(
                lambda module=module, inputs=inputs: module(*inputs), [*module.parameters(), *module.buffers()]
            )
        assert sum(kept_bytes(step, read_dtype(dtype)).values()) == sum(held.values()), f"graph {i}"
