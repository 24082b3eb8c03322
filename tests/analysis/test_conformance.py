"""The conformance suite: small networks that other counters get wrong, ours exact (docs/conformance.md)."""

# ruff: noqa: E402

from math import prod

import pytest
from support import needed

torch = needed.module("torch", "torch")

from support.conformance import NETWORKS, example
from support.loops import LOOPS, products

import costcalc
from costcalc.ops.gradients import Wanted
from costcalc.torch_backend import build, verify_net

UNUSED = {"an unused layer": 100 * 100 + 100}  # parameters of the module that no call, and so no graph, has


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.name)
def test_ours_is_the_truth(network):
    cost = costcalc.cost(network.graph())
    assert cost.macs == network.truth
    assert verify_net(network.graph()).verdict == "same"


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.name)
def test_the_truth_is_what_loops_count(network):
    rows = costcalc.cost(network.graph()).layers
    counted = sum(
        products(row.op, row.input_shapes, Wanted((False,) * len(row.inputs)))[0]
        for row in rows
        if row.op.name in LOOPS
    )
    assert counted == network.truth


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.name)
def test_the_graph_is_the_users_module(network):
    """As many parameters, and outputs of the same shape."""
    module = network.module().eval()
    with torch.no_grad():
        theirs, ours = module(*example(network)), build(network.graph())(*example(network))
    assert ours.shape == theirs.shape
    params = sum(p.numel() for p in module.parameters()) - UNUSED.get(network.name, 0)
    assert costcalc.cost(network.graph()).params == params


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.name)
def test_the_module_imported_has_the_truth_too(network):
    module = network.module()
    imported = costcalc.load(module, *example(network))
    assert imported.macs == network.truth
    assert imported.params == sum(p.numel() for p in module.parameters())
    assert verify_net(imported).verdict == "same"


def test_no_line_is_right_by_accident():
    """Normalisations at 4 or 5 for each element do not add up to the attention that goes unseen beside them."""
    encoder = next(network for network in NETWORKS if network.name == "transformer encoder layer")
    rows = costcalc.cost(encoder.graph()).layers
    attention = sum(row.macs for row in rows if row.op.name == "scaled_dot_product_attention")
    normed = sum(prod(row.output_shape) for row in rows if row.op.name == "layer_norm")
    assert attention not in (4 * normed, 5 * normed)
