"""What a training step of torch reaches: not what nothing reads, and all that a network returns."""

import pytest
from support import needed

torch = needed.module("torch", "torch")

from support.autograd import OPTIMIZERS, Held, outputs_of, step_peak_of_torch  # noqa: E402
from support.function_module import Function  # noqa: E402
from torch import nn  # noqa: E402

import costcalc  # noqa: E402
from costcalc.torch_backend import verify_net  # noqa: E402


def network():
    """A linear layer that runs, one that does not, and two tensors, of which one is read."""
    module = Function(lambda self, x: self.b(self.a(x) + self.shift), a=nn.Linear(8, 6), b=nn.Linear(6, 4))
    module.unused = nn.Linear(5, 3)
    module.shift, module.spare = nn.Parameter(torch.ones(6)), nn.Parameter(torch.ones(2, 7))
    return module.train()


def read_back(module, x, folder):
    """The module as a spec that was written and read."""
    costcalc.export(costcalc.load(module, x), folder / "net.yaml")
    return costcalc.load(str(folder / "net.yaml"), batch=len(x))


@pytest.mark.parametrize("way", ["module", "spec"])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_step_of_torch_trains_and_holds_the_same(optimizer, way, tmp_path):
    module, x = network(), torch.zeros(30, 8)  # so many that the peak is not in the update, where order matters
    net = costcalc.load(module, x) if way == "module" else read_back(module, x, tmp_path)
    cost = net.with_step(costcalc.TrainStep(optimizer)).cost()
    parts = costcalc.memory(net, train=True, optimizer=optimizer).parts
    assert cost.total("train_peak_bytes") == step_peak_of_torch(module, (x,), optimizer)

    made = OPTIMIZERS[optimizer](module.parameters())
    module(x).sum().backward()
    made.step()
    trained = [tensor for tensor in module.parameters() if tensor.grad is not None]
    state = [tensor for of_one in made.state.values() for tensor in of_one.values() if torch.is_tensor(tensor)]
    scalars = sum(tensor.numel() for tensor in trained)
    assert cost.total("trainable_params") == scalars
    assert cost.total("trainable_params") + cost.total("frozen_params") == cost.total("params")
    assert cost.total("update_operations") == {"sgd": 2, "adam": 13}[optimizer] * scalars
    assert parts["optimizer"] == sum(tensor.nbytes for tensor in state)


def features(self, x):
    """What another layer reads is returned too."""
    h = self.a(x)
    return h, self.b(torch.relu(h))


def for_nothing(self, x):
    """A product that is read by none."""
    h = torch.relu(self.a(x))
    self.c(torch.tanh(h))
    return self.b(h)


def chosen(self, x):
    """The largest are returned, and only their numbers are read."""
    best = self.a(x).topk(3, -1)
    return best.values, self.b(x).gather(-1, best.indices)


@pytest.mark.parametrize("forward", [features, for_nothing, chosen])
def test_what_is_returned_has_a_loss_and_nothing_else(forward):
    module, x = Function(forward, a=nn.Linear(8, 8), b=nn.Linear(8, 8), c=nn.Linear(8, 5)).train(), torch.zeros(30, 8)
    net = costcalc.load(module, x).with_step(costcalc.TrainStep("adam"))
    sum(out.sum() for out in outputs_of(module, (x,))).backward()
    assert net.cost().total("trainable_params") == sum(t.numel() for t in module.parameters() if t.grad is not None)
    assert verify_net(costcalc.load(module, x)).verdict == "same"  # backward too
    peak = net.cost().total("train_peak_bytes")
    if forward is not chosen:  # torch keeps the indices
        assert peak == step_peak_of_torch(module, (x,), "adam")


def returned_and_read(self, x):
    h = self.a(x)
    y = self.b(torch.relu(h))
    return h, y + 1


@pytest.mark.parametrize("way", ["torch", "onnx"])
def test_a_tensor_that_is_returned_is_held_to_the_end_and_not_written_over(way, tmp_path):
    if way == "torch":
        module, x = Function(returned_and_read, a=nn.Linear(8, 32), b=nn.Linear(32, 4)), torch.zeros(30, 8)
        net = costcalc.load(module, x)
        with torch.inference_mode(), Held([x, *module.parameters()]) as held:
            module(x)
        weights, most = sum(one.nbytes for one in module.parameters()), held.most
    else:
        needed.module("onnx", "onnx")
        from support.onnx_files import node, onnx_file

        nodes = [node("MatMul", "x a", "h"), node("Relu", "h", "r"), node("MatMul", "r b", "y")]
        path = onnx_file(tmp_path, nodes, {"x": (30, 8)}, {"a": (8, 32), "b": (32, 4)}, "h y")
        net, weights, most = costcalc.load(str(path)), 0, 4 * 30 * (8 + 32 + 32 + 4)
    cost = net.cost()
    assert cost.total("peak_bytes") == most - weights
    assert cost.total("output") == 30 * (32 + 4)
    assert cost.total("activations_in_place") == cost.total("activations")


def backwards(self, x):
    return self.small(self.wide(self.tall(self.first(x))))


def test_an_optimizer_updates_tensors_in_the_order_of_the_module_and_not_as_they_run():
    """Two temporaries of a tensor, and the last one of the tensor before it."""
    parts = {"wide": nn.Linear(60, 90), "small": nn.Linear(90, 2), "tall": nn.Linear(50, 60), "first": nn.Linear(4, 50)}
    module, x = Function(backwards, **parts), torch.zeros(2, 4)
    peaks = []
    for own in (module, nn.Sequential(*[parts[name] for name in ("first", "tall", "wide", "small")])):
        found = costcalc.memory(costcalc.load(own, x), train=True, optimizer="adam")
        assert found.bytes == step_peak_of_torch(own.train(), (x,), "adam")
        peaks.append(found.bytes)
    assert peaks[0] < peaks[1]
