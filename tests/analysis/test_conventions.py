"""What figures count: sums of metrics with whole factors, and what costcalc quotes and does not compute."""

import numpy as np
import pytest
from support import needed
from support.cases import CASES, label

import costcalc
from costcalc.analysis.conventions import read_convention
from costcalc.cli.app import run
from costcalc.dims import to_exact_array
from costcalc.errors import SpecError, UnknownName, UsageError
from costcalc.ops import Conv, PartialConv
from costcalc.spec.library import entries

SPEC = """
name: own
title: a net
source: a test
input: [3, 8, 8]
layers:
  - conv: {channels: 4, kernel: 3, padding: same}
  - batch_norm
published:
"""
PADDED = [case for case in CASES if hasattr(case[0], "macs_on_input")]


def test_a_convention_is_a_sum_of_metrics():
    cost = costcalc.cost("resnet50")
    macs, bn, bias = (cost.total(name) for name in ("macs", "bn_elements", "bias_additions"))
    convention = read_convention("flops + 2*bn_elements+bias_additions")
    assert convention.total(cost) == 2 * macs + 2 * bn + bias
    assert convention.text == "flops+2*bn_elements+bias_additions"
    assert convention.words == "2·MACs + 2·batch-norm elements + bias additions"


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("maks", UnknownName, "did you mean 'macs'"), ("macs+macs", UsageError, "macs is there twice"),
        ("macs-bias", UsageError, "is not a sum of metrics"), ("macs++params", UsageError, "is not a sum of metrics"),
        ("2**macs", UsageError, "is not a sum of metrics"), ("macs+intensity", UsageError, "is a quotient"),
        ("0*macs", UsageError, "is not a sum"), ("macs+seconds", UsageError, "is measured"),
    ],
)  # fmt: skip
def test_what_is_no_convention(text, error, words):
    with pytest.raises(error, match=words):
        read_convention(text)


def test_a_figure_of_a_sum_agrees_for_the_network_and_for_a_block():
    figures = [
        "{metric: flops+2*bn_elements, value: 14336, source: t}", "{metric: params+buffers, value: 128, source: t}",
        "{metric: macs+bias_additions, value: 7168, block: conv, source: t}",
        "{metric: macs_on_input, value: 5808, source: t}",
        "{metric: 2*activations+input_elements, value: 1216, source: t}",
    ]  # fmt: skip
    found = costcalc.reconcile(SPEC + "".join(f"  - {figure}\n" for figure in figures))
    assert [figure.exact for figure in found.figures] == [14_336, 128, 7_168, 5_808, 1_216]
    assert found.ok


def test_a_sum_that_is_none_is_reported_at_its_place():
    with pytest.raises(SpecError, match=r":10:14: unknown metric 'bn'"):
        costcalc.reconcile(SPEC + "  - {metric: macs+bn, value: 1, source: t}\n")
    with pytest.raises(SpecError, match="top1 is of a network, at the resolution it was taken at; as in at: "):
        costcalc.load(SPEC + "  - {metric: top1, value: 70.1, source: t}\n")


def test_by_the_definition_of_a_window():
    """Each pair of a window and a position in it, one by one."""
    for n, k, s, p, d in [(5, 3, 1, 1, 1), (7, 5, 2, 3, 1), (6, 3, 2, "same", 1), (9, 3, 3, 4, 2), (3, 5, 1, 9, 3)]:
        op, x = Conv(2, kernel=k, stride=s, padding=p, dilation=d), (1, 4, n)
        out = op.shape(x)
        whole = max(0, (out[2] - 1) * s + d * (k - 1) + 1 - n)
        start = whole // 2 if p == "same" else p
        pairs = sum(0 <= i * s - start + j * d < n for i in range(out[2]) for j in range(k))
        assert op.macs_on_input(x, out=out) == pairs * 4 * 2


def test_a_column_has_what_each_number_has():
    sizes, kernels = (to_exact_array(np.array(n)) for n in ([5, 6, 40, 11], [3, 5, 7, 2]))
    for padding in ("same", 6):
        dilation = 1 if padding == "same" else 2
        op, x = Conv(2, kernel=kernels, stride=2, padding=padding, dilation=dilation), (1, 4, sizes, 30)
        found = op.macs_on_input(x, out=op.shape(x)).tolist()
        for value, n, k in zip(found, sizes.tolist(), kernels.tolist()):
            one, ins = Conv(2, kernel=k, stride=2, padding=padding, dilation=dilation), (1, 4, n, 30)
            assert value == one.macs_on_input(ins, out=one.shape(ins))


@pytest.mark.parametrize("case", PADDED, ids=label)
def test_torch_counts_them_with_ones(case):
    """The sum of the output, if every weight and every element is one."""
    torch = needed.module("torch", "torch")
    from costcalc.torch_backend.modules import MODULES

    op, x = case
    layer = MODULES[op.name](op, x).double()
    with torch.no_grad():
        for name, tensor in layer.named_parameters():
            tensor.fill_(0 if name == "bias" else 1)
        assert layer(torch.ones(x, dtype=torch.float64)).sum().item() == op.macs_on_input(x, out=op.shape(x))


def test_own_macs_need_own_macs_on_input():
    from costcalc import ops

    with pytest.raises(TypeError, match="has macs of its own, but the macs_on_input of Conv"):

        @ops.op
        class Halved(Conv):
            """A convolution."""

            def macs(self, x, *, out):
                return 1

            backward_macs = Conv.backward_macs

    assert {type(op) for op, *_ in PADDED} >= {Conv, PartialConv}


def test_quoted_accuracies_are_those_of_torchvision():
    models = needed.module("torchvision.models", "vision")
    rows = [row for entry in entries() if entry.kind == "spec" for row in costcalc.info(entry.name).quoted]
    assert len(rows) == 29
    for row in rows:
        builder, _, name = row["source"].removeprefix("torchvision 0.29, ").partition(".")
        weights = getattr(models, builder)[name]
        known = weights.meta["_metrics"]["ImageNet-1K"]
        assert (float(row["top1"]), float(row["top5"])) == (known["acc@1"], known["acc@5"])
        assert row["network"].endswith(f"@r={weights.transforms().crop_size[0]}")
        assert costcalc.load(row["network"]).params == weights.meta["num_params"]


def test_what_is_quoted_is_compared_with_nothing(capsys):
    assert run(["reconcile", "resnet50"]) == 0
    assert "76.13" not in capsys.readouterr().out
    assert run(["info", "resnet50"]) == 0
    assert "    76.13     92.862  torchvision 0.29, ResNet50_Weights.IMAGENET1K_V1" in capsys.readouterr().out
    assert {row["network"] for row in costcalc.info("resnet18").quoted} == {"resnet18@r=224"}
