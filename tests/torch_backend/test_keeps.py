"""What autograd keeps, storage by storage: torch's hooks are asked of every op, for every choice of gradients."""

import pytest
from support import needed
from support.cases import CASES, label
from support.gradients import every_wanted

torch = needed.module("torch", "torch")

from support.autograd import address, kept_by_torch  # noqa: E402

from costcalc.errors import UsageError  # noqa: E402
from costcalc.torch_backend.modules import MODULES  # noqa: E402

BY_KERNEL = {"lstm", "gru"}  # what they keep is their kernel's own choice
LAYERS = [case for case in CASES if case[0].name not in {"input", *BY_KERNEL}]
WITH_STATISTICS = [case for case in LAYERS if case[0].name == "batch_norm"]
FLOAT_BYTES = 4


def agrees(op, ins, wanted):
    module = MODULES[op.name](op, *ins).train(not wanted.evaluates)
    for name, parameter in module.named_parameters():
        parameter.requires_grad_(name in wanted.tensors)
    if wanted.inplace:
        module.inplace = True
    given = [
        torch.randint(op.index_limit, x) if op.index_limit else torch.randn(x).requires_grad_(own)
        for x, own in zip(ins, wanted.inputs)
    ]
    read = [x.clone() for x in given] if wanted.inplace else given  # a leaf may not be written over
    out, held, _alive = kept_by_torch(lambda: module(*read), [*module.parameters(), *module.buffers()])
    kept = op.keeps(*ins, out=op.shape(*ins), wanted=wanted)
    written = {address(x) for x in read}
    if wanted.inplace:  # the input is the output's memory; what was in it is kept as a copy
        assert (address(out) in held) == kept.output
        held.pop(address(out), None)
        copies = sum(x.nbytes for i, x in enumerate(read) if i in kept.inputs)
    else:
        copies = 0
        assert [address(x) in held for x in read] == [i in kept.inputs for i in range(len(read))]
        assert address(out) in written or (address(out) in held) == kept.output
        for key in (*written, address(out)):
            held.pop(key, None)
    extra = sum(size * (FLOAT_BYTES if isinstance(each, str) else each) for size, each in kept.extra)
    assert sum(held.values()) == extra + copies


@pytest.mark.parametrize("case", LAYERS, ids=label)
def test_torch_keeps_the_same_bytes(case):
    op, *ins = case
    for wanted in every_wanted(op, ins):
        agrees(op, ins, wanted)


@pytest.mark.parametrize("case", WITH_STATISTICS, ids=label)
def test_with_frozen_statistics_too(case):
    op, *ins = case
    for wanted in every_wanted(op, ins, evaluates=True):
        agrees(op, ins, wanted)


@pytest.mark.parametrize("case", [case for case in LAYERS if case[0].output.inplace and len(case) == 2], ids=label)
def test_in_place_too(case):
    op, *ins = case
    for wanted in every_wanted(op, ins):
        agrees(op, ins, wanted._replace(inplace=True))


@pytest.mark.parametrize("case", [case for case in CASES if case[0].name in BY_KERNEL], ids=label)
def test_what_a_kernel_decides_is_an_error(case):
    op, *ins = case
    with pytest.raises(UsageError, match=f"what {op.name} keeps"):
        op.keeps(*ins, out=op.shape(*ins), wanted=every_wanted(op, ins)[-1])
