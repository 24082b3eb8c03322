"""The order in time of the strategies of transfer learning is that of their multiplies: `time_transfer` takes their
steps in turns, five times over, each with the same random images. One thread: threads that wait for each other on a
busy machine may turn the order round."""

import pytest
from support import needed

needed.module("torch", "torch")

import costcalc  # noqa: E402
from costcalc.analysis.transfer.strategies import ALL, FEATURES, FREEZE, HEAD  # noqa: E402
from costcalc.torch_backend import time_transfer  # noqa: E402

RUNS, SECONDS = 5, 1.5


@pytest.mark.parametrize(("name", "row"), [("resnet18@r=32", "conv3_x"), ("mobilenet_v2@r=32", "stage4")])
def test_steps_take_as_long_as_their_multiplies_order_them(name, row, capsys):
    found = costcalc.transfer(name, classes=10, images=64, batch=8, freeze_until=row)
    predicted = sorted((FEATURES, HEAD, FREEZE, ALL), key=lambda key: found.strategy(key).step_macs)
    orders, times = [], []
    for _ in range(RUNS):
        seconds = time_transfer(found, device="cpu", seconds=SECONDS, disk_rate="500MB", threads=1).rates.step_seconds
        orders.append(sorted(predicted, key=lambda key: seconds[key]))
        times.append(", ".join(f"{1000 * seconds[key]:.2f}" for key in predicted))
    with capsys.disabled():
        print(f"\n{name}, ms of {', '.join(predicted)}:", *times, sep="\n    ")
    assert orders == RUNS * [predicted]
