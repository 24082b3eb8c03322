"""The networks that docs/specs.md writes by hand, beside torch: every layer, bytes kept, and the peak of a step."""

import random
import re
from pathlib import Path

import pytest
from support import needed
from support.freezing import trained_tensors

torch = needed.module("torch", "torch")

from support.autograd import kept_by_torch, step_peak_of_torch, train_only  # noqa: E402

import costcalc  # noqa: E402
from costcalc.analysis.training.kept import kept_bytes  # noqa: E402
from costcalc.analysis.training.step_layers import step_layers  # noqa: E402
from costcalc.analysis.training.step_peak import step_peak  # noqa: E402
from costcalc.analysis.unrolled import unrolled_layers  # noqa: E402
from costcalc.dtype import FLOAT32, read_dtype  # noqa: E402
from costcalc.graph import unroll  # noqa: E402
from costcalc.torch_backend import build, example_inputs, verify_net  # noqa: E402
from costcalc.train_step import OPTIMIZERS  # noqa: E402

PAGE = (Path(__file__).parents[2] / "docs/specs.md").read_text(encoding="utf-8")
SMALL = {
    "vit_small": {"r": 8, "p": 4, "d": 12, "depth": 2, "classes": 5},
    "swin_block": {"r": 10, "d": 12, "m": 4},
    "unet": {"r": 188, "w": 2},
}
WITH_PEAKS = ("vit_small", "unet")  # attention with a mask of a batch less has several kernels, with their temporaries


def spec(name):
    """A spec of the page, as text."""
    return next(block for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL) if f"name: {name}\n" in block)


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("name", SMALL)
def test_torch_has_the_same_layers(name, batch):
    model = costcalc.load(spec(name)).with_knobs(batch=batch)
    assert verify_net(model).verdict == "same"
    assert verify_net(model.with_knobs(**SMALL[name])).verdict == "same"


@pytest.mark.parametrize("dtype", ["float32", "mixed"])
@pytest.mark.parametrize("way", ["all", "second half", "random tensors"])
@pytest.mark.parametrize("name", SMALL)
def test_torch_keeps_and_holds_the_same(name, way, dtype):
    model = costcalc.load(spec(name)).with_knobs(batch=2, **SMALL[name])
    ((_, layers),) = unrolled_layers(unroll(model.layers()))
    tensors = [(each.name, t.name) for each in step_layers(layers) for t in each.own if t.role != "buffer"]
    trained = trained_tensors(tensors, way, random.Random(f"{name} {way}")) or {*tensors}
    step = [*step_layers(layers, lambda layer, tensor: (layer.name, tensor.name) in trained)]
    module = build(model).train()
    train_only(module, trained)
    inputs = example_inputs(module)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=dtype == "mixed"):
        _out, held, _alive = kept_by_torch(lambda: module(*inputs), [*module.parameters(), *module.buffers()])
    assert sum(kept_bytes(step, read_dtype(dtype)).values()) == sum(held.values())
    if dtype == "float32" and name in WITH_PEAKS:
        ours, _ = step_peak(step, FLOAT32, OPTIMIZERS["adam"], adds_in_place=False)
        assert ours == step_peak_of_torch(module, inputs, "adam")


def test_the_counts_are_those_of_the_published_networks():
    """DeiT-S, and the blocks of the first stage of torchvision's swin_t: 2·(12·96² + 13·96 + 169·3)."""
    assert costcalc.load(spec("vit_small")).params == 22_050_664
    assert costcalc.load(spec("swin_block")).params == 2 * (12 * 96**2 + 13 * 96 + 169 * 3)
