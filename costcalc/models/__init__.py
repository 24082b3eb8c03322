"""What every analysis is about: architectures, their knobs, and models, which are architectures with knobs set.

A spec (spec_architecture.py) is one kind of architecture, a reader's own layer graph (graph_architecture.py) another.
"""

from costcalc.models.knob import NOTHING, SMALLEST, Knob, Preset, Published, ReadOnly, read_only
from costcalc.models.model import Architecture, Model

__all__ = [
    "NOTHING", "SMALLEST", "Architecture", "Knob", "Model", "Preset", "Published", "ReadOnly", "read_only",
]  # fmt: skip
