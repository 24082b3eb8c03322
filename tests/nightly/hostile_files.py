"""Mutants of ONNX files and of safetensors headers (T14, T15), in batches, each in a child process of little memory.

    python tests/nightly/hostile_files.py
    python tests/nightly/hostile_files.py --onnx FILE.onnx … --count 1000

Prints a line for each batch: how many were counted and how many refused. A signal, a stray exception, another file that
is opened, a case without an answer, or more memory than allowed is an error.
"""

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from support.confined import confined
from support.hostile_files import GOOD_TENSORS, changed_models, mutants, seeds

BATCH, MEGABYTES = 500, 300


def tried(what, good, count, seed, change=mutants):
    """Tries so many mutants, and prints what became of each batch."""
    for batch in range(0, count, BATCH):
        start = time.monotonic()
        cases = change(good, min(BATCH, count - batch), seed + batch)
        found = confined(what, cases, megabytes=MEGABYTES, profiled=False)
        lines = sum("\n" in one.text for one in found)
        kinds = dict(Counter(one.kind for one in found))
        print(
            f"{what} {batch}: {kinds}, {lines} messages of several lines, {time.monotonic() - start:.0f} s", flush=True
        )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--onnx", type=Path, nargs="*", default=[])
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=20261129)
    given = parser.parse_args()
    good = [path.read_bytes() for path in given.onnx] or seeds()
    tried("onnx", good, given.count, given.seed)
    tried("onnx", good, given.count, given.seed, changed_models)  # that are files of ONNX still
    if not given.onnx:
        tried("safetensors", [GOOD_TENSORS], given.count, given.seed)


if __name__ == "__main__":
    main()
