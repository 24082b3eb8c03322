"""A real DataLoader beside the prediction: `python tests/nightly/dataloader.py [--pairs N] [--workers N] [--markdown]`.

In turns, a pipeline is measured on one core, as `costcalc augment --time` does it, and a DataLoader makes batches of
the same images in its workers, which leave a core free, while the consumer sleeps for the time of a step. Both give
images a second: predicted, min(rate, workers/Σt), where the rate is the consumer's with images that are ready; and
measured. The prediction holds if it lies in the 95 % interval of the median of the measured rates. Seeds are fixed;
times are not. Exits 1 if a prediction is outside.
"""

import argparse
import sys
import time
from statistics import median

import torch
from torch.utils.data import DataLoader, Dataset

from costcalc.pipeline.augmentation import augmentation_of
from costcalc.pipeline.pipeline_library import load_pipeline
from costcalc.torch_backend import time_pipeline
from costcalc.torch_backend.statistics import median_interval
from costcalc.torch_backend.transforms import random_image, transforms_of
from costcalc.workers.process_count import cores

BATCH, IMAGES = 16, 16
CASES = {  # a pipeline, and by how much its consumer is quicker than its workers (slower below 1)
    "the device starves": ("resnet_torchvision", 2.0),
    "the device is busy": ("resnet_torchvision", 0.5),
}


class Images(Dataset):
    """The same random images again and again, each through the pipeline; or `ready`, as the pipeline makes them."""

    def __init__(self, name, length, ready=False):
        found = augmentation_of(load_pipeline(name))
        self.transforms, self.length = transforms_of(found), length
        self.images = [random_image(found.rows[0].before, seed) for seed in range(IMAGES)]
        if ready:
            self.images, self.transforms = [self[i] for i in range(IMAGES)], []

    def __len__(self):
        return self.length

    def __getitem__(self, at):
        image = self.images[at % IMAGES]
        for transform in self.transforms:
            image = transform(image)
        return image


def loader_rate(name, workers, step_seconds, seconds, ready=False):
    """Images a second of a loop that takes a batch and sleeps for a step, after its first batches."""
    torch.manual_seed(0)
    length = max(8, round(seconds / step_seconds)) * BATCH
    loader = DataLoader(Images(name, length + 4 * BATCH * workers, ready), batch_size=BATCH, num_workers=workers)
    batches = iter(loader)
    for _ in range(4 * workers):
        next(batches)
    start, seen = time.perf_counter(), 0
    for batch in batches:
        time.sleep(step_seconds)
        seen += len(batch)
    return seen / (time.perf_counter() - start)


def compare(name, faster, pairs, workers, seconds):
    """Predicted and measured rates, in turns; the consumer's rate is fixed by a first measurement."""
    rate = faster * workers / time_pipeline(name, seconds=seconds).whole.median
    predicted, measured = [], []
    for _ in range(pairs):
        one_core = time_pipeline(name, seconds=seconds).images_per_second
        consumer = loader_rate(name, workers, BATCH / rate, seconds / 2, ready=True)
        predicted.append(min(consumer, workers * one_core))
        measured.append(loader_rate(name, workers, BATCH / rate, seconds))
    return rate, sorted(predicted), sorted(measured)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--workers", type=int, default=max(1, cores() - 1))
    parser.add_argument("--markdown", action="store_true", help="print lines of the table of docs/conformance.md")
    given = parser.parse_args()
    inside = True
    for case, (name, faster) in CASES.items():
        rate, predicted, measured = compare(name, faster, given.pairs, given.workers, given.seconds)
        low, high = median_interval(measured)
        ok = low <= median(predicted) <= high
        inside &= ok
        spread = (measured[-1] - measured[0]) / median(measured)
        row = (
            case, name, f"{given.workers}", f"{rate:,.0f}", f"{median(predicted):,.0f}", f"{median(measured):,.0f}",
            f"{low:,.0f} to {high:,.0f}", f"{spread:.0%}", "yes" if ok else "no",
        )  # fmt: skip
        print(f"| {' | '.join(row)} |" if given.markdown else ", ".join(row), flush=True)
    return 0 if inside else 1


if __name__ == "__main__":
    sys.exit(main())
