"""Mixed precision beside torch.autocast on a CPU: what each op keeps and writes, and steps of whole networks."""

import random

import pytest
from support import needed
from support.cases import CASES, label
from support.freezing import WAYS, trained_tensors
from support.gradients import every_wanted
from support.sizes import size

torch = needed.module("torch", "torch")

from support.autograd import kept_by_torch, step_peak_of_torch, train_only  # noqa: E402

import costcalc  # noqa: E402
from costcalc.analysis.training import kept as kept_module  # noqa: E402
from costcalc.analysis.training.kept import kept_bytes  # noqa: E402
from costcalc.analysis.training.step_layers import step_layers  # noqa: E402
from costcalc.analysis.training.step_peak import step_peak  # noqa: E402
from costcalc.analysis.unrolled import unrolled_layers  # noqa: E402
from costcalc.dtype import read_dtype  # noqa: E402
from costcalc.errors import UsageError  # noqa: E402
from costcalc.graph import unroll  # noqa: E402
from costcalc.ops.gradients import INDEX_BYTES  # noqa: E402
from costcalc.ops.precision import HALF_BYTES, SINGLE_BYTES, Widths  # noqa: E402
from costcalc.spec.library import entries  # noqa: E402
from costcalc.torch_backend import build, example_inputs  # noqa: E402
from costcalc.torch_backend.modules import MODULES  # noqa: E402
from costcalc.train_step import OPTIMIZERS  # noqa: E402

MIXED = read_dtype("mixed")
FLOATS = {HALF_BYTES: torch.bfloat16, SINGLE_BYTES: torch.float32}
LAYERS = [case for case in CASES if case[0].name not in {"input", "lstm", "gru"}]
SMALL = 96  # pixels
WITH_PEAKS = ["lenet5", "alexnet", "resnet18", "googlenet", "mobilenet_v2", "efficientnet_b0", "lenet5_1998"]


def autocast():
    """Mixed precision as torch has it on a CPU."""
    return torch.autocast("cpu", dtype=torch.bfloat16)


def given(op, ins, wanted, width):
    """Inputs of an op with so many bytes an element, but indices where it reads them."""
    if op.index_limit:
        return [torch.randint(op.index_limit, x) for x in ins]
    return [torch.randn(x, dtype=FLOATS[width]).requires_grad_(own) for x, own in zip(ins, wanted.inputs)]


def step_of(op, ins, wanted):
    """A network of one layer."""
    graph = costcalc.new_graph(name="net")
    names = [f"x{i}" for i in range(len(ins))]
    for name, x in zip(names, ins):
        costcalc.add(graph, name, costcalc.ops.Input(x))
    costcalc.add(graph, "y", op, *names)
    ((_, layers),) = unrolled_layers(graph)
    *inputs, layer = step_layers(layers)
    return [*inputs, layer._replace(wanted=wanted)]


@pytest.mark.parametrize("width", FLOATS)
@pytest.mark.parametrize("case", LAYERS, ids=label)
def test_an_op_writes_and_keeps_what_torch_does(case, width, monkeypatch):
    op, *ins = case
    if op.name == "bilinear" and width == HALF_BYTES:
        with pytest.raises(RuntimeError, match="must have the same dtype"):
            MODULES[op.name](op, *ins)(*given(op, ins, every_wanted(op, ins)[0], width))
        with pytest.raises(UsageError, match="bilinear reads float32 alone in mixed precision"):
            op.autocast(width, width, ins=ins, wanted=None)
        return
    for wanted in every_wanted(op, ins):
        module, read = MODULES[op.name](op, *ins), given(op, ins, wanted, width)
        for name, parameter in module.named_parameters():
            parameter.requires_grad_(name in wanted.tensors)
        with autocast():
            out, held, _alive = kept_by_torch(
                lambda module=module, read=read: module(*read), [*module.parameters(), *module.buffers()]
            )
        of_input = INDEX_BYTES if op.index_limit else width
        widths = {f"x{i}": Widths(of_input, of_input) for i in range(len(ins))}
        widths["y"] = op.autocast(*[of_input for _ in ins], ins=tuple(ins), wanted=wanted)
        monkeypatch.setattr(kept_module, "widths_of", lambda layers, dtype, widths=widths: widths)
        kept = kept_module.KeptTensors(step_of(op, ins, wanted), MIXED)
        assert out.element_size() == widths["y"].output
        assert sum(held.values()) == sum(map(kept.size_of, kept.keepers)) + sum(kept.extra.values())


def both(name, way):
    """Our layers of a step and torch's module on a CPU, the same tensors frozen in both."""
    model = costcalc.load(name, batch=2)
    model = model.with_knobs(r=SMALL) if model.values.get("r", 0) > SMALL else model
    ((_, layers),) = unrolled_layers(unroll(model.layers()))
    tensors = [(each.name, t.name) for each in step_layers(layers) for t in each.own if t.role != "buffer"]
    trained = trained_tensors(tensors, way, random.Random(f"{name} {way}")) or {*tensors}
    module = build(model).train()
    train_only(module, trained)
    return [*step_layers(layers, lambda layer, tensor: (layer.name, tensor.name) in trained)], module


@pytest.mark.sized
@pytest.mark.parametrize("way", size(("all", "random tensors"), WAYS))
@pytest.mark.parametrize("name", size(WITH_PEAKS, [entry.name for entry in entries()]))
def test_a_network_keeps_what_torch_does(name, way):
    layers, module = both(name, way)
    with autocast():
        inputs = example_inputs(module)
        _out, held, _alive = kept_by_torch(lambda: module(*inputs), [*module.parameters(), *module.buffers()])
    assert sum(kept_bytes(layers, MIXED).values()) == sum(held.values())


@pytest.mark.sized
@pytest.mark.parametrize("optimizer", size(("adam",), tuple(OPTIMIZERS)))
@pytest.mark.parametrize("way", ["all", "second half", "random tensors"])
@pytest.mark.parametrize("name", size(["lenet5", "lenet5_1998", "mobilenet_v2"], WITH_PEAKS))
def test_torch_holds_the_same_bytes_at_most(name, way, optimizer):
    layers, module = both(name, way)
    ours, _ = step_peak(layers, MIXED, OPTIMIZERS[optimizer], adds_in_place=False)
    assert ours == step_peak_of_torch(module, example_inputs(module), optimizer, autocast)


def test_adam_takes_sixteen_bytes_a_param_and_casts_come_on_top():
    """float32 weights, gradients and two moments; a cast of 2 bytes for each product's tensors while it is kept."""
    model = costcalc.load("vgg16", dtype="mixed").with_step(costcalc.TrainStep("adam"))
    use, params = costcalc.memory(model, train=True), model.cost().total("params")
    assert use.parts["weights"] == 4 * params
    assert use.parts["optimizer"] == 8 * params + 4 * 32  # and a count of steps for each of its 32 tensors


@pytest.mark.parametrize("metric", ["peak_bytes", "traffic_bytes", "memory_bytes"])
def test_inference_in_mixed_precision_is_refused(metric):
    with pytest.raises(UsageError, match="mixed precision is counted of a training step"):
        costcalc.load("lenet5", dtype="mixed").cost().total(metric)
