"""Receptive fields of random little networks beside torch's gradients: `python tests/nightly/receptive_fields.py 500`.

Each has convolutions, pools, transposed convolutions and upsamplings of one sliding axis, and joins of tensors of one
length. A line for each that differs, and exit 1.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.little_nets import fields

count, wrong = int(sys.argv[1]), 0
for seed in range(count):
    said, seen = fields(seed)
    if said != seen:
        wrong += 1
        print(f"seed {seed}: said {said}, seen {seen}")
print(f"{count - wrong:,} of {count:,} are exact")
sys.exit(wrong > 0)
