"""The table of timm's architectures in docs: of sixty families the smallest network is counted as the table says."""

import pytest
from support import needed
from support.timm_table import VERSION, rows, sample

torch = needed.module("torch", "torch")
timm = needed.module("timm", "zoo")

from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

import costcalc  # noqa: E402
from costcalc.importers.module_sources import torch_zoo  # noqa: E402


def by_torch(name):
    """Params and multiplies by torch, of a release of timm that has no table."""
    module, size = torch_zoo.timm_model(name)
    module = module.to("meta").eval()
    with FlopCounterMode(display=False) as counter:
        module(torch.empty(1, *size, device="meta"))
    return sum(tensor.numel() for tensor in module.parameters()), counter.get_total_flops() // 2


def test_the_table_has_every_architecture_and_no_difference():
    table = rows()
    assert {row["result"].partition(":")[0] for row in table} <= {"equal", "refused"}
    assert all((row["params"], row["macs"]) == (row["torch_params"], row["torch_macs"]) for row in table)
    if timm.__version__ == VERSION:
        assert [row["name"] for row in table] == timm.list_models()


@pytest.mark.parametrize("row", sample(), ids=lambda row: row["name"])
def test_a_network_counts_as_the_table_says(row):
    if timm.__version__ == VERSION:
        expected = int(row["torch_params"]), int(row["torch_macs"])
    elif row["name"] in timm.list_models():
        expected = by_torch(row["name"])
    else:
        pytest.skip(f"timm {timm.__version__} has no {row['name']}")
    net = costcalc.load(f"timm:{row['name']}")
    assert (net.params, net.macs) == expected
