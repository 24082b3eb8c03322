"""How much a test tries: a fixed sample in the gate, all of it at night.

The full sizes are those of the threat model and of docs/. `COSTCALC_FULL=1 python -m pytest PATH` takes them for one
test, `python tests/nightly/run.py` for all. A test with a size carries the mark `sized`.
"""

import os
from typing import TypeVar

FULL = bool(os.environ.get("COSTCALC_FULL"))
Amount = TypeVar("Amount")


def size(gate: Amount, full: Amount) -> Amount:
    """The number, or the cases, that a test takes in this run."""
    return full if FULL else gate
