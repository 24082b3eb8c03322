"""How long an import and its count take, beside one pass of torch's counter on meta, of the same modules in turns.

    python tests/nightly/import_time.py [NAME …] [--turns 5] [--markdown]
    python tests/nightly/import_time.py --symbols [NAME …] [--turns 3]

With `--symbols` it is how much longer it takes where symbols are asked for, in passes of the counter: all runs, forms
and comparisons, less the import; over the networks of symbols.py. Each ratio is of medians of one process; the last
line is the median over the networks.
"""

import argparse
import gc
import time
from statistics import median

import symbols
import torch
from torch.utils.flop_counter import FlopCounterMode

import costcalc
from costcalc.dims import size_symbol
from costcalc.importers.module_sources import torch_zoo

NAMES = [
    *(
        f"torchvision:{name}"
        for name in (
            "alexnet", "vgg16_bn", "resnet18", "resnet50", "resnext50_32x4d", "wide_resnet50_2", "squeezenet1_1",
            "densenet121", "googlenet", "inception_v3", "shufflenet_v2_x1_0", "mobilenet_v2", "mobilenet_v3_large",
            "mnasnet1_0", "efficientnet_b0", "efficientnet_v2_s", "regnet_y_400mf", "convnext_tiny", "vit_b_16",
            "swin_t", "swin_v2_t", "maxvit_t", "deeplabv3_resnet50", "r3d_18", "mvit_v2_s",
        )
    ),
    *(
        f"timm:{name}"
        for name in (
            "resnetv2_50x1_bit", "tf_efficientnet_b0", "mobilevit_s", "levit_256", "deit_tiny_patch16_224",
            "dm_nfnet_f0", "coat_lite_tiny", "hrnet_w18", "mixer_b16_224", "beit_base_patch16_224",
        )
    ),
]  # fmt: skip


def seconds(call):
    """How long a call takes of a processor, its memory cleared before: others may use the machine."""
    gc.collect()
    start = time.process_time()
    call()
    return time.process_time() - start


def counted_by_torch(module, size):
    with FlopCounterMode(display=False):
        module(torch.empty(1, *size, device="meta"))


def with_symbols(module, size, runs):
    """An import that asks for symbols; `runs` gets how often the network ran."""
    net = costcalc.load(module, (1, *size))
    run = net.architecture.run
    net.architecture.run = lambda inputs: runs.append(inputs) or run(inputs)
    net.architecture.kept_numbers({name: size_symbol(name) for name in net.knobs})


def times_of(target, turns, symbols):
    """Medians of ours, with symbols if asked for, and theirs; and how often the network ran for symbols."""
    zoo, _, name = target.partition(":")
    module, size = torch_zoo.ZOOS[zoo](name)
    theirs, _ = torch_zoo.ZOOS[zoo](name)
    theirs = theirs.to("meta").eval()
    ours, with_all, others, runs = [], [0.0], [], []
    for turn in range(turns + 1):
        ours.append(seconds(lambda: costcalc.load(module, (1, *size)).cost().totals))
        others.append(seconds(lambda: counted_by_torch(theirs, size)))
        if symbols and turn:
            runs.clear()
            with_all.append(seconds(lambda: with_symbols(module, size, runs)))
    return median(ours[1:]), median(others[1:]), median(with_all[1:] or [0.0]), len(runs)  # the first fills caches


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--symbols", action="store_true")
    parser.add_argument("--markdown", action="store_true")
    given = parser.parse_args()
    if given.symbols:
        size_symbol("r")  # imports sympy
    ratios = []
    for name in given.names or (symbols.NETWORKS if given.symbols else NAMES):
        ours, theirs, with_all, runs = times_of(name, given.turns, given.symbols)
        ratios.append((with_all - ours if given.symbols else ours) / theirs)
        times = (ours, theirs, with_all) if given.symbols else (ours, theirs)
        row = (name, *(f"{1000 * one:.0f}" for one in times), *([str(runs)] if given.symbols else []))
        row = (*row, f"{ratios[-1]:.2f}")
        print(f"| {' | '.join(row)} |" if given.markdown else "  ".join(row), flush=True)
    print(f"median {median(ratios):.2f}, from {min(ratios):.2f} to {max(ratios):.2f}, {len(ratios)} networks")


if __name__ == "__main__":
    main()
