"""Draws imported networks, and says what is wrong with each drawing: a line each.

    python tests/nightly/drawings.py
    python tests/nightly/drawings.py torchvision:resnet18 --save pictures/

Exits 1 if a box overlaps another, a wire or a label lies on something, or a layer is in no box or in two.
"""

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from support.drawings import crossings, problems

import costcalc

TORCHVISION = [
    "alexnet", "vgg11_bn", "resnet18", "resnet152", "googlenet", "inception_v3", "densenet121", "mobilenet_v2",
    "mobilenet_v3_small", "efficientnet_b0", "efficientnet_v2_s", "squeezenet1_1", "shufflenet_v2_x1_0", "mnasnet1_0",
    "regnet_y_400mf", "resnext50_32x4d", "convnext_tiny", "vit_b_16", "swin_t", "maxvit_t", "fcn_resnet50",
    "deeplabv3_resnet50", "lraspp_mobilenet_v3_large", "r3d_18",
]  # fmt: skip
TIMM = [
    "efficientnet_b3", "tf_efficientnet_lite0", "nfnet_f0", "inception_resnet_v2", "hrnet_w18", "dla34",
    "mixer_b16_224", "deit_tiny_patch16_224", "dpn68", "xception65", "res2net50_26w_4s", "selecsls42b",
]  # fmt: skip
NETWORKS = [*(f"torchvision:{name}" for name in TORCHVISION), *(f"timm:{name}" for name in TIMM)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", nargs="*", default=NETWORKS)
    parser.add_argument("--save", metavar="FOLDER", type=Path)
    given = parser.parse_args()
    faults = 0
    for name in given.networks:
        net = costcalc.load(name)
        layers = len(net.cost().layers)
        start = time.perf_counter()
        drawing = net.drawing()
        seconds = time.perf_counter() - start
        data = drawing.data
        drawn = sorted(at for box in data.sketch.boxes for at in box.layers)
        found = [*problems(data), *(["a layer is in no box, or in two"] if drawn != [*range(layers)] else [])]
        faults += len(found)
        size = f"{drawing.width:.0f} × {drawing.height:.0f}, {len(crossings(data))} crossings, {seconds:.2f} s"
        print(f"{name}: {layers:,} layers in {len(data.boxes)} boxes, {size}", *found, sep="\n    ", flush=True)
        if given.save:
            given.save.mkdir(parents=True, exist_ok=True)
            drawing.save(given.save / f"{name.replace(':', '_')}.svg")
    print(f"{len(given.networks)} networks, {faults} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
