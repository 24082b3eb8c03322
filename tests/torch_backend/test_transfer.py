"""Transfer learning in torch: what is frozen stays to the bit, features on disk are the head's inputs, and the networks
of the strategies are counted by torch as by us."""

import copy

import pytest
from support import needed
from support.sizes import size

torch = needed.module("torch", "torch")

import costcalc  # noqa: E402
from costcalc.analysis.transfer.strategies import ADAPTERS, ALL, FEATURES, FREEZE, HEAD  # noqa: E402
from costcalc.graph import digraph, unroll  # noqa: E402
from costcalc.torch_backend import time_transfer, verify_net  # noqa: E402
from costcalc.torch_backend.examples import Examples  # noqa: E402
from costcalc.torch_backend.kept_features import PROBE_BYTES, disk_rates, read_features, write_features  # noqa: E402
from costcalc.torch_backend.runner import Runner  # noqa: E402
from costcalc.torch_backend.settings import BadSetting, Settings  # noqa: E402
from costcalc.train_step import OPTIMIZERS  # noqa: E402

SMALL = ("lenet5", "resnet18@r=32", "mobilenet_v2@r=32", "vgg11_bn@r=32")


def planned(target, **how):
    return costcalc.transfer(target, classes=5, images=8, batch=4, **how)


TWO_BATCHES = Examples(2)


def runner(found, model, examples=TWO_BATCHES, **settings):
    how = {"optimizer": found.plan.model.step.optimizer, "freeze_statistics": True, "train": True}
    return Runner(digraph(model.layers()), Settings(batch=4, **{**how, **settings}), examples=examples)


def state(module):
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}


@pytest.mark.sized
@pytest.mark.parametrize("optimizer", size(("momentum",), tuple(OPTIMIZERS)))
@pytest.mark.parametrize("name", size(SMALL[:2], SMALL))
def test_frozen_weights_stay_to_the_bit_and_the_heads_do_not(name, optimizer):
    found = planned(name, optimizer=optimizer, rank=2)
    for one in found.strategies:
        if one.key == FEATURES:
            continue
        runs = runner(found, one.model)
        before = state(runs.module)
        for _ in range(3):
            runs.run()
        changed = {key for key, tensor in state(runs.module).items() if not torch.equal(tensor, before[key])}
        learned = {key for key, p in runs.module.named_parameters() if p.requires_grad}
        frozen = {key for key, p in runs.module.named_parameters() if not p.requires_grad}
        assert sum(p.numel() for p in runs.module.parameters() if p.requires_grad) == one.trainable_params
        assert sum(p.numel() for p in runs.module.parameters() if not p.requires_grad) == one.frozen_params
        assert changed & frozen == set()
        assert {f"{found.plan.head}.weight", f"{found.plan.head}.bias"} <= changed & learned
        if one.key == HEAD:
            assert changed == learned == {f"{found.plan.head}.weight", f"{found.plan.head}.bias"}


def test_frozen_statistics_stay_and_others_move():
    found = planned("resnet18@r=32")
    for key, freeze_statistics, stays in ((HEAD, True, True), (HEAD, False, False), (ALL, True, False)):
        runs = runner(found, found.strategy(key).model, freeze_statistics=freeze_statistics)
        before = state(runs.module)
        runs.run()
        assert torch.equal(before["conv1.batch_norm.running_mean"], runs.module.conv1.batch_norm.running_mean) is stays


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize(("name", "head"), [("vgg11@r=32", "fc6"), ("resnet18@r=32", None), ("lenet5", "conv2")])
def test_features_on_disk_are_the_heads_inputs_to_the_bit(name, head, dtype, tmp_path):
    """A hook on the head of the whole network, with the same weights and images, sees what the files hold."""
    found = planned(name, head=head)
    plan, infer = found.plan, {"train": False, "optimizer": "sgd", "freeze_statistics": False, "dtype": dtype}
    before, whole = (runner(found, model, **infer) for model in (plan.before, plan.model))
    weights = whole.module.state_dict()
    for key, tensor in before.module.state_dict().items():
        assert torch.equal(tensor, weights[key])
    paths = [tmp_path / "features0"]
    written = write_features(before.module, [inputs for inputs, _ in before.batches], paths)
    seen = []
    layer = whole.module.get_submodule(str(plan.head))
    layer.register_forward_pre_hook(lambda _, ins: seen.append(ins[0].clone()))
    for inputs, _ in whole.batches:
        whole.module(*inputs)
    (shape,) = plan.feature_shapes.values()
    assert written == paths[0].stat().st_size == 8 * plan.feature_elements * seen[0].element_size()
    for i, tensor in enumerate(seen):
        assert torch.equal(read_features(paths[0], shape, tensor.dtype, i), tensor)
    kept = runner(found, plan.head_alone, Examples(2, features=tuple(paths)), dtype=dtype)
    assert all(torch.equal(inputs[0], tensor) for (inputs, _), tensor in zip(kept.batches, seen, strict=True))
    kept.run()
    with pytest.raises(OSError, match="features0 ends before its batch 2"):
        read_features(paths[0], shape, seen[0].dtype, 2)


@pytest.mark.parametrize("name", ["vgg11@r=32", "lenet5"])
def test_torch_counts_the_networks_of_all_strategies_as_we_do(name):
    found = planned(name, rank=3)
    models = [found.plan.before, *(one.model for one in found.strategies)]
    assert ADAPTERS in {one.key for one in found.strategies}
    for model in models:
        assert verify_net(costcalc.load(model)).ok


def test_an_adapter_adds_b_times_a_times_x():
    found = planned("lenet5", rank=2)
    module = runner(found, found.strategy(ADAPTERS).model).module.eval()
    x = torch.randn(4, 400)
    fc, a, b = module.fc3, module.fc3_lora_A, module.fc3_lora_B
    wanted = x @ fc.weight.T + fc.bias + x @ a.weight.T @ b.weight.T
    node = next(node for node in module.graph.nodes if node.target == "fc3_adapted")
    assert [source.target for source in node.args] == ["fc3", "fc3_lora_B"]
    assert torch.allclose(module.fc3_adapted(fc(x), b(a(x))), wanted, atol=1e-5)


@pytest.mark.parametrize("key", [HEAD, FREEZE, ALL])
def test_a_step_of_mixed_precision_keeps_weights_in_float32(key):
    found = planned("resnet18@r=32", optimizer="adam")
    runs = runner(found, found.strategy(key).model, dtype="mixed")
    seen = []
    runs.module.fc.register_forward_hook(lambda _, ins, out: seen.append(out.dtype))
    runs.run()
    assert seen == [torch.bfloat16]
    assert {p.dtype for p in runs.module.parameters()} == {torch.float32}
    assert {p.grad.dtype for p in runs.module.parameters() if p.grad is not None} == {torch.float32}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_step_is_the_optimizers_of_cross_entropy(optimizer):
    """The same step by hand: torch's own cross-entropy and optimizer, on a copy."""
    found = planned("lenet5", optimizer=optimizer)
    runs = runner(found, found.strategy(ALL).model, Examples(1))
    twin = copy.deepcopy(runs.module)
    kinds = {"sgd": (torch.optim.SGD, {}), "momentum": (torch.optim.SGD, {"momentum": 0.9}),
             "adam": (torch.optim.Adam, {}), "adamw": (torch.optim.AdamW, {})}  # fmt: skip
    kind, more = kinds[optimizer]
    steps = kind(twin.parameters(), lr=1e-3, **more)
    (inputs, (targets,)) = runs.batches[0]
    assert targets.dtype == torch.int64
    assert targets.shape == (4,)
    for _ in range(2):
        steps.zero_grad()
        torch.nn.functional.cross_entropy(twin(*inputs), targets).backward()
        steps.step()
        runs.run()
    assert all(torch.equal(p, q) for p, q in zip(twin.parameters(), runs.module.parameters(), strict=True))


def test_batches_take_turns():
    found = planned("lenet5")
    runs = runner(found, found.strategy(ALL).model, Examples(3))
    seen = []
    for _ in range(4):
        runs.run()
        seen.append(runs.inputs[0])
    assert seen[0] is seen[3]
    assert len({id(tensor) for tensor in seen}) == 3


@pytest.mark.usefixtures("short_turns")
def test_all_strategies_are_timed(tmp_path):
    found = planned("lenet5", rank=2, optimizer="adam")
    timed = time_transfer(found, device="cpu", seconds=0.02, disk=tmp_path)
    rows = timed.to_records()
    assert all(row["step_seconds_low"] <= row["step_seconds"] <= row["step_seconds_high"] for row in rows)
    assert timed.rates.features_seconds > 0
    assert min(timed.rates.write_rate, timed.rates.read_rate) > 0
    assert [*tmp_path.iterdir()] == []
    assert [row["macs"] for row in rows] == [row["macs"] for row in found.to_records()]
    mixed = planned("lenet5", optimizer="adam", dtype="mixed")
    given = time_transfer(mixed, device="cpu", seconds=0.02, disk_rate="5MB")
    assert given.rates.step_seconds.keys() == {one.key for one in mixed.strategies}
    assert (given.rates.write_rate, given.rates.read_rate) == (5e6, 5e6)
    assert timed.seconds[FEATURES].epoch > 0


def test_a_full_disk_is_said_before_anything_is_written(tmp_path, monkeypatch):
    found, written = planned("lenet5"), []
    monkeypatch.setattr("shutil.disk_usage", lambda folder: type("Usage", (), {"free": PROBE_BYTES}))
    monkeypatch.setattr("tempfile.TemporaryDirectory", lambda **how: written.append(how))
    with pytest.raises(costcalc.NoRoom, match="the features take") as caught:
        time_transfer(found, device="cpu", disk=tmp_path)
    assert caught.value.exit_code == 3
    assert written == []
    assert [*tmp_path.iterdir()] == []


@pytest.mark.usefixtures("short_turns")
def test_what_does_not_fit_has_no_time_and_the_others_have(monkeypatch):
    found = planned("resnet18@r=32")
    need = {one.key: one.step_bytes for one in found.strategies}
    free = [need[HEAD] + need[FEATURES] + need[FREEZE] + need[ALL] // 2]
    monkeypatch.setattr("costcalc.torch_backend.measure.free_bytes", lambda device: free[0])
    timed = time_transfer(found, device="cpu", seconds=0.02, disk_rate="5MB")
    rows = {row["key"]: row for row in timed.to_records()}
    assert rows[ALL]["step_seconds"] is None
    assert rows[HEAD]["step_seconds"] > 0
    assert any("fine-tune all was not timed, refused: needs" in note for note in timed.notes())


def test_a_dtype_that_torch_does_not_train_in_is_refused():
    with pytest.raises(
        BadSetting, match="torch does not train in float64; give --dtype float32, float16, bfloat16 or mixed"
    ):
        time_transfer(planned("lenet5", dtype="float64"), device="cpu")


def test_a_disk_has_its_rates(tmp_path):
    found = disk_rates(tmp_path, 2**23)
    assert min(found) > 0
    assert [*tmp_path.iterdir()] == []


def test_nothing_that_is_repeated_is_lost():
    """The unrolled graph of each strategy has the layers of its rolled one."""
    found = planned("vgg11@r=32", rank=2)
    for one in found.strategies:
        rolled = costcalc.load(one.model).cost()
        assert costcalc.cost(unroll(digraph(one.model.layers()))).macs == rolled.macs
