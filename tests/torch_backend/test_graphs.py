"""Random layer graphs of 2 to 40 layers, built and run: shapes, tensors, counts and finite outputs."""

# ruff: noqa: E402

import random

import pytest
from support import needed

torch = needed.module("torch", "torch")

from support.random_graphs import GRAPHS, random_graph

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
