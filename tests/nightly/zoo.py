"""Counts every model of torchvision or timm, beside torch's own counter: a line each, and what differs at the end.

    python tests/nightly/zoo.py torchvision
    python tests/nightly/zoo.py timm --every 6 --output timm.csv

Lines that are in the output file already are not counted again.
"""

import argparse
import csv
import sys
from collections import Counter
from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode

import costcalc
from costcalc.errors import CostcalcError
from costcalc.importers.module_sources import torch_zoo

FIELDS = ("name", "params", "macs", "torch_params", "torch_macs", "layers", "result")


def names_of(zoo):
    if zoo == "torchvision":
        from torchvision import models

        return models.list_models()
    import timm

    return timm.list_models()


def witness(name, zoo, until_values):
    """Params and multiplies by torch, on meta; up to the first call that asks for a value."""
    found = torch_zoo.ZOOS[zoo](name)
    module = found.module.to("meta").eval()
    with FlopCounterMode(display=False) as counter:  # with gradients on: without them it fails in some attentions
        try:
            module(*(torch.empty(shape, device="meta") for shape in found.inputs))
        except NotImplementedError:
            if not until_values:
                raise
    return sum(tensor.numel() for tensor in module.parameters()), counter.get_total_flops() // 2


def counted(name, zoo):
    """One row of the table."""
    row = dict.fromkeys(FIELDS, "") | {"name": name}
    try:
        cost = costcalc.load(f"{zoo}:{name}", until_values=True).cost()
        row |= {"params": cost.total("params"), "macs": cost.total("macs"), "layers": len(cost.layers)}
    except CostcalcError as refused:
        return row | {"result": f"refused: {refused}"}
    try:
        row["torch_params"], row["torch_macs"] = witness(name, zoo, bool(cost.warnings))
    except Exception as error:
        return row | {"result": f"no witness: {error}"[:100]}
    same = (row["params"], row["macs"]) == (row["torch_params"], row["torch_macs"])
    how = "equal: up to a value" if cost.warnings else "equal"
    return row | {"result": how if same else "DIFFERS"}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("zoo", choices=("torchvision", "timm"))
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--output", type=Path)
    given = parser.parse_args()
    path = given.output or Path(f"{given.zoo}.csv")
    known = {}
    if path.exists():
        with path.open(newline="", encoding="utf-8") as file:
            known = {row["name"]: row for row in csv.DictReader(file)}
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, FIELDS)
        writer.writeheader()
        results = Counter()
        for name in names_of(given.zoo)[:: given.every]:
            row = known.get(name) or counted(name, given.zoo)
            writer.writerow(row)
            file.flush()
            results[row["result"].partition(":")[0]] += 1
            if not row["result"].startswith("equal"):
                print(name, row["result"], flush=True)
    print(dict(results))
    return 1 if results["DIFFERS"] else 0


if __name__ == "__main__":
    sys.exit(main())
