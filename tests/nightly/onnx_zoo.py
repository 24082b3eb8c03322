"""Exports networks of torchvision and timm to ONNX with torch's exporters, and counts file and module: a line each.

    python tests/nightly/onnx_zoo.py --output onnx_zoo.csv
    python tests/nightly/onnx_zoo.py --exporter dynamo --output onnx_dynamo.csv
    python tests/nightly/onnx_zoo.py --markdown onnx_zoo.csv onnx_dynamo.csv

Multiplies are equal, or the run fails. Params may differ for reasons that `explained` works out from the module. Lines
that are in the output file already are not made again.
"""

import argparse
import csv
import logging
import sys
import tempfile
import warnings
from pathlib import Path

import torch
from torch import nn

import costcalc
from costcalc.errors import CostcalcError
from costcalc.importers.module_sources import torch_zoo

LEGACY = [
    "torchvision:alexnet", "torchvision:vgg11_bn", "torchvision:resnet18", "torchvision:resnet50",
    "torchvision:resnext50_32x4d", "torchvision:squeezenet1_1", "torchvision:densenet121", "torchvision:googlenet",
    "torchvision:inception_v3", "torchvision:shufflenet_v2_x1_0", "torchvision:mobilenet_v2",
    "torchvision:mobilenet_v3_small", "torchvision:mnasnet0_5", "torchvision:efficientnet_b0",
    "torchvision:regnet_y_400mf", "torchvision:convnext_tiny", "torchvision:vit_b_16", "torchvision:swin_t",
    "torchvision:swin_v2_t", "torchvision:maxvit_t", "torchvision:fcn_resnet50",
    "torchvision:deeplabv3_mobilenet_v3_large", "torchvision:r3d_18", "timm:deit_tiny_patch16_224",
    "timm:mixer_s32_224", "timm:resmlp_12_224", "timm:levit_128s", "timm:mobilevit_xxs", "timm:tf_efficientnet_b0",
    "timm:ghostnet_100", "timm:hrnet_w18_small", "timm:cait_xxs24_224", "timm:poolformer_s12",
    "timm:edgenext_xx_small", "timm:xcit_nano_12_p16_224", "timm:regnetx_002",
]  # fmt: skip
DYNAMO = [
    "torchvision:resnet18", "torchvision:mobilenet_v3_small", "torchvision:vit_b_16", "torchvision:swin_t",
    "torchvision:convnext_tiny", "timm:deit_tiny_patch16_224", "timm:mobilevit_xxs", "torchvision:densenet121",
]  # fmt: skip
FIELDS = ("name", "exporter", "params", "onnx_params", "macs", "onnx_macs", "nodes", "layers", "result")


def random_module(name):
    """The module with random numbers, as of untrained ones many are equal: exporters store these once, or drop them."""
    zoo, _, model = name.partition(":")
    found = torch_zoo.ZOOS[zoo](model)
    module, size = found.module.to_empty(device="cpu").eval(), found.input_size
    with torch.no_grad():
        for tensor in (*module.parameters(), *module.buffers()):
            if tensor.is_floating_point():
                tensor.uniform_(0.5, 1.5)
            else:
                tensor.zero_()  # indices of positions
    return module, size


def export(module, size, exporter, path):
    """Writes an ONNX file with an open batch."""
    x = torch.rand(2, *size)
    if exporter == "dynamo":
        batch = ({0: torch.export.Dim("batch")},)
        torch.onnx.export(module, (x,), str(path), dynamo=True, dynamic_shapes=batch, verbose=False)
    else:
        axes = {"x": {0: "batch"}}
        torch.onnx.export(module, (x,), str(path), dynamo=False, input_names=["x"], dynamic_axes=axes)


def explained(module, cost, path, gone):
    """The reason why a file has so many params less than the layers of a module that run.

    Batch normalisation of c channels that is no node of the file left c biases, or none where there were some. Position
    biases are looked up in their tables by the exporter, and the result is stored.
    """
    import onnx

    graph = onnx.load(path, load_external_data=False).graph
    sizes = {one.name: one.dims[0] for one in graph.initializer if one.dims}
    left = sum(sizes[node.input[1]] for node in graph.node if node.op_type == "BatchNormalization")
    unreached = {str(row.name).removeprefix("not_reached.") for row in cost.layers}
    norms = [
        one for name, one in module.named_modules()
        if isinstance(one, nn.modules.batchnorm._BatchNorm) and one.affine and f"{name}.weight" not in unreached
    ]  # fmt: skip
    folded = sum(one.num_features for one in norms) - left
    looked_up = sum(
        one.relative_position_bias_table.shape[-1] * one.relative_position_index.numel()
        - one.relative_position_bias_table.numel()
        for one in module.modules() if hasattr(one, "relative_position_bias_table")
    )  # fmt: skip
    tables = sum(one.relative_coords_table.numel() for one in module.modules() if hasattr(one, "relative_coords_table"))
    more = {"in position biases that are looked up": looked_up, "in tables of distances": tables}
    reasons = [f"{count:,} more {where}" for where, count in more.items() if count]
    if folded and folded <= gone + looked_up + tables <= 2 * folded:
        reasons.insert(0, f"batch norm of {folded:,} channels folded")
    elif gone != -looked_up - tables:
        reasons.insert(0, f"NOT EXPLAINED: {gone} less, {folded} channels folded")
    return "; ".join(reasons)


def counted(name, exporter, folder):
    """One row of the table."""
    row = dict.fromkeys(FIELDS, "") | {"name": name, "exporter": exporter}
    path = folder / "net.onnx"
    module, size = random_module(name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            export(module, size, exporter, path)
    except Exception as error:
        return row | {"result": f"not exported: {type(error).__name__}: {error}".splitlines()[0][:120]}
    ours = costcalc.load(name).cost()
    row |= {"params": ours.total("params"), "macs": ours.total("macs")}
    try:
        net = costcalc.load(path)
        file = net.cost()
    except CostcalcError as refused:
        return row | {"result": f"refused: {refused}"}
    row |= {"onnx_params": file.total("params"), "onnx_macs": file.total("macs"), "layers": len(file.layers)}
    row["nodes"] = len(net.architecture.record.nodes)
    unreached = sum(of.params for of in ours.layers if str(of.name).startswith("not_reached."))
    gone = row["params"] - unreached - row["onnx_params"]
    result = explained(module, ours, path, gone) if gone else "equal"
    if unreached:
        result += f"; {unreached:,} of the module do not run"
    if row["macs"] != row["onnx_macs"]:
        result = f"DIFFERS by {row['onnx_macs'] - row['macs']} MACs; {result}"
    return row | {"result": result}


def read(path):
    """The rows of a file, by name."""
    if not path.exists():
        return {}
    with path.open(newline="", encoding="utf-8") as file:
        return {row["name"]: row for row in csv.DictReader(file)}


def markdown(paths):
    """Prints the table of docs/conformance.md."""
    print(
        "| network | exporter | params, module | params, file | MACs | |\n| :--- | :--- | ---: | ---: | ---: | :--- |"
    )
    for path in paths:
        for row in read(path).values():
            numbers = [f"{int(row[key]):,}" if row[key] else "" for key in ("params", "onnx_params", "onnx_macs")]
            print(f"| {' | '.join([row['name'], row['exporter'], *numbers, row['result']])} |")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--exporter", choices=("legacy", "dynamo"), default="legacy")
    parser.add_argument("--output", type=Path, default=Path("onnx_zoo.csv"))
    parser.add_argument("--markdown", type=Path, nargs="+")
    given = parser.parse_args()
    logging.disable(logging.WARNING)
    if given.markdown:
        markdown(given.markdown)
        return 0
    known, differ = read(given.output), 0
    with given.output.open("w", newline="", encoding="utf-8") as file, tempfile.TemporaryDirectory() as folder:
        writer = csv.DictWriter(file, FIELDS)
        writer.writeheader()
        for name in LEGACY if given.exporter == "legacy" else DYNAMO:
            row = known.get(name) or counted(name, given.exporter, Path(folder))
            writer.writerow(row)
            file.flush()
            differ += row["result"].startswith(("DIFFERS", "refused", "NOT"))
            print(name, row["onnx_params"], row["onnx_macs"], row["result"], flush=True)
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
