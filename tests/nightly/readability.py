"""How well imported networks read: which of their layers are the library's own ops, and how long a table by block is.

    python tests/nightly/readability.py
    python tests/nightly/readability.py --all-rows

All of torchvision that is not quantised, and the smallest network of each of sixty families of timm.
"""

import argparse
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from support.timm_table import sample
from torchvision import models

import costcalc
from costcalc.analysis.own_calls import MAX_BLOCKS

GENERIC = ("elementwise", "move", "reduction", "contraction")
APART = ("view", "constant", "parameter")  # which stand for no operation
ENOUGH = 0.75


def names():
    """The networks."""
    whole = [name for name in models.list_models() if not name.startswith("quantized")]
    return [*(f"torchvision:{name}" for name in whole), *(f"timm:{row['name']}" for row in sample())]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--all-rows", action="store_true")
    given = parser.parse_args()
    together, longest, few = Counter(), [], []
    for name in names():
        cost = costcalc.load(name, until_values=True).cost()
        table = cost.table(depth=1)
        for metric in ("params", "macs", "elementwise", "activations"):
            assert sum(row[metric] for row in table.rows) == cost.total(metric), (name, metric)
        found = Counter(row.op.name for row in cost.layers)
        together += found
        share = own(found)
        longest.append((len(table.rows), name))
        if share < ENOUGH:
            few.append(f"{name} {share:.2f}")
        if given.all_rows:
            print(
                f"{name}: {sum(found.values())} layers, {share:.3f} of the operations, {len(table.rows)} rows",
                flush=True,
            )
    share = own(together)
    print(f"{len(longest)} networks, {sum(together.values()):,} layers")
    print(f"library ops: {share:.3f} of the operations; of all layers {own(together, ()):.3f}")
    print("others:", ", ".join(f"{together[name]:,} {name}" for name in (*GENERIC, *APART)))
    print(f"below {ENOUGH}: {', '.join(few) or 'none'}")
    over = sum(rows > MAX_BLOCKS for rows, _ in longest)
    print(f"rows at depth 1: {over} networks have more than {MAX_BLOCKS}, the most are {max(longest)}")
    return 0 if share >= ENOUGH and not over else 1


def own(found, apart=APART):
    """The share of the library's ops in all, without those that stand apart."""
    generic = sum(found[name] for name in GENERIC)
    all_ = sum(found.values()) - sum(found[name] for name in apart)
    views = 0 if apart else sum(found[name] for name in APART)
    return (all_ - generic - views) / all_


if __name__ == "__main__":
    sys.exit(main())
