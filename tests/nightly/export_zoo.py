"""Exports models of torchvision and timm as specs, and reads these back: hash, totals, and how many lines they have.

python tests/nightly/export_zoo.py torchvision
python tests/nightly/export_zoo.py timm --families
"""

import argparse
import csv
import re
import sys
from pathlib import Path
from statistics import median

import zoo

import costcalc
from costcalc.errors import CostcalcError
from costcalc.store import graph_hash

METRICS = ("params", "macs", "elementwise", "activations", "buffers")
WISH = 1.5  # lines a distinct layer, at most


def families():
    """The networks of fewest layers of timm's table in docs, each of another family."""
    smallest = {}
    (table,) = (Path(__file__).parents[2] / "docs").glob("timm-*.csv")
    with table.open(newline="") as lines:
        for row in sorted(csv.DictReader(lines), key=lambda row: (int(row["layers"] or 0), row["name"])):
            smallest.setdefault(re.match("[a-z]+", row["name"])[0], row["name"])
    return [*smallest.values()]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("zoo", choices=("torchvision", "timm"))
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--families", action="store_true", help="timm: the smallest network of each family")
    given = parser.parse_args()
    names = families() if given.families else zoo.names_of(given.zoo)
    ratios, refused, different = [], [], []
    for name in names[:: given.every]:
        try:
            net = costcalc.load(f"{given.zoo}:{name}")
            ours = net.cost(unrolled=True)
        except CostcalcError as error:
            refused.append(name)
            print(name, "refused:", str(error)[:80], flush=True)
            continue
        try:
            exported = costcalc.export(net)
        except CostcalcError as error:
            different.append(name)
            print(name, "NOT EXPORTED:", str(error)[:200], flush=True)
            continue
        read = costcalc.load(exported.text)
        theirs = read.cost(unrolled=True)
        batch = {"batch": 2} if read.knobs["batch"].high > 1 else {}  # at 1 a view has two names
        hashes = {graph_hash(one.layers(batch, unrolled=True)) for one in (net, read)}
        same = len(hashes) == 1 and all(ours.total(metric) == theirs.total(metric) for metric in METRICS)
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
