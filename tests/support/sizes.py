"""The size of a test: a fixed sample in the gate, everything at night.

The full sizes are those of the threat model and of docs/. `COSTCALC_FULL=1 python -m pytest PATH` takes them for one
test, `python tests/nightly/run.py` for all. A test with a size carries the mark `sized`.
"""

import os
from typing import TypeVar

FULL = bool(os.environ.get("COSTCALC_FULL"))
Amount = TypeVar("Amount")


def size(gate: Amount, full: Amount) -> Amount:
    """The number, or the cases, of this run."""
    return full if FULL else gate
