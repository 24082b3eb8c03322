"""Exports models of torchvision and timm as specs, and reads these back: hash, totals, and how many lines they have.

python tests/nightly/export_zoo.py torchvision
python tests/nightly/export_zoo.py timm --every 6
"""

import argparse
import sys
from statistics import median

import zoo

import costcalc
from costcalc.errors import CostcalcError
from costcalc.store import graph_hash

METRICS = ("params", "macs", "elementwise", "activations", "buffers")
WISH = 1.5  # lines a distinct layer, at most


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("zoo", choices=("torchvision", "timm"))
    parser.add_argument("--every", type=int, default=1)
    given = parser.parse_args()
    ratios, refused, different = [], [], []
    for name in zoo.names_of(given.zoo)[:: given.every]:
        try:
            net = costcalc.load(f"{given.zoo}:{name}")
            ours = net.cost(unrolled=True)
        except CostcalcError as error:
            refused.append(name)
            print(name, "refused:", str(error)[:80], flush=True)
            continue
        exported = costcalc.export(net)
        read = costcalc.load(exported.text)
        theirs = read.cost(unrolled=True)
        same = graph_hash(net.layers(unrolled=True)) == graph_hash(read.layers(unrolled=True)) and all(
            ours.total(metric) == theirs.total(metric) for metric in METRICS
        )
        ratios.append((exported.lines / exported.distinct_layers, name, exported.lines, exported.distinct_layers))
        if not same:
            different.append(name)
            print(name, "DIFFERS", flush=True)
    print(f"{len(ratios)} exported, {len(refused)} refused by the import, {len(different)} differ")
    print(f"lines a distinct layer: median {median(ratio for ratio, *_ in ratios):.2f}")
    long = sorted(one for one in ratios if one[0] > WISH)
    print(
        f"more than {WISH}: {len(long)}, of at most {max((layers for *_, layers in long), default=0)} distinct layers"
    )
    for ratio, name, lines, layers in long[-5:]:
        print(f"  {name}: {lines} lines, {layers} layers, {ratio:.2f}")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
