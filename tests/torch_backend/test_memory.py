"""What is alive while a module runs, as Python's own references have it, and what its tensors cost the system."""

import os
import platform
import random
import subprocess
import sys
import weakref

import pytest
from support import needed

torch = needed.module("torch", "torch")

from support.random_graphs import GRAPHS, random_graph  # noqa: E402

import costcalc  # noqa: E402
from costcalc.analysis.memory import peak_activations  # noqa: E402
from costcalc.torch_backend import build, example_inputs  # noqa: E402

NETS = ("alexnet", "googlenet", "resnet50", "mobilenet_v2", "efficientnet_b0", "inception_naive")
RUNS = """
import resource, torch, costcalc
from costcalc.torch_backend import build, example_inputs
module = build(costcalc.load("mobilenet_v2").graph())
inputs = example_inputs(module)
def page_faults_of_five_runs():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(5):
        module(*inputs)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
with torch.inference_mode():
    page_faults_of_five_runs()
    print(page_faults_of_five_runs())
"""


def most_alive(module, inputs):
    """The most elements alive when a layer has been computed, the layer's inputs among them."""
    tensors, most = [weakref.ref(x) for x in inputs], 0
    weights = {tensor.untyped_storage()._cdata for tensor in module.parameters()}  # which some layers hand on

    def computed(_, __, output):
        nonlocal most
        tensors.append(weakref.ref(output))
        storages = [tensor.untyped_storage() for ref in tensors if (tensor := ref()) is not None]
        sizes = {storage._cdata: storage.nbytes() for storage in storages if storage._cdata not in weights}
        most = max(most, sum(sizes.values()) // 4)

    for layer in module.modules():
        if not [*layer.children()]:
            layer.register_forward_hook(computed)
    with torch.no_grad():
        module(*inputs)
    return most


@pytest.mark.parametrize("name", NETS)
def test_what_is_alive_at_the_peak_is_what_liveness_says(name):
    graph = costcalc.load(name).graph()
    module = build(graph)
    assert most_alive(module, example_inputs(module)) == peak_activations(graph).elements


@pytest.mark.sized
def test_of_random_graphs_no_more_is_alive_than_liveness_says():
    rng = random.Random(33)
    for i in range(GRAPHS):
        graph = random_graph(rng)
        module = build(graph)
        assert most_alive(module, example_inputs(module)) <= peak_activations(graph).elements, f"graph {i}"


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another malloc has other thresholds")
def test_a_run_finds_the_memory_that_the_last_one_freed():
    """With glibc's own thresholds each run has 2,300 to 3,500 page faults: its largest tensors come anew."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    line = [sys.executable, "-c", RUNS]
    answer = subprocess.run(line, env=kept, capture_output=True, text=True, check=True)
    assert int(answer.stdout) < 1000
